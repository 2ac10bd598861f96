"""Where each run of a study stands, read from its folder and its lock alone."""

from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from activation_study.errors import BadInput
from activation_study.records.lock import is_locked, run_lock
from activation_study.records.record import RECORD_FILE, Record, read_record


class RunStatus(StrEnum):
    """What a sweep finds of a run."""

    DONE = "done"
    RESUMABLE = "resume"
    FAILED = "failed"
    NEW = "new"
    RUNNING = "under way"


def status_of(folder: Path, record: Record | None) -> RunStatus:
    """Where a run stands.

    Args:
        folder: the run's.
        record: its record.
    """
    if is_locked(folder):
        return RunStatus.RUNNING
    if record is None:
        return RunStatus.NEW
    known = {"FINISHED": RunStatus.DONE, "FAILED": RunStatus.FAILED}
    return known.get(record.status, RunStatus.RESUMABLE)


def run_folders(study: Path) -> Iterator[Path]:
    """The folders of a study's runs and of their reproductions."""
    for pattern in (f"*/{RECORD_FILE}", f"reproductions/*/{RECORD_FILE}"):
        yield from (path.parent for path in sorted(study.glob(pattern)))


def mark_stale_runs(study: Path) -> list[Path]:
    """Sets RUNNING right where the process is no more: KILLED since its last epoch. Returns these folders."""
    closed = []
    for folder in run_folders(study):
        with suppress(BadInput):  # taken by a process, or not to be read: nothing that could be set right here
            record = read_record(folder)
            if record is not None and record.status == "RUNNING":
                with run_lock(folder):
                    record = read_record(folder)  # again: it may have ended in between
                    if record is not None and record.close_stale(folder):
                        closed.append(folder)
    return closed
