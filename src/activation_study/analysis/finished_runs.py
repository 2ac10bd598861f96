"""The runs of a study with their confusions: from their folders, or from one file that holds them all."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.records.record import RECORD_FILE, Record, parse_record, read_record
from activation_study.records.run import Run, read_evaluated_run

PACKED_FILE = "runs.npz"
REPORT_FOLDER = "report"
# What a configuration says about one machine and nothing about a result.
MACHINE_SPECIFIC_KEYS = ("folder", "data.root", "data.archive", "data.cache", "tracking.uri")


def read_runs(study: Path) -> tuple[list[Run], list[str]]:
    """The finished runs of a study in the order of their starts, and "name: status" of those that did not finish.

    Raises:
        BadInput: something that is there cannot be read.
    """
    records = {path.parent: read_record(path.parent) for path in sorted(study.glob(f"*/{RECORD_FILE}"))}
    if not records and (study / PACKED_FILE).is_file():
        return _unpacked(study / PACKED_FILE)
    there = {folder: record for folder, record in records.items() if record is not None}
    unfinished = [f"{record.name}: {record.status}" for record in there.values() if record.status != "FINISHED"]
    runs = [read_evaluated_run(folder, record) for folder, record in there.items() if record.status == "FINISHED"]
    return sorted(runs, key=lambda run: run.record.started), unfinished


def export_study(study: Path, folder: Path) -> Path:
    """Writes all records and confusions as one file, from which a comparison can be made without the runs' folders.

    What a file that is there already holds of the same study stays, but for runs of the same names: so it grows from
    machine to machine. What says something about the machine's folders alone is left out.

    Args:
        study: its folder.
        folder: where `runs.npz` goes.

    Returns:
        The file.

    Raises:
        BadInput: the folder has runs of its own, which would count instead of the file, or its file is unreadable or
            of another study.
    """
    if any(folder.glob(f"*/{RECORD_FILE}")):
        raise BadInput(f"pack={folder}: there are runs in it; expected a folder for the one file")
    path = folder / PACKED_FILE
    runs, unfinished = read_runs(study)
    if path.is_file():
        runs, unfinished = _added(path, runs, unfinished)
    arrays: dict[str, NDArray[np.generic]] = {"unfinished": np.array(unfinished, np.str_)}
    for number, run in enumerate(runs):
        arrays[f"record{number}"] = np.array(json.dumps(asdict(_without_places(run.record))))
        arrays[f"folder{number}"] = np.array(run.folder.name)
        arrays[f"confusions{number}"] = run.confusions.astype(np.int32)  # counts of one image's pixels
        arrays[f"images{number}"] = np.array(run.images)
        arrays[f"photographs{number}"] = np.array(run.image_hashes)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)
    return path


def _added(path: Path, runs: Sequence[Run], unfinished: Sequence[str]) -> tuple[list[Run], list[str]]:
    """What the file holds, with these runs added, as `read_runs` returns it."""
    earlier, unfinished_then = _unpacked(path)
    others = {run.record.study for run in earlier} - {run.record.study for run in runs}
    if others:
        raise BadInput(f"{path} holds runs of the study {', '.join(sorted(others))}; expected one file for each study")
    names = {run.record.name for run in runs}
    every = sorted(
        [*(run for run in earlier if run.record.name not in names), *runs], key=lambda run: run.record.started
    )
    finished = {run.record.name for run in every}
    waiting = {line.partition(":")[0]: line for line in (*unfinished_then, *unfinished)}
    return every, [line for name, line in waiting.items() if name not in finished]


def _without_places(record: Record) -> Record:
    config = json.loads(json.dumps(record.config))
    for key in MACHINE_SPECIFIC_KEYS:
        *groups, last = key.split(".")
        parent = config
        for group in groups:
            parent = parent.get(group, {})
        if last in parent:
            parent[last] = None
    overrides = [each for each in record.overrides if each.lstrip("+").partition("=")[0] not in MACHINE_SPECIFIC_KEYS]
    return replace(record, config=config, overrides=overrides, process={})


def _unpacked(path: Path) -> tuple[list[Run], list[str]]:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            runs = [
                Run(
                    record=parse_record(str(arrays[f"record{number}"])),
                    folder=Path(str(arrays[f"folder{number}"])),
                    confusions=np.asarray(arrays[f"confusions{number}"], np.int64),
                    images=tuple(map(str, arrays[f"images{number}"])),
                    image_hashes=tuple(map(str, arrays[f"photographs{number}"])),
                    local=False,
                )
                for number in range(sum(name.startswith("record") for name in arrays))
            ]
            return runs, list(map(str, arrays["unfinished"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
