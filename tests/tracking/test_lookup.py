"""Runs are found by the beginning of their folder or name."""

from pathlib import Path

import pytest

from activation_study.errors import BadInput
from activation_study.tracking.lookup import find_run
from fake_runs import write_run


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)
    study = Path("multirun") / "s"
    return {
        f"{activation} {seed}": write_run(study, activation, seed)
        for activation, seed in (("relu", 1), ("relu", 10), ("mish", 1))
    }


@pytest.mark.parametrize("beginning", ["multirun/s/surfaces-relu-seed1", "surfaces-relu-seed1", "surfaces-relu-seed1-"])
def test_a_beginning_is_enough_and_seed_1_is_not_seed_10(folders: dict[str, Path], beginning: str) -> None:
    assert find_run(beginning, None).folder == folders["relu 1"]


def test_a_whole_name_is_found_in_every_study(folders: dict[str, Path]) -> None:
    assert find_run(folders["mish 1"].name, None).folder == folders["mish 1"]


def test_an_ambiguous_beginning_lists_the_runs(folders: dict[str, Path]) -> None:
    with pytest.raises(BadInput, match="run=surfaces-relu is ambiguous, 2 run folders match: multirun/s/"):
        find_run("surfaces-relu", None)


def test_what_no_run_begins_with_is_rejected(folders: dict[str, Path]) -> None:
    with pytest.raises(BadInput, match="run=surfaces-elu: neither a run folder nor an MLflow run ID"):
        find_run("surfaces-elu", None)
