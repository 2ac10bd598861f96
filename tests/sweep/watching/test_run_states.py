"""What a study's runs are doing, read from folders that processes on this and other machines left."""

import json
import time
from pathlib import Path

import pytest

from activation_study.records.heartbeat import HEARTBEAT_FILE
from activation_study.records.lock import run_lock
from activation_study.sweep.status import RunStatus
from activation_study.sweep.watching.run_states import SILENT_SECONDS, RunState, run_states
from fake_runs import ELSEWHERE, HERE, write_planned, write_run, write_running


def only(study: Path) -> RunState:
    (state,) = run_states(study)
    return state


def test_a_run_of_this_machine_runs_if_its_lock_is_held(tmp_path: Path) -> None:
    folder = write_running(tmp_path / "s", 0, HERE, ago=1)
    assert only(tmp_path / "s").status == RunStatus.RESUMABLE, "its process died a second ago"
    with run_lock(folder):
        assert only(tmp_path / "s").status == RunStatus.RUNNING


@pytest.mark.parametrize(
    ("ago", "status"), [(SILENT_SECONDS - 60, RunStatus.RUNNING), (SILENT_SECONDS + 60, RunStatus.RESUMABLE)]
)
def test_a_run_of_another_machine_runs_if_its_sign_of_life_is_recent(
    tmp_path: Path, ago: float, status: RunStatus
) -> None:
    write_running(tmp_path / "s", 0, ELSEWHERE, ago)
    assert only(tmp_path / "s").status == status
    assert only(tmp_path / "s").host == ELSEWHERE


def test_progress_loss_and_time_left_come_from_heartbeat_and_record(tmp_path: Path) -> None:
    write_running(tmp_path / "s", 0, ELSEWHERE, ago=1, epochs=2, loss=0.7, seconds=45.0)
    state = only(tmp_path / "s")
    assert (state.epoch, state.epochs, state.step, state.steps) == (2, 10, 30, 40)
    assert (state.loss, state.validation_mean_iou) == (0.7, 0.4)
    assert state.seconds_left == pytest.approx(60 * (10 - 2 - 0.75))


def test_in_the_first_epoch_the_time_left_comes_from_its_steps(tmp_path: Path) -> None:
    write_running(tmp_path / "s", 0, ELSEWHERE, ago=1, epochs=0, loss=0.7, seconds=30.0)
    assert only(tmp_path / "s").seconds_left == pytest.approx(40 * (10 - 0.75))
    write_running(tmp_path / "t", 0, ELSEWHERE, ago=1, epochs=0, loss=None, seconds=0.0, step=0)
    assert only(tmp_path / "t").seconds_left is None
    assert only(tmp_path / "t").loss is None


def test_without_a_heartbeat_the_last_epoch_is_the_sign_of_life(tmp_path: Path) -> None:
    folder = write_running(tmp_path / "s", 0, ELSEWHERE, ago=0)
    (folder / HEARTBEAT_FILE).unlink()
    assert only(tmp_path / "s").status == RunStatus.RESUMABLE
    record = json.loads((folder / "run.json").read_text())
    record["epochs"][0]["time"] = time.time() - 30
    (folder / "run.json").write_text(json.dumps(record))
    state = only(tmp_path / "s")
    assert (state.status, state.step, state.loss) == (RunStatus.RUNNING, 0, 0.9)


def test_ended_planned_and_unreadable_runs(tmp_path: Path) -> None:
    study = tmp_path / "s"
    done = write_run(study, "relu", 0)
    failed = write_run(study, "mish", 0, status="FAILED")
    killed = write_run(study, "elu", 0, status="KILLED")
    damaged = write_run(study, "silu", 0)
    (damaged / "run.json").write_text("{")
    write_planned(study, [done.name, "waiting", "starting"])
    with run_lock(study / "starting"):
        states = run_states(study)
    assert [(state.name, state.status) for state in states] == [
        ("starting", RunStatus.RUNNING),
        (killed.name, RunStatus.RESUMABLE),
        ("waiting", RunStatus.NEW),
        (failed.name, RunStatus.FAILED),
        (damaged.name, RunStatus.FAILED),
        (done.name, RunStatus.DONE),
    ]
    assert [state.ended for state in states] == [False, False, False, True, True, True]
    assert "run.json" in str(states[4].reason)
