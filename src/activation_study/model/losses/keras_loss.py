"""A loss of Keras, over the pixels that have a class."""

from typing import Any

import keras

from activation_study.model.losses.base import PixelLoss, one_hot


class KerasLoss(PixelLoss):
    """A loss of Keras that has a value for each pixel, e.g. `CategoricalFocalCrossentropy`; 0 at unlabeled pixels.

    Args:
        loss: takes one-hot targets and logits.
        average_over: as of `PixelLoss`.
    """

    def __init__(self, loss: keras.losses.Loss, average_over: str) -> None:
        super().__init__(average_over)
        self.loss = loss
        shape = loss.call(keras.ops.zeros((1, 2, 2, 3)), keras.ops.zeros((1, 2, 2, 3))).shape
        if tuple(shape) != (1, 2, 2):
            raise ValueError("it has no value for each pixel, so unlabeled pixels cannot be left out")

    def of_pixels(self, labels: Any, logits: Any, known: Any) -> Any:
        """The value of each pixel."""
        return known * self.loss.call(one_hot(labels, logits), logits)
