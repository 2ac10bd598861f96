"""A search on real runs: the same trials after a SIGKILL, trials that end early, and the answer."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli_runner import TINY, command

pytestmark = pytest.mark.slow
TUNED = (*TINY, "tracking=off", "tuning=learning_rate", "tuning.trials=4", "tuning.batch=2")
SWEEP = (*TUNED, "activation=relu,mish", "seed=0,1")


def succeeded(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr + result.stdout
    return " ".join(result.stdout.split())  # lines may be wrapped


def records(folder: Path) -> dict[str, Any]:
    """What does not depend on time, by arm, trial, seed."""
    found = {}
    for path in (folder / "multirun/tiny").glob("*/run.json"):
        record = json.loads(path.read_text())
        config = record["config"]
        key = f"{config['activation']['name']} {config['tuning']['trial']} {config['seed']}"
        losses = [epoch["train/loss"] for epoch in record["epochs"]]
        found[key] = (config["optimizer"]["learning_rate"], record["status"], losses)
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, succeeded(command(folder, "train.py", "-m", *SWEEP, "tuning.untuned=true", COLUMNS="250"))


def test_a_search_ends_with_its_answer(whole: tuple[Path, str]) -> None:
    folder, printed = whole
    assert ") of up to 4 trials, 2 at a time: at most 8 runs; then 4 runs with the best values" in printed
    assert "ReLU: 4 of 4 trials, best optimizer.learning_rate=" in printed
    assert "was tuned on validation, by a search of 4 trials for each activation: ReLU " in printed
    assert "Do the differences on surfaces depend on optimizer.learning_rate?" in printed
    again = succeeded(command(folder, "train.py", "-m", *SWEEP, "tuning.untuned=true"))
    assert "new" not in again.partition("Plan")[0], "nothing is left to do"


def test_an_unpacked_search_has_nothing_left_to_do(whole: tuple[Path, str], tmp_path: Path) -> None:
    succeeded(command(whole[0], "compare.py", "study=tiny", "pack=packed"))
    succeeded(command(tmp_path, "compare.py", "study=tiny", f"unpack={whole[0] / 'packed'}"))
    before = records(tmp_path)
    assert before == records(whole[0])
    again = succeeded(command(tmp_path, "train.py", "-m", *SWEEP, "tuning.untuned=true"))
    assert "was tuned on validation, by a search of 4 trials for each activation: ReLU " in again
    assert records(tmp_path) == before
    assert not list((tmp_path / "multirun/tiny").glob("*/best.keras")), "no run was trained again"


@pytest.mark.parametrize("trap", [("train", "20"), ("record", "30")])
def test_a_killed_search_goes_on_with_the_same_trials(
    whole: tuple[Path, str], trap: tuple[str, str], tmp_path: Path
) -> None:
    killed = command(tmp_path, "tests/kill_at.py", *trap, "-m", *SWEEP, "tuning.untuned=true")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert 0 < len(records(tmp_path)) < len(records(whole[0]))
    succeeded(command(tmp_path, "train.py", "-m", *SWEEP, "tuning.untuned=true"))
    assert records(tmp_path) == records(whole[0])


def test_trials_that_promise_little_end_early_and_alike_on_another_launcher(tmp_path: Path) -> None:
    keys = (*TINY, "tracking=off", "tuning=learning_rate", "tuning.trials=8", "training.epochs=8", "activation=relu")
    pruned = (*keys, "tuning.pruner=median", "seed=0,1")
    found = []
    for launcher in ("basic", "joblib"):
        folder = tmp_path / launcher
        folder.mkdir()
        printed = succeeded(command(folder, "train.py", "-m", *pruned, f"hydra/launcher={launcher}"))
        found.append(records(folder))
    assert found[0] == found[1]
    early = [losses for _, status, losses in found[0].values() if status == "PRUNED"]
    assert early
    assert all(5 <= len(losses) < 8 for losses in early)
    assert f"ReLU: 8 of 8 trials ({len(early)} pruned)" in printed
    name = next(path.parent.name for path in folder.glob("multirun/tiny/*/run.json") if "PRUNED" in path.read_text())
    again = succeeded(command(folder, "reproduce.py", f"run=multirun/tiny/{name}"))
    assert "identical" in again
