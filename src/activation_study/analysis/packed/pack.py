"""Packs a study into one file."""

from dataclasses import replace
from pathlib import Path

from activation_study.analysis.finished_runs import (
    read_kept_looks,
    read_planned,
    read_runs,
    read_trials,
    require_study,
)
from activation_study.analysis.packed.packed_file import PACKED_FILE, PackedStudy, read_packed, write_packed
from activation_study.errors import BadInput
from activation_study.image_metrics.registry import require_metrics
from activation_study.records.lock import key_of
from activation_study.records.looks import merged_looks
from activation_study.records.record import run_folders

ENDED = ("FINISHED", "PRUNED", "FAILED")  # a trial that failed has told its search something


def pack_study(study: Path, folder: Path) -> tuple[Path, PackedStudy]:
    """Packs all records and confusion matrices into one file, enough to compare the runs without their folders.

    If the file exists, the runs are added to it and replace the same runs, so that it can be carried from machine to
    machine. Paths of the machine are left out. No result is looked at.

    Args:
        study: folder of the study.
        folder: folder for `runs.npz`.

    Returns:
        The file, and what it has.

    Raises:
        BadInput: the study has nothing to pack; the folder contains run folders, which would be read instead of the
            file; or the existing file cannot be read, contains another study, or the same with another plan of looks.
    """
    require_study(study)
    if run_folders(folder):
        raise BadInput(f"pack={folder}: the folder contains runs; expected another folder for {PACKED_FILE}")
    path = folder / PACKED_FILE
    runs, unfinished = read_runs(study)
    trials = [trial for trial in read_trials(study) if trial.status in ENDED]
    packed = PackedStudy(runs, unfinished, trials, read_kept_looks(study), read_planned(study))
    if not runs and not trials:
        raise BadInput(f"{study}: no finished run to pack")
    if path.is_file():
        packed = _merged(path, packed, study)
    for run in packed.runs:
        require_metrics(run.record.config, f"pack={folder}: {run.record.name}")
    write_packed(path, packed)
    return path, packed


def _merged(path: Path, here: PackedStudy, study: Path) -> PackedStudy:
    """The contents of the file with what is here added."""
    before = read_packed(path)
    names = {record.study for record in (*(run.record for run in before.runs), *before.trials)}
    others = names - {record.study for record in (*(run.record for run in here.runs), *here.trials)}
    if others:
        raise BadInput(f"{path} contains the study {', '.join(sorted(others))}; expected a file of its own per study")
    keys = {key_of(run.folder) for run in here.runs}
    runs = [*(run for run in before.runs if key_of(run.folder) not in keys), *here.runs]
    finished = {key_of(run.folder) for run in runs}
    trials = {_key(trial.name): trial for trial in (*before.trials, *here.trials)}
    status_lines = {_key(line.partition(":")[0]): line for line in (*before.unfinished, *here.unfinished)}
    return replace(
        here,
        runs=sorted(runs, key=lambda run: run.record.place),
        unfinished=[line for key, line in status_lines.items() if key not in finished],
        trials=list(trials.values()),
        looks=merged_looks(here.looks, before.looks, f"{study} and {path}"),
        planned={**before.planned, **here.planned},
    )


def _key(name: str) -> str:
    return key_of(Path(name))
