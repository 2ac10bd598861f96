"""The runs of a study with their confusion matrices, read from their folders or from one packed file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from activation_study.analysis.packed.packed_file import (
    PACKED_FILE,
    read_packed_looks,
    read_packed_plan,
    read_packed_runs,
    read_packed_trials,
)
from activation_study.config.tuning import is_trial
from activation_study.errors import BadInput
from activation_study.records.consistency import Contradiction, record_problems
from activation_study.records.lock import is_locked, key_of
from activation_study.records.looks import read_looks
from activation_study.records.planned_runs import PlannedRun, planned_runs
from activation_study.records.record import Record, read_record, read_records, run_folders
from activation_study.records.run import Run, read_all, read_evaluated_run

REPORT_FOLDER = "report"


def require_study(study: Path) -> None:
    """Raises BadInput if a study has no folder."""
    if not study.is_dir():
        names = sorted(path.name for path in study.parent.glob("[!.]*") if path.is_dir())
        there = f"it has {', '.join(names)}" if names else "it has no studies"
        raise BadInput(f"study={study.name}: there is no such folder in {study.parent.absolute()}; {there}")


def read_runs(study: Path) -> tuple[list[Run], list[str]]:
    """The finished runs of a study in the order they were planned in, and "name: status" of each unfinished run.

    So are those that the last sweep planned of arms without any run. Trials of a search are none of these
    (`read_trials`).

    Raises:
        Contradiction: a run's record contradicts itself or its confusion matrices.
        BadInput: a file cannot be read.
    """
    if _is_packed(study):
        runs, unfinished = read_packed_runs(study / PACKED_FILE)
        names = [line.partition(":")[0] for line in unfinished]
        return runs, [*unfinished, *_not_started(study, [run.record for run in runs], names)]
    records = {folder: read_record(folder) for folder in run_folders(study)}
    there = {folder: each for folder, each in records.items() if each is not None and not is_trial(each.config)}
    unfinished = [_unfinished(folder, record) for folder, record in there.items() if record.status != "FINISHED"]
    finished = ((folder, record) for folder, record in there.items() if record.status == "FINISHED")
    runs = read_all(finished, read_evaluated_run)
    unfinished += _not_started(study, there.values(), [folder.name for folder in records])
    return sorted(runs, key=lambda run: run.record.place), unfinished


def _not_started(study: Path, records: Iterable[Record], names: Iterable[str]) -> list[str]:
    """The runs of the last sweep whose arms have no run yet; a search starts the trials that it needs itself.

    Args:
        study: its folder.
        records: of the runs that have started.
        names: of further ones.
    """
    planned = {key: run for key, run in read_planned(study).items() if not run.is_trial}
    keys = {key_of(Path(name)) for name in names}
    started = {record.arm_identity for record in records} | {run.arm for key, run in planned.items() if key in keys}
    return [f"{run.name}: not started" for run in planned.values() if run.last and run.arm not in started]


def read_trials(study: Path) -> list[Record]:
    """The records of the runs of a study's searches, from their folders or the packed file.

    Raises:
        Contradiction: a record contradicts itself.
        BadInput: a file cannot be read.
    """
    if _is_packed(study):
        return read_packed_trials(study / PACKED_FILE)
    records = [record for record in read_records(study) if is_trial(record.config)]
    problems = [
        f"{record.name}: {problem}"
        for record in records
        if record.status == "FINISHED"
        for problem in record_problems(record)
    ]
    if problems:
        raise Contradiction(problems)
    return records


def _unfinished(folder: Path, record: Record) -> str:
    dead = record.status == "RUNNING" and not is_locked(folder)
    return f"{record.name}: {record.how_it_died if dead else record.status}"


def read_kept_looks(study: Path) -> dict[str, Any]:
    """The plan and the looks that are kept of a study, in its folder, and of a packed one in its file, too.

    Raises:
        BadInput: they cannot be read.
    """
    beside = read_looks(study)
    if not _is_packed(study):
        return beside
    packed = read_packed_looks(study / PACKED_FILE)
    return {"plan": packed["plan"], "looks": [*packed["looks"], *beside["looks"]]}


def read_planned(study: Path) -> dict[str, PlannedRun]:
    """The runs that the sweeps of a study have planned, by their keys, from its folder or the packed file.

    Raises:
        BadInput: the packed file cannot be read.
    """
    return read_packed_plan(study / PACKED_FILE) if _is_packed(study) else planned_runs(study)


def _is_packed(study: Path) -> bool:
    return not run_folders(study) and (study / PACKED_FILE).is_file()
