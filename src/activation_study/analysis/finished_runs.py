"""The runs of a study with their confusion matrices, read from their folders or from one packed file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from activation_study.config.identity import MACHINE_SPECIFIC_KEYS
from activation_study.config.overrides import override_key
from activation_study.config.scored_weights import WEIGHTS
from activation_study.config.tuning import is_trial
from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.image_metrics.registry import known_image_metrics, require_metrics
from activation_study.records.consistency import Contradiction, contradictions, record_problems
from activation_study.records.lock import is_locked
from activation_study.records.looks import parse_looks, read_looks
from activation_study.records.record import Record, parse_record, read_record, read_records, run_folders
from activation_study.records.run import Run, read_all, read_evaluated_run

PACKED_FILE = "runs.npz"
REPORT_FOLDER = "report"
# Paths of own data: the record has what they contain.
OWN_DATA_PATHS = ("data.images", "data.labels", "data.split_files", "data.groups_file")


def read_runs(study: Path) -> tuple[list[Run], list[str]]:
    """The finished runs of a study in the order they were planned in, and "name: status" of each unfinished run.

    Trials of a search are none of these (`read_trials`).

    Raises:
        Contradiction: a run's record contradicts itself or its confusion matrices.
        BadInput: a file cannot be read.
    """
    records = {folder: read_record(folder) for folder in run_folders(study)}
    records = {folder: each for folder, each in records.items() if each is None or not is_trial(each.config)}
    if not run_folders(study) and (study / PACKED_FILE).is_file():
        return _read_packed(study / PACKED_FILE)
    there = {folder: record for folder, record in records.items() if record is not None}
    unfinished = [_unfinished(folder, record) for folder, record in there.items() if record.status != "FINISHED"]
    finished = ((folder, record) for folder, record in there.items() if record.status == "FINISHED")
    runs = read_all(finished, read_evaluated_run)
    return sorted(runs, key=lambda run: run.record.place), unfinished


def read_trials(study: Path) -> list[Record]:
    """The records of the runs of a study's searches, from their folders or the packed file.

    Raises:
        Contradiction: a record contradicts itself.
        BadInput: a file cannot be read.
    """
    if not run_folders(study) and (study / PACKED_FILE).is_file():
        return _packed_trials(study / PACKED_FILE)
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


def _packed_trials(path: Path) -> list[Record]:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        return [parse_record(text) for text in arrays["trials"].tolist()] if "trials" in arrays else []


def _unfinished(folder: Path, record: Record) -> str:
    dead = record.status == "RUNNING" and not is_locked(folder)
    return f"{record.name}: {record.how_it_died if dead else record.status}"


def export_study(study: Path, folder: Path) -> Path:
    """Packs all records and confusion matrices into one file, enough to compare the runs without their folders.

    If the file exists, the runs are added to it and replace runs of the same name, so that it can be carried from
    machine to machine. Paths of the machine are left out.

    Args:
        study: folder of the study.
        folder: folder for `runs.npz`.

    Returns:
        The file.

    Raises:
        BadInput: the folder contains run folders, which would be read instead of the file; or the existing file cannot
            be read or contains another study.
    """
    if run_folders(folder):
        raise BadInput(f"pack={folder}: the folder contains runs; expected another folder for {PACKED_FILE}")
    path = folder / PACKED_FILE
    runs, unfinished = read_runs(study)
    if path.is_file():
        runs, unfinished = _merged(path, runs, unfinished)
    for run in runs:
        require_metrics(run.record.config, f"pack={folder}: {run.record.name}")
    arrays: dict[str, NDArray[np.generic]] = {"unfinished": np.array(unfinished, np.str_)}
    arrays["looks"] = np.array(json.dumps(_merged_looks(study, path)))
    if trials := _merged_trials(study, path):
        arrays["trials"] = np.array([json.dumps(asdict(_without_machine_settings(trial))) for trial in trials])
    for number, run in enumerate(runs):
        arrays[f"record{number}"] = np.array(json.dumps(asdict(_without_machine_settings(run.record))))
        arrays[f"folder{number}"] = np.array(run.folder.name)
        arrays[f"confusions{number}"] = run.confusions.astype(np.int32)  # counts of one image's pixels
        arrays[f"images{number}"] = np.array(run.images)
        arrays[f"photographs{number}"] = np.array(run.image_hashes)
        if run.groups:
            arrays[f"groups{number}"] = np.array(run.groups)
        for name, counts in run.others.items():  # differences, which are small, and compress well
            arrays[f"{name}{number}"] = (counts - run.confusions).astype(np.int32)
        arrays |= {f"{name}{number}": counts for name, counts in run.image_counts.items()}
    with replacing(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)
    return path


def _merged(path: Path, runs: Sequence[Run], unfinished: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The contents of the file with these runs added, as `read_runs` returns them."""
    packed, packed_unfinished = _read_packed(path)
    others = {run.record.study for run in packed} - {run.record.study for run in runs}
    if others:
        raise BadInput(f"{path} contains the study {', '.join(sorted(others))}; expected a file of its own per study")
    names = {run.record.name for run in runs}
    merged = [*(run for run in packed if run.record.name not in names), *runs]
    finished = {run.record.name for run in merged}
    status_lines = {line.partition(":")[0]: line for line in (*packed_unfinished, *unfinished)}
    still_unfinished = [line for name, line in status_lines.items() if name not in finished]
    return sorted(merged, key=lambda run: run.record.place), still_unfinished


