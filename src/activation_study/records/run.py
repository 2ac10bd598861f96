"""A run in memory: its record together with the confusion matrices of its evaluation."""

from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from activation_study.errors import BadInput
from activation_study.metrics import Counts
from activation_study.records.artifacts import CONFUSIONS_FILE, IMAGE_HASHES_KEY
from activation_study.records.record import Record


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        record: its record.
        folder: its run folder. Only the recorded location if `local` is false.
        confusions: int64 [images, C + 1, C]; no images if the run has not been evaluated.
        images: names of the test images.
        image_hashes: a digest of the pixels of each test image.
        local: whether `folder` has the run. False if it was read from a packed study or from an MLflow store.
        run_id: its MLflow run ID, if it was looked up in a store.
    """

    record: Record
    folder: Path
    confusions: Counts = field(default_factory=lambda: np.zeros((0, 0, 0), np.int64))
    images: tuple[str, ...] = ()
    image_hashes: tuple[str, ...] = ()
    local: bool = True
    run_id: str | None = None


def read_run(folder: Path, record: Record) -> Run:
    """The run in a folder, without confusion matrices if their file is missing or damaged."""
    try:
        return read_evaluated_run(folder, record)
    except BadInput:
        return Run(record, folder)


def read_evaluated_run(folder: Path, record: Record) -> Run:
    """The run in a folder, with its confusion matrices.

    Raises:
        BadInput: the file of the confusion matrices cannot be read.
    """
    path = folder / CONFUSIONS_FILE
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Run(
                record=record,
                folder=folder,
                confusions=np.asarray(arrays["confusions"], np.int64),
                images=tuple(map(str, arrays["names"])),
                image_hashes=tuple(map(str, arrays[IMAGE_HASHES_KEY])),
            )
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise BadInput(f"{path} cannot be read: {error}; run it again with rerun=all") from error
