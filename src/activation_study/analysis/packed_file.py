"""The packed file of a study: all records, confusion matrices and looks, without the paths of a machine."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from activation_study.config.identity import MACHINE_SPECIFIC_KEYS
from activation_study.config.overrides import without_keys
from activation_study.config.scored_weights import WEIGHTS
from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.image_metrics.registry import known_image_metrics
from activation_study.records.consistency import Contradiction, contradictions
from activation_study.records.looks import parse_looks
from activation_study.records.record import Record, parse_record
from activation_study.records.run import Run

PACKED_FILE = "runs.npz"
# Paths of own data: the record has what they contain.
OWN_DATA_PATHS = ("data.images", "data.labels", "data.split_files", "data.groups_file")


def write_packed(
    path: Path, runs: Sequence[Run], unfinished: Sequence[str], looks: Mapping[str, Any], trials: Sequence[Record]
) -> None:
    """Writes the file, atomically.

    Args:
        path: of the file.
        runs: finished, in their order.
        unfinished: "name: status" of each unfinished run.
        looks: the plan and the looks that were kept.
        trials: of the study's searches.
    """
    arrays: dict[str, NDArray[np.generic]] = {"unfinished": np.array(unfinished, np.str_)}
    arrays["looks"] = np.array(json.dumps(looks))
    if trials:
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


def read_packed_runs(path: Path) -> tuple[list[Run], list[str]]:
    """The runs of the file in their order, and "name: status" of each unfinished run.

    Raises:
        Contradiction: a run's record contradicts itself or its confusion matrices.
        BadInput: the file cannot be read.
    """
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


def read_packed_trials(path: Path) -> list[Record]:
    """The records of the runs of the study's searches."""
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        return [parse_record(text) for text in arrays["trials"].tolist()] if "trials" in arrays else []


def read_packed_looks(path: Path) -> dict[str, Any]:
    """The plan and the looks that were kept."""
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
        return parse_looks(str(arrays["looks"]), str(path)) if "looks" in arrays else {"plan": None, "looks": []}


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
