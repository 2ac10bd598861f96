"""A finished run's data and its network with the best weights, to look at what it predicts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.errors import BadInput
from activation_study.evaluation.evaluate import resize_and_argmax
from activation_study.model.build import build_network
from activation_study.records.artifacts import WEIGHTS_FILE
from activation_study.records.record import Record

if TYPE_CHECKING:
    from activation_study.model.network import Network


def inference_config(record: Record, threads: int | None, changes: Mapping[str, Any] | None = None) -> Config:
    """The recorded configuration, changed, to ask the best weights with, on so many threads; nothing is trained."""
    config = record.configuration(changes)
    config.threads = threads
    config.data.addresses = []  # nor downloaded
    config.training.jit_compile = "auto"
    if config.training.precision == "tensorfloat32":
        config.training.precision = "float32"
    return config


def load_network(config: Config, classes: int, weights: Path) -> "Network":
    """The network with the weights of a file.

    Raises:
        BadInput: they cannot be read.
    """
    network = build_network(config, classes)
    try:
        network.load(weights)
    except (OSError, ValueError) as error:
        raise BadInput(f"{weights} cannot be read: {error}") from error
    return network


class TrainedModel:
    """A finished run that can be asked.

    Args:
        record: its.
        folder: its.

    Raises:
        BadInput: its weights or data are not here, or not what they were. Nothing is downloaded.
    """

    def __init__(self, record: Record, folder: Path) -> None:
        self._weights = folder / WEIGHTS_FILE
        if not self._weights.is_file():
            raise BadInput(f"{record.name}: its best weights are not here")
        self._config = inference_config(record, int(record.environment["threads"]))  # the bits that were scored
        self._dataset = Dataset(self._config)
        if self._dataset.source.digest != record.digests["data"]:
            raise BadInput(f"{record.name}: the data are not those that it was trained on")
        self._index = {name: index for index, name in enumerate(self._dataset.source.names)}

    def photograph(self, name: str) -> NDArray[np.uint8]:
        """RGB uint8 [height, width, 3]."""
        return self._dataset.source.image(self._index[name])[..., ::-1]

    def truth(self, name: str) -> NDArray[np.int16]:
        """Class ids [height, width], negative = unknown."""
        return self._dataset.truth(self._index[name])

    def predictions(self, names: Sequence[str]) -> list[NDArray[Any]]:
        """The best weights' class ids [height, width] of each picture, at its label's own size.

        Raises:
            BadInput: the weights cannot be read.
        """
        network = load_network(self._config, len(self._dataset.label_type.classes), self._weights)
        images = self._dataset.preprocessed.images[[self._index[name] for name in names]]
        sizes = [self.truth(name).shape for name in names]
        return [
            resize_and_argmax(probabilities, (height, width), self._config.evaluation.interpolation)
            for probabilities, (height, width) in zip(network.predict(images), sizes, strict=True)
        ]
