"""What every run of a study is doing, from the folders alone: of all processes, on all machines that share them."""

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from activation_study.errors import BadInput
from activation_study.records.heartbeat import read_heartbeat
from activation_study.records.lock import is_locked
from activation_study.records.planned_runs import planned_runs
from activation_study.records.record import Record, read_record, run_folders
from activation_study.sweep.status import RunStatus

# Seconds without a sign of life after which a run of another machine, whose lock may not be visible, counts as dead.
SILENT_SECONDS = 180.0

# Before this step of its first epoch, a run's speed is not known: the first steps include compilation.
FIRST_MEASURED_STEP = 3


@dataclass(frozen=True)
class RunState:
    """What one run is doing.

    Args:
        name: of the run.
        folder: of the run.
        status: as in the plan of a sweep; `resume` if it was interrupted.
        phase: `training`, `validation` or `evaluation` of a running run, as far as it is known.
        epoch: finished epochs.
        epochs: at most.
        step: finished steps of the current epoch.
        steps: of each epoch; 0 if it is not known.
        loss: of the current epoch so far, otherwise of the last one.
        validation_mean_iou: after the last epoch.
        seconds_left: of a running run, at most.
        host: that works on it, or did last.
        seen: Unix time of its last sign of life.
        reason: the error of a failed run.
    """

    name: str
    folder: Path
    status: RunStatus
    phase: str | None = None
    epoch: int = 0
    epochs: int | None = None
    step: int = 0
    steps: int = 0
    loss: float | None = None
    validation_mean_iou: float | None = None
    seconds_left: float | None = None
    host: str | None = None
    seen: float | None = None
    reason: str | None = None

    @property
    def ended(self) -> bool:
        """Whether it is done, failed or pruned."""
        return self.status in (RunStatus.DONE, RunStatus.FAILED, RunStatus.PRUNED)


def run_states(study_dir: Path) -> list[RunState]:
    """The state of each run of a study: running ones first, then what is open, then what has ended."""
    names = {folder.name: None for folder in run_folders(study_dir)}
    planned = {run.name: run.epochs for run in planned_runs(study_dir).values() if run.last}
    states = [_state(study_dir / name, planned.get(name)) for name in {**planned, **names}]
    order = (RunStatus.RUNNING, RunStatus.RESUMABLE, RunStatus.NEW, RunStatus.FAILED, RunStatus.PRUNED, RunStatus.DONE)
    return sorted(states, key=lambda state: order.index(state.status))


def _state(folder: Path, epochs: int | None) -> RunState:
    try:
        record = read_record(folder)
    except BadInput as error:
        return RunState(folder.name, folder, RunStatus.FAILED, reason=str(error))
    if record is None:
        status = RunStatus.RUNNING if is_locked(folder) else RunStatus.NEW
        return RunState(folder.name, folder, status, epochs=epochs)
    heartbeat = read_heartbeat(folder) if record.status == "RUNNING" else {}
    last = record.epochs[-1] if record.epochs else {}
    seen = _last_sign(record, heartbeat)
    status = _status(folder, record, seen)
    in_epoch = status == RunStatus.RUNNING and heartbeat.get("epoch") == len(record.epochs) + 1
    step, steps = (int(heartbeat[key]) if in_epoch else 0 for key in ("step", "steps"))
    maximum = int(record.config["training"].get("epochs", epochs or len(record.epochs)))
    running_loss = heartbeat.get("loss") if in_epoch else None
    return RunState(
        name=record.name,
        folder=folder,
        status=status,
        phase=heartbeat.get("phase") if status == RunStatus.RUNNING else None,
        epoch=len(record.epochs),
        epochs=maximum,
        step=step,
        steps=steps,
        loss=running_loss if running_loss is not None else last.get("train/loss"),
        validation_mean_iou=last.get("val/mean_iou"),
        seconds_left=_seconds_left(record, heartbeat, maximum, step, steps) if status == RunStatus.RUNNING else None,
        host=record.process.get("host"),
        seen=seen,
        reason=record.error,
    )


def _last_sign(record: Record, heartbeat: Mapping[str, float]) -> float:
    times = [record.started, record.ended, heartbeat.get("time"), *(each["time"] for each in record.resumed)]
    times += [epoch["time"] for epoch in record.epochs[-1:]]
    return max(float(each) for each in times if each is not None)


def _status(folder: Path, record: Record, seen: float) -> RunStatus:
    ended = {"FINISHED": RunStatus.DONE, "FAILED": RunStatus.FAILED, "PRUNED": RunStatus.PRUNED}
    if record.status in ended:
        return ended[record.status]
    elsewhere = record.process.get("host") != socket.gethostname()
    recent = elsewhere and record.status == "RUNNING" and time.time() - seen < SILENT_SECONDS
    return RunStatus.RUNNING if recent or is_locked(folder) else RunStatus.RESUMABLE


def _seconds_left(record: Record, heartbeat: Mapping[str, float], maximum: int, step: int, steps: int) -> float | None:
    """At most: training may stop early. None before the first steps."""
    begun = step / steps if steps else 0.0
    if record.epochs:
        per_epoch = median(epoch["epoch_seconds"] for epoch in record.epochs)
    elif step >= FIRST_MEASURED_STEP:
        per_epoch = float(heartbeat.get("seconds", 0.0)) / begun
    else:
        return None
    return per_epoch * max(maximum - len(record.epochs) - begun, 0.0)
