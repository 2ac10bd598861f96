"""The pixel counts that all training metrics are computed from.

They take `labels` int [N, height, width], −1 where a pixel has no class, and `logits` [N, height, width, C], and
compute in float32 at any precision of the network.
"""

from typing import Any

import keras
from keras import ops


class PixelConfusion(keras.metrics.Metric):
    """Pixel counts [C, C], row = truth, column = prediction; pixels without a class are excluded.

    Counted as a product of one-hot matrices, whose float32 sums are exact below 2²⁴ pixels per batch
    and equal on every backend; scattered additions are not deterministic on GPUs.
    """

    def __init__(self, classes: int) -> None:
        super().__init__(name="confusion", dtype="float32")
        self.classes = classes
        self.counts = self.add_weight(shape=(classes, classes), initializer="zeros", name="counts")

    def update_state(self, labels: Any, logits: Any, sample_weight: Any = None) -> None:
        """Adds a batch."""
        truth = ops.reshape(ops.one_hot(ops.cast(labels, "int32"), self.classes, dtype="float32"), (-1, self.classes))
        predicted = ops.argmax(ops.cast(logits, "float32"), axis=-1)
        predicted = ops.reshape(ops.one_hot(predicted, self.classes, dtype="float32"), (-1, self.classes))
        self.counts.assign_add(ops.matmul(ops.transpose(truth), predicted))

    def result(self) -> Any:
        """The counts so far."""
        return self.counts.value
