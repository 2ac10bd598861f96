"""The status of each run of a study, read from its folder and its lock."""

from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from activation_study.errors import BadInput
from activation_study.records.lock import is_locked, run_lock
from activation_study.records.record import EVALUATIONS, REPRODUCTIONS, Record, read_record, run_folders


class RunStatus(StrEnum):
    """The status of a run before a sweep; the values are shown to the user."""

    DONE = "done"
    RESUMABLE = "resume"
    FAILED = "failed"
    PRUNED = "pruned"
    NEW = "new"
    RUNNING = "running"


def status_of(folder: Path, record: Record | None) -> RunStatus:
    """The status of a run.

    Args:
        folder: of the run.
        record: of the run, if there is one.
    """
    if record is not None and record.status == "FINISHED":
        return RunStatus.DONE  # whoever holds its lock copies it to a store, or is about to train it again
    if is_locked(folder):
        return RunStatus.RUNNING
    if record is None:
        return RunStatus.NEW
    ended = {"FAILED": RunStatus.FAILED, "PRUNED": RunStatus.PRUNED}
    return ended.get(record.status, RunStatus.RESUMABLE)


def all_run_folders(study_dir: Path) -> list[Path]:
    """The folders of a study's runs, of their reproductions and of their further evaluations."""
    parts = ("", REPRODUCTIONS, EVALUATIONS, f"{REPRODUCTIONS}/{EVALUATIONS}")
    return [folder for part in parts for folder in run_folders(study_dir / part)]


def studies_in(folder: Path) -> str:
    """The names of the studies with runs in a folder, as a list in words; empty if there are none."""
    return ", ".join(sorted(study.name for study in folder.glob("*") if run_folders(study)))


def mark_stale_runs(study_dir: Path) -> list[Path]:
    """Marks runs that are recorded as RUNNING but have no process as KILLED since their last epoch.

    Returns:
        The folders of these runs.
    """
    stale = []
    for folder in all_run_folders(study_dir):
        with suppress(BadInput):  # locked by a process, or unreadable: nothing to mark
            record = read_record(folder)
            if record is not None and record.status == "RUNNING":
                with run_lock(folder):
                    record = read_record(folder)  # it may have ended before the lock was taken
                    if record is not None and record.close_stale(folder):
                        stale.append(folder)
    return stale


def print_deaths(folders: Iterable[Path]) -> None:
    """Prints one line for each run that `mark_stale_runs` has marked."""
    for folder in folders:
        record = read_record(folder)
        if record is not None:
            print(f"{record.name}: {record.error}")
