"""Loads a run's weights: an exchanged file must be neither used nor published."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.config.scored_weights import scored_weights, weights_digest_key
from activation_study.errors import BadInput
from activation_study.records.record import Record

if TYPE_CHECKING:
    import keras


class WrongWeights(BadInput):
    """The file of a run's weights cannot be read, or has other weights than the recorded ones."""


def load_recorded_weights(unet: "keras.Model", record: Record, path: Path) -> None:
    """Loads weights into the network of a run. Only arrays are read from the file.

    Args:
        unet: built from the run's configuration; its weights may have changed if an error is raised.
        record: of the run.
        path: the file of its weights, by which they are named: `best.keras`, `last.keras` or `ema.keras`.

    Raises:
        WrongWeights: the file cannot be read, is not of this network, or does not have the recorded weights.
    """
    from activation_study.model.network import weights_digest

    try:
        unet.load_weights(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise WrongWeights(f"{path} cannot be read: {error}") from error
    key = "weights" if path.stem == scored_weights(record.config) else weights_digest_key(path.stem)
    recorded, found = record.digests.get(key, "none"), weights_digest(unet.get_weights())
    if found != recorded:
        raise WrongWeights(
            f"{path}: not the weights that {record.name} was recorded with "
            f"(digests.{key}: recorded {recorded[:12]}, found {found[:12]}). The file or the record was changed or "
            "exchanged: restore it, or train the run again with rerun=all"
        )
