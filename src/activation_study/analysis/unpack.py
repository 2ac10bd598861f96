"""Turns a packed study into run folders again, so that it goes on on another machine."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from activation_study.analysis.packed_file import (
    PACKED_FILE,
    read_packed_looks,
    read_packed_runs,
    read_packed_trials,
)
from activation_study.config.identity import is_safe_name
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.artifacts import write_confusions
from activation_study.records.lock import key_of, run_lock
from activation_study.records.looks import LOOKS_FILE, read_looks
from activation_study.records.record import Record, run_folders

CACHE = "data/prepared"  # the default of data.cache, which a packed record lacks


def unpack_study(folder: Path, study: Path) -> tuple[list[str], list[str]]:
    """Writes the finished runs of a packed study as run folders, with their looks, trials and plan.

    A folder gets the record and the confusion matrices, and no weights. Runs that the study's folder already has, even
    if they are unfinished, stay as they are.

    Args:
        folder: has `runs.npz`.
        study: folder of the study.

    Returns:
        The names of the runs that were written, and of those that were there.

    Raises:
        Contradiction: a packed record contradicts itself or its confusion matrices.
        BadInput: there is no such file, it cannot be read or has another study, or the plans of both differ.
    """
    path = folder / PACKED_FILE
    if not path.is_file():
        raise BadInput(
            f"unpack={folder}: there is no {PACKED_FILE}; expected a folder that `compare.py pack=` has made"
        )
    runs, _ = read_packed_runs(path)
    trials = read_packed_trials(path)
    _reject_others(path, [*(run.record for run in runs), *trials], study)
    if (looks := _merged_looks(study, path)) != read_looks(study):
        write_json(study / LOOKS_FILE, looks)
    written, there, keys = [], [], set(map(key_of, run_folders(study)))
    for record, run in [*((run.record, run) for run in runs), *((trial, None) for trial in trials)]:
        target = study / record.name
        if key_of(target) in keys:
            there.append(record.name)
            continue
        with run_lock(target):
            if run is not None:
                article = any(key.endswith("/article_mean_iou") for key in record.results)
                write_confusions(replace(run, folder=target), article)
            _with_places(record, study).write(target)  # last: without it, the folder is none of a run
        written.append(record.name)
    return written, there


def _reject_others(path: Path, records: list[Record], study: Path) -> None:
    for record in records:
        if not is_safe_name(record.name):
            raise BadInput(f"{path}: the run {record.name!r} cannot be the name of a folder")
        if Path(record.study).parts[-1:] != study.parts[-1:]:
            raise BadInput(f"{path} has the study {record.study}; expected study={record.study}")


def _merged_looks(study: Path, path: Path) -> dict[str, Any]:
    """The looks of both, with the plan of either.

    Raises:
        BadInput: they were planned otherwise.
    """
    here, packed = read_looks(study), read_packed_looks(path)
    plans = [_declared(each["plan"]) for each in (here, packed) if each["plan"] is not None]
    if plans[1:] and plans[0] != plans[1]:
        raise BadInput(f"{study} and {path} have different plans of looks, so their runs are not of one study")
    looks = [*(look for look in packed["looks"] if look not in here["looks"]), *here["looks"]]
    return {"plan": here["plan"] or packed["plan"], "looks": sorted(looks, key=lambda look: float(look["at"]))}


def _declared(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plan.items() if key != "at"}


def _with_places(record: Record, study: Path) -> Record:
    """The record with this machine's folders, which a packed one lacks."""
    data = {**record.config["data"], "cache": CACHE}
    return replace(record, config={**record.config, "folder": str(study.parent), "data": data})