def read_kept_looks(study: Path) -> dict[str, Any]:
    """The plan and the looks that are kept of a study, in its folder or in the packed file.

    Raises:
        BadInput: they cannot be read.
    """
    if run_folders(study) or not (study / PACKED_FILE).is_file():
        return read_looks(study)
    return _packed_looks(study / PACKED_FILE)


def _packed_looks(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        return parse_looks(str(arrays["looks"]), str(path)) if "looks" in arrays else {"plan": None, "looks": []}


def _merged_looks(study: Path, path: Path) -> dict[str, Any]:
    """What is kept in the study's folder, with the looks that only an existing packed file has."""
    kept = read_looks(study)
    before = _packed_looks(path)["looks"] if path.is_file() else []
    looks = [*(look for look in before if look not in kept["looks"]), *kept["looks"]]
    return {**kept, "looks": sorted(looks, key=lambda look: float(look["at"]))}


def _merged_trials(study: Path, path: Path) -> list[Record]:
    """The trials of the study, with those that only an existing packed file has."""
    trials = read_trials(study)
    names = {trial.name for trial in trials}
    return [*(each for each in _packed_trials(path) if each.name not in names), *trials] if path.is_file() else trials


def _without_machine_settings(record: Record) -> Record:
    config = json.loads(json.dumps(record.config))
    for key in (*MACHINE_SPECIFIC_KEYS, *OWN_DATA_PATHS):
        *groups, last = key.split(".")
        parent = config
        for group in groups:
            parent = parent.get(group, {})
        if last in parent:
            parent[last] = None
    files = ("data.classes", *(("data.groups",) if record.config["data"].get("groups_file") else ()))
    overrides = without_keys(record.overrides, (*MACHINE_SPECIFIC_KEYS, *OWN_DATA_PATHS, *files))
    return replace(record, config=config, overrides=overrides, process={})


def without_keys(overrides: Sequence[str], keys: Sequence[str]) -> list[str]:
    """The overrides of other keys than these."""
    return [override for override in overrides if override_key(override) not in keys]


def _packed_run(arrays: Mapping[str, NDArray[Any]], number: int) -> Run:
    confusions = np.asarray(arrays[f"confusions{number}"], np.int64)
    record = parse_record(str(arrays[f"record{number}"]))
    return Run(
        record=record,
        folder=Path(str(arrays[f"folder{number}"])),
        confusions=confusions,
        images=tuple(map(str, arrays[f"images{number}"])),
        image_hashes=tuple(map(str, arrays[f"photographs{number}"])),
        groups=tuple(map(str, arrays[key])) if (key := f"groups{number}") in arrays else (),
        others={name: confusions + arrays[key] for name in WEIGHTS if (key := f"{name}{number}") in arrays},
        image_counts={
            name: np.asarray(arrays[key], np.int64)
            for name in known_image_metrics(record.config)
            if (key := f"{name}{number}") in arrays
        },
        local=False,
    )


def _read_packed(path: Path) -> tuple[list[Run], list[str]]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            runs = [_packed_run(arrays, n) for n in range(sum(name.startswith("record") for name in arrays))]
            unfinished = list(map(str, arrays["unfinished"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    problems = [
        problem for run in runs for problem in contradictions(run, run.record.classes, f"{path}, {run.record.name}")
    ]
    if problems:
        raise Contradiction(problems)
    return runs, unfinished
