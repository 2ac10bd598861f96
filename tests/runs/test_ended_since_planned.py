"""A run of a sweep that another process has ended since the sweep was planned is not trained again."""

from pathlib import Path

import numpy as np
import pytest

from activation_study.config.schema import Config
from activation_study.records.record import Record, read_record
from activation_study.runs.execute import run
from activation_study.validation import from_hydra
from simulated_sweep import composed, finish

COUNTS = np.ones((2, 4, 3), np.int64)


class Trained(Exception):
    """The run was started."""


@pytest.fixture(autouse=True)
def _not_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> Record:
        raise Trained

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("activation_study.runs.execute._execute", train)
    monkeypatch.setattr("activation_study.runs.execute._reject_other_data", lambda config: None)


def planned(*overrides: str) -> tuple[Config, float]:
    """A run that has finished, as a sweep starts it again; and when it ended."""
    config = from_hydra(composed([*overrides, "sweep.position='1 of 1'"]))
    finish(config, COUNTS, ("sky", "horizontal", "vertical"))
    record = read_record(config.run_folder)
    assert record is not None
    assert record.ended is not None
    return config, record.ended


def test_a_finished_run_is_trained_again_if_it_is_the_one_that_was_planned() -> None:
    config, ended = planned("rerun=all")
    config.sweep.ended = ended
    with pytest.raises(Trained):
        run(config, [])


def test_a_run_that_another_process_has_trained_again_is_kept() -> None:
    config, ended = planned("rerun=all")
    for before in (None, ended - 60):
        config.sweep.ended = before
        assert run(config, []).ended == ended


def test_a_run_that_failed_in_another_process_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    config, _ = planned()
    record = read_record(config.run_folder)
    assert record is not None
    record.end(config.run_folder, "FAILED", "ValueError: no")
    assert run(config, []).status == "FAILED"
    assert "failed in another process (ValueError: no); run the same command to try again" in capsys.readouterr().out
    config.sweep.ended = record.ended
    with pytest.raises(Trained):
        run(config, [])


def test_a_run_by_itself_is_trained_again() -> None:
    config, _ = planned("rerun=all")
    config.sweep.position = ""
    with pytest.raises(Trained):
        run(config, [])
