"""Which of the images that are scored a run was trained on."""

import numpy as np

from activation_study.config.schema import Data
from activation_study.data.dataset import Dataset
from activation_study.data.splitting.splits import Indices
from activation_study.errors import BadInput
from activation_study.outcome import warn
from activation_study.records.record import Record
from activation_study.records.run import Run


def warn_of_trained_images(run: Run, data: Data, dataset: Dataset, indices: Indices, part: str) -> None:
    """Warns if images that are scored were in the run's training part, if these are not asked for.

    Args:
        run: that is scored.
        data: the configuration of the data.
        dataset: the data.
        indices: of the images that are scored.
        part: that was asked for.
    """
    trained = run.record
    if dataset.source.digest != trained.digests["data"]:
        known = set(run.training_hashes)  # runs of earlier versions have none
        hashes = dataset.preprocessed.image_hashes(indices) if known else []
        _warn_of(sum(each in known for each in hashes), f"{len(indices)} images", trained)
    elif part in ("test", "validation"):
        trained_on = _trained_on(trained, data, dataset)
        count = 0 if trained_on is None else int(np.isin(indices, trained_on).sum())
        _warn_of(count, f"{len(indices)} {part} images of this split", trained)


def _warn_of(count: int, among: str, trained: Record) -> None:
    if count:
        warn(
            f"{count} of the {among} were in the training part of {trained.name}: these scores are too high for "
            "unseen images"
        )


def _trained_on(trained: Record, data: Data, dataset: Dataset) -> Indices | None:
    """The training images of a run on the same data set; None with a warning if its split cannot be made again."""
    then = trained.configuration().data
    if data.split_digest == then.split_digest:  # the same lists, which may be elsewhere now
        then.split_files = data.split_files
    if data.groups_digest == then.groups_digest:
        then.groups_file = data.groups_file
    try:
        return dataset.split_by(then).train
    except BadInput as error:  # e.g. its split files are gone
        warn(f"cannot tell which images {trained.name} was trained on: {error}")
        return None
