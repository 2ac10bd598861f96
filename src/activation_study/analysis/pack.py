"""Packs a study into one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from activation_study.analysis.finished_runs import read_runs, read_trials, require_study
from activation_study.analysis.packed_file import (
    PACKED_FILE,
    read_packed_looks,
    read_packed_runs,
    read_packed_trials,
    write_packed,
)
from activation_study.errors import BadInput
from activation_study.image_metrics.registry import require_metrics
from activation_study.records.looks import read_looks
from activation_study.records.record import Record, run_folders
from activation_study.records.run import Run


def pack_study(study: Path, folder: Path) -> tuple[Path, list[str], list[str]]:
    """Packs all records and confusion matrices into one file, enough to compare the runs without their folders.

    If the file exists, the runs are added to it and replace runs of the same name, so that it can be carried from
    machine to machine. Paths of the machine are left out. No result is looked at.

    Args:
        study: folder of the study.
        folder: folder for `runs.npz`.

    Returns:
        The file, the names of the runs in it, and "name: status" of each unfinished run.

    Raises:
        BadInput: the study has no finished run; the folder contains run folders, which would be read instead of the
            file; or the existing file cannot be read or contains another study.
    """
    require_study(study)
    if run_folders(folder):
        raise BadInput(f"pack={folder}: the folder contains runs; expected another folder for {PACKED_FILE}")
    path = folder / PACKED_FILE
    runs, unfinished = read_runs(study)
    if path.is_file():
        runs, unfinished = _merged(path, runs, unfinished)
    for run in runs:
        require_metrics(run.record.config, f"pack={folder}: {run.record.name}")
    trials = _merged_trials(study, path)
    if not runs and not trials:
        raise BadInput(f"{study}: no finished run to pack")
    write_packed(path, runs, unfinished, _merged_looks(study, path), trials)
    return path, [each.name for each in (*(run.record for run in runs), *trials)], unfinished


def _merged(path: Path, runs: Sequence[Run], unfinished: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The contents of the file with these runs added, as `read_runs` returns them."""
    packed, packed_unfinished = read_packed_runs(path)
    others = {run.record.study for run in packed} - {run.record.study for run in runs}
    if others:
        raise BadInput(f"{path} contains the study {', '.join(sorted(others))}; expected a file of its own per study")
    names = {run.record.name for run in runs}
    merged = [*(run for run in packed if run.record.name not in names), *runs]
    finished = {run.record.name for run in merged}
    status_lines = {line.partition(":")[0]: line for line in (*packed_unfinished, *unfinished)}
    still_unfinished = [line for name, line in status_lines.items() if name not in finished]
    return sorted(merged, key=lambda run: run.record.place), still_unfinished


def _merged_looks(study: Path, path: Path) -> dict[str, Any]:
    """What is kept in the study's folder, with the looks that only an existing packed file has."""
    kept = read_looks(study)
    before = read_packed_looks(path)["looks"] if path.is_file() else []
    looks = [*(look for look in before if look not in kept["looks"]), *kept["looks"]]
    return {**kept, "looks": sorted(looks, key=lambda look: float(look["at"]))}


def _merged_trials(study: Path, path: Path) -> list[Record]:
    """The trials of the study, with those that only an existing packed file has."""
    trials = read_trials(study)
    names = {trial.name for trial in trials}
    before = read_packed_trials(path) if path.is_file() else []
    return [*(trial for trial in before if trial.name not in names), *trials]
