"""Loads finished runs: configuration, network with the scored weights, data."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config
from activation_study.config.scored_weights import scored_weights, weights_file
from activation_study.data.dataset import Dataset
from activation_study.data.images.input_convention import displayed
from activation_study.errors import BadInput
from activation_study.evaluation.evaluate import resize_and_argmax
from activation_study.keras_import import usable_backend
from activation_study.model.build import build_network
from activation_study.records.record import Record
from activation_study.records.weights import load_recorded_weights

if TYPE_CHECKING:
    from activation_study.model.network import Network


def inference_config(record: Record, threads: int | None, changes: Mapping[str, Any] | None = None) -> Config:
    """The recorded configuration with `changes`, adapted to inference on this machine.

    Args:
        record: of the run.
        threads: as in the configuration; None = one per core.
        changes: values that replace recorded ones, in the same nesting.
    """
    config = record.configuration(changes)
    config.threads = threads
    config.data.addresses = []  # do not download
    config.training.jit_compile = "auto"
    if config.training.precision == "tensorfloat32":
        config.training.precision = "float32"
    return config


def load_network(config: Config, record: Record, weights: Path, backend: str | None = None) -> "Network":
    """The network of a run with the weights of a file.

    Args:
        config: from `inference_config`.
        record: of the run.
        weights: the file of its weights.
        backend: that must be used; None: that of KERAS_BACKEND if it can be used, otherwise TensorFlow.

    Raises:
        BadInput: the file cannot be read, is not of this network, or does not have the recorded weights; the backend
            cannot be used.
    """
    network = build_network(config, len(record.classes), backend or usable_backend())
    load_recorded_weights(network.unet, record, weights)
    return network


class TrainedModel:
    """The data and scored weights of a finished run.

    Args:
        record: of the run.
        folder: of the run.

    Raises:
        BadInput: weights or data are missing or have changed. Nothing is downloaded.
    """

    def __init__(self, record: Record, folder: Path) -> None:
        self._record, self._weights = record, folder / weights_file(scored_weights(record.config))
        if not self._weights.is_file():
            raise BadInput(f"{record.name}: its weights are missing")
        without_groups = {"data": dict.fromkeys(("groups", "groups_file", "groups_digest"))}  # no split is needed
        threads = int(record.environment["threads"])  # so that the bits are the same
        self._config = inference_config(record, threads, without_groups)
        self._dataset = Dataset(self._config)
        if self._dataset.source.digest != record.digests["data"]:
            raise BadInput(f"{record.name}: the data differ from those of its training")
        self._index = {name: index for index, name in enumerate(self._dataset.source.names)}

    def image(self, name: str) -> NDArray[np.uint8]:
        """The image as people see it, RGB uint8 [height, width, 3]."""
        return displayed(self._dataset.source.image(self._index[name]))

    def truth(self, name: str) -> NDArray[np.int16]:
        """The true class ids [height, width], negative = unknown."""
        return self._dataset.truth(self._index[name])

    def predictions(self, names: Sequence[str]) -> list[NDArray[Any]]:
        """The predicted class ids [height, width] of each image, at the size of its label.

        Raises:
            BadInput: the weights cannot be read.
        """
        network = load_network(self._config, self._record, self._weights)
        images = self._dataset.preprocessed.images[[self._index[name] for name in names]]
        sizes = [self.truth(name).shape for name in names]
        return [
            resize_and_argmax(probabilities, (height, width), self._config.evaluation.interpolation)
            for probabilities, (height, width) in zip(network.predict(images), sizes, strict=True)
        ]
