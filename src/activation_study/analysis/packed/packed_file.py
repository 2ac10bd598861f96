"""The packed file of a study: all records, confusion matrices and looks, without the paths of a machine."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from activation_study.config.command_line.overrides import without_keys
from activation_study.config.identity import MACHINE_SPECIFIC_KEYS
from activation_study.config.scored_weights import WEIGHTS
from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.image_metrics.registry import known_image_metrics
from activation_study.records.consistency import Contradiction, contradictions
from activation_study.records.looks import parse_looks
from activation_study.records.planned_runs import PlannedRun, parse_planned
from activation_study.records.record import Record, parse_record
from activation_study.records.run import Run

PACKED_FILE = "runs.npz"
# Paths of own data: the record has what they contain.
OWN_DATA_PATHS = ("data.images", "data.labels", "data.split_files", "data.groups_file")


@dataclass(frozen=True)
class PackedStudy:
    """What the file has.

    Args:
        runs: finished, in the order they were planned in.
        unfinished: "name: status" of each unfinished run.
        trials: those of the study's searches that have ended.
        looks: the plan and the looks that were kept, as of `read_looks`.
        planned: the runs that sweeps have planned, by the keys that their names end with.
    """

    runs: Sequence[Run]
    unfinished: Sequence[str]
    trials: Sequence[Record]
    looks: dict[str, Any]
    planned: Mapping[str, PlannedRun]


def write_packed(path: Path, study: PackedStudy) -> None:
    """Writes the file, atomically."""
    arrays: dict[str, NDArray[np.generic]] = {"unfinished": np.array(study.unfinished, np.str_)}
    arrays["looks"] = np.array(json.dumps(study.looks))
    arrays["planned"] = np.array(json.dumps({key: asdict(run) for key, run in study.planned.items()}))
    if study.trials:
        arrays["trials"] = np.array([json.dumps(asdict(_without_machine_settings(trial))) for trial in study.trials])
    for number, run in enumerate(study.runs):
        arrays |= _arrays(run, number)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def _arrays(run: Run, number: int) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {
        "record": np.array(json.dumps(asdict(_without_machine_settings(run.record)))),
        "folder": np.array(run.folder.name),
        "confusions": run.confusions.astype(np.int32),  # counts of one image's pixels
        "images": np.array(run.images),
        "photographs": np.array(run.image_hashes),
        **({"groups": np.array(run.groups)} if run.groups else {}),
        **({"training": np.array(run.training_hashes)} if run.training_hashes else {}),
        # differences, which are small, and compress well
        **{name: (counts - run.confusions).astype(np.int32) for name, counts in run.others.items()},
        **run.image_counts,
    }
    return {f"{name}{number}": array for name, array in arrays.items()}


def read_packed(path: Path) -> PackedStudy:
    """The whole file.

    Raises:
        Contradiction: a run's record contradicts itself or its confusion matrices.
        BadInput: the file cannot be read.
    """
    runs, unfinished = read_packed_runs(path)
    return PackedStudy(runs, unfinished, read_packed_trials(path), read_packed_looks(path), read_packed_plan(path))


def read_packed_runs(path: Path) -> tuple[list[Run], list[str]]:
    """The runs of the file in their order, and "name: status" of each unfinished run.

    Raises:
        Contradiction: a run's record contradicts itself or its confusion matrices.
        BadInput: the file cannot be read.
    """
    with _reading(path) as arrays:
        runs = [_packed_run(arrays, n) for n in range(sum(name.rstrip("0123456789") == "record" for name in arrays))]
        unfinished = list(map(str, arrays["unfinished"]))
    problems = [
        problem for run in runs for problem in contradictions(run, run.record.classes, f"{path}, {run.record.name}")
    ]
    if problems:
        raise Contradiction(problems)
    return runs, unfinished


def read_packed_trials(path: Path) -> list[Record]:
    """The records of the trials of the study's searches."""
    with _reading(path) as arrays:
        return [parse_record(text) for text in arrays["trials"].tolist()] if "trials" in arrays else []


def read_packed_looks(path: Path) -> dict[str, Any]:
    """The plan and the looks that were kept."""
    with _reading(path) as arrays:
        return parse_looks(str(arrays["looks"]), str(path)) if "looks" in arrays else {"plan": None, "looks": []}


def read_packed_plan(path: Path) -> dict[str, PlannedRun]:
    """The runs that sweeps have planned; files of earlier versions have none."""
    with _reading(path) as arrays:
        return parse_planned(str(arrays["planned"])) if "planned" in arrays else {}


@contextmanager
def _reading(path: Path) -> Iterator[Mapping[str, NDArray[Any]]]:
    """The arrays of the file; what is wrong with it is a BadInput."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except (OSError, EOFError, zlib.error, BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


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
        training_hashes=tuple(map(str, arrays[key])) if (key := f"training{number}") in arrays else (),
        others={name: confusions + arrays[key] for name in WEIGHTS if (key := f"{name}{number}") in arrays},
        image_counts={
            name: np.asarray(arrays[key], np.int64)
            for name in known_image_metrics(record.config)
            if (key := f"{name}{number}") in arrays
        },
        local=False,
    )


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
