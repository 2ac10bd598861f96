"""A U-Net with its loss and optimizer, as training and evaluation use it."""

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from activation_study.backend import compiled_prediction, compiled_steps
from activation_study.data.images.input_convention import scale, scale_tensor
from activation_study.data.labels.label_types import Labels
from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.model.losses.base import SegmentationLoss
from activation_study.model.moving_statistics import recompute_moving_statistics
from activation_study.model.normalization import BatchNormalization
from activation_study.model.pixel_confusion import PixelConfusion
from activation_study.model.portable import portable
from activation_study.model.random_state import (
    random_states,
    reject_state_of_loss,
    reject_state_of_optimizer,
    reject_unsaved_state,
)


class Network:
    """A U-Net under training.

    Args:
        unet: from `build_unet`.
        loss: takes logits, so that softmax and cross-entropy are one operation.
        optimizer: of the configuration; its state is in its variables.
        jit_compile: whether XLA compiles whole steps.
    """

    def __init__(
        self, unet: keras.Model, loss: SegmentationLoss, optimizer: keras.Optimizer, jit_compile: bool = False
    ) -> None:
        self.unet, self._loss = unet, loss
        logits = keras.Model(unet.input, unet.get_layer("logits").output)
        images = keras.Input(unet.input_shape[1:], dtype="uint8")
        self._training = keras.Model(images, logits(scale_tensor(images)))
        self._training.compile(
            optimizer=optimizer,
            loss=loss,
            metrics=[PixelConfusion(unet.output_shape[-1])],
            jit_compile=jit_compile,
        )
        self._predict = compiled_prediction(unet)
        self._train_step, self._validation_step = compiled_steps(self._training)

    def train_on(self, images: NDArray[np.uint8], labels: Labels) -> tuple[float, NDArray[np.float32]]:
        """Takes one optimizer step on a batch; returns its loss and confusion matrix [C, C] before the step.

        Args:
            images: uint8 [N, height, width, channels], in the network's channel order.
            labels: int8 or int16 [N, height, width], −1 = unknown.
        """
        result = self._train_step(images, labels)
        return float(result["loss"]), result["confusion"]

    def validate_on(self, images: NDArray[np.uint8], labels: Labels) -> tuple[float, NDArray[np.float32]]:
        """The loss and confusion matrix [C, C] of a batch, with the moving statistics; the weights do not change."""
        result = self._validation_step(images, labels)
        return float(result["loss"]), result["confusion"]

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Probabilities float32 [N, height, width, C] of images uint8 [N, height, width, channels]."""
        result: NDArray[np.float32] = self._predict(scale(images))
        return result

    def recompute_statistics(self, batches: Iterable[NDArray[np.uint8]]) -> None:
        """Computes the moving statistics anew for the present weights (`recompute_moving_statistics`).

        Args:
            batches: images uint8 [N, height, width, channels].
        """
        random_state = self.random_state()
        self.set_random_state([np.zeros_like(state) for state in random_state])  # repeating it gives the same bits
        try:
            recompute_moving_statistics(self.unet, (scale(images) for images in batches))
        finally:
            self.set_random_state(random_state)

    @property
    def learning_rate(self) -> float:
        """The optimizer's learning rate."""
        return float(ops.convert_to_numpy(self._training.optimizer.learning_rate))

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._training.optimizer.learning_rate = value

    def weights(self) -> list[NDArray[Any]]:
        """A copy of all weights, moving statistics included."""
        return [np.array(weight) for weight in self.unet.get_weights()]

    def set_weights(self, weights: list[NDArray[Any]]) -> None:
        """Restores a copy from `weights()`."""
        self.unet.set_weights(weights)

    def optimizer_state(self) -> list[NDArray[Any]]:
        """A copy of the optimizer's variables: moments, step, learning rate, loss scale."""
        return [np.array(ops.convert_to_numpy(variable)) for variable in self._training.optimizer.variables]

    def set_optimizer_state(self, values: list[NDArray[Any]]) -> None:
        """Restores a copy from `optimizer_state()`."""
        for variable, value in zip(self._training.optimizer.variables, values, strict=True):
            variable.assign(value)

    def random_state(self) -> list[NDArray[Any]]:
        """A copy of the states of the network's seed generators, e.g. those of Dropout."""
        return [np.array(ops.convert_to_numpy(variable)) for variable in random_states(self.unet)]

    def set_random_state(self, values: list[NDArray[Any]]) -> None:
        """Restores a copy from `random_state()`."""
        for variable, value in zip(random_states(self.unet), values, strict=True):
            variable.assign(value)

    def check_resumable(self) -> None:
        """Raises BadInput if a training step changes state that none of these copies has."""
        reject_unsaved_state(self.unet)
        reject_state_of_optimizer(self._training.optimizer, self.unet.weights)
        reject_state_of_loss(self._loss, self.unet.get_layer("logits").output)

    def check_saveable(self) -> None:
        """Raises BadInput if the network could not be written as a file at the end."""
        try:
            portable(self.unet)
        except Exception as error:  # whatever a class raises
            raise BadInput(
                f"the network could not be saved: {error}. Layers and initializers of your own need get_config, and "
                '@keras.saving.register_keras_serializable("NAME")'
            ) from error

    def load(self, path: Path) -> None:
        """Loads the weights of a `.keras` file of the same U-Net.

        Raises:
            OSError, ValueError: the file is missing, damaged or of another network; some weights may have changed.
        """
        try:
            self.unet.load_weights(path)
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(f"{path}: {error}") from error

    def save(self, path: Path) -> None:
        """Writes the U-Net as a `.keras` file, atomically; see `portable`."""
        with replacing(path) as temporary:
            portable(self.unet).save(temporary)


def weights_digest(weights: list[NDArray[Any]]) -> str:
    """The SHA-256 of all weights in order: equal digests mean equal bits."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(str(weight.shape).encode() + np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()


def shared_weights_digest(unet: keras.Model) -> str:
    """The SHA-256 of the layers that every activation shares: convolutions and normalisations."""
    return _digest_of_layers(unet, (keras.layers.Conv2D, BatchNormalization))


def convolutions_digest(unet: keras.Model) -> str:
    """The SHA-256 of the convolutions alone, which networks share that differ in other layers."""
    return _digest_of_layers(unet, (keras.layers.Conv2D,))


def _digest_of_layers(unet: keras.Model, types: tuple[type, ...]) -> str:
    layers = sorted((layer for layer in unet.layers if type(layer) in types), key=lambda layer: layer.name)
    return weights_digest([weight for layer in layers for weight in layer.get_weights()])
