"""A run in memory: its record together with the confusion matrices of its evaluation."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from activation_study.class_findings import ClassFindings, class_findings
from activation_study.config.scored_weights import WEIGHTS
from activation_study.errors import BadInput
from activation_study.image_metrics.registry import known_image_metrics
from activation_study.metrics import Counts, scored_parts
from activation_study.records.artifacts import (
    CONFUSIONS_FILE,
    GROUPS_KEY,
    IMAGE_HASHES_KEY,
    OTHER_WEIGHTS,
    TRAINING_HASHES_KEY,
)
from activation_study.records.consistency import Contradiction, contradictions, record_problems
from activation_study.records.record import RECORD_FILE, Record, read_record


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        record: its record.
        folder: its run folder. Only the recorded location if `local` is false.
        confusions: int64 [images, C + 1, C]; no images if the run has not been evaluated.
        images: names of the test images.
        image_hashes: a digest of the pixels of each test image.
        groups: the group of each test image; empty without `data.groups`.
        others: the confusion matrices of the weights that the result is not about, by their names.
        training_hashes: a digest of the pixels of each training image; runs of earlier versions, and evaluations, have
            none.
        image_counts: the counts of each image by the names of their metrics; runs of earlier versions have none.
        local: whether `folder` has the run. False if it was read from a packed study or from an MLflow store.
        run_id: its MLflow run ID, if it was looked up in a store.
    """

    record: Record
    folder: Path
    confusions: Counts = field(default_factory=lambda: np.zeros((0, 0, 0), np.int64))
    images: tuple[str, ...] = ()
    image_hashes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    training_hashes: tuple[str, ...] = ()
    others: dict[str, Counts] = field(default_factory=dict)
    image_counts: dict[str, Counts] = field(default_factory=dict)
    local: bool = True
    run_id: str | None = None

    @property
    def findings(self) -> ClassFindings:
        """What stands out in the classes of its predictions."""
        part = next(iter(scored_parts(self.record.results)), "test")
        pooled, classes = self.confusions.sum(axis=0), tuple(self.record.classes)
        return class_findings(pooled, classes, part, self.record.training_pixels)


def read_run(folder: Path, record: Record) -> Run:
    """The run in a folder, without confusion matrices if their file is missing or damaged.

    Raises:
        Contradiction: the record of a finished run contradicts itself or the confusion matrices.
    """
    try:
        return read_evaluated_run(folder, record)
    except Contradiction:
        raise
    except BadInput:
        problems = list(record_problems(record)) if record.status == "FINISHED" else []
        if problems:
            raise Contradiction([f"{folder / RECORD_FILE}: {problem}" for problem in problems]) from None
        return Run(record, folder)


def read_evaluated_run(folder: Path, record: Record) -> Run:
    """The run in a folder, with its confusion matrices.

    Raises:
        Contradiction: the record of a finished run contradicts itself or the confusion matrices.
        BadInput: the file of the confusion matrices cannot be read.
    """
    path = folder / CONFUSIONS_FILE
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            classes = list(map(str, arrays["classes"]))
            run = Run(
                record=record,
                folder=folder,
                confusions=np.asarray(arrays["confusions"], np.int64),
                images=tuple(map(str, arrays["names"])),
                image_hashes=tuple(map(str, arrays[IMAGE_HASHES_KEY])),
                groups=tuple(map(str, arrays[GROUPS_KEY])) if GROUPS_KEY in arrays else (),
                training_hashes=tuple(map(str, arrays[TRAINING_HASHES_KEY])) if TRAINING_HASHES_KEY in arrays else (),
                others=_other_confusions(arrays),
                image_counts={
                    name: np.asarray(arrays[name], np.int64)
                    for name in known_image_metrics(record.config)
                    if name in arrays
                },
            )
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise BadInput(f"{path} cannot be read: {error}; run it again with rerun=all") from error
    if record.status == "FINISHED":
        place = str(folder / RECORD_FILE)
        problems = contradictions(run, classes, place)
        if problems:
            raise Contradiction(problems)
    return run


def _other_confusions(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Counts]:
    names = [f"{OTHER_WEIGHTS}{name}" for name in WEIGHTS]
    return {name.removeprefix(OTHER_WEIGHTS): np.asarray(arrays[name], np.int64) for name in names if name in arrays}


def read_findings(folder: Path, record: Record) -> ClassFindings | None:
    """What stands out in the classes of a finished run; None if it is not finished or its files cannot be read."""
    if record.status == "FINISHED":
        with suppress(BadInput):
            return read_evaluated_run(folder, record).findings
    return None


def finished_records(folders: Iterable[Path]) -> Iterator[tuple[Path, Record]]:
    """Folder and record of each finished run; unreadable ones are left to whoever needs them."""
    for folder in folders:
        with suppress(BadInput):
            record = read_record(folder)
            if record is not None and record.status == "FINISHED":
                yield folder, record


def read_all(records: Iterable[tuple[Path, Record]], read: Callable[[Path, Record], Run] = read_run) -> list[Run]:
    """The runs with these folders and records, in that order.

    Raises:
        Contradiction: names all records that contradict themselves or their confusion matrices.
    """
    runs: list[Run] = []
    problems: list[str] = []
    for folder, record in records:
        try:
            runs.append(read(folder, record))
        except Contradiction as error:
            problems += error.problems
    if problems:
        raise Contradiction(problems)
    return runs
