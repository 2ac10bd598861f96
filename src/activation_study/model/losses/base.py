"""What all losses have in common: labels with unlabeled pixels, logits, float32."""

from typing import Any

import keras
from keras import ops


class SegmentationLoss(keras.losses.Loss):
    """A loss of label maps and logits; subclasses define `of_batch`.

    Takes `labels` int [N, height, width], −1 where a pixel has no class, and `logits` [N, height, width, C], and
    computes in float32 at any precision of the network.
    """

    def __init__(self) -> None:
        super().__init__(name="loss", reduction=None)

    def call(self, labels: Any, logits: Any) -> Any:
        """The loss of one batch, a scalar."""
        return self.of_batch(ops.cast(labels, "int32"), ops.cast(logits, "float32"))

    def of_batch(self, labels: Any, logits: Any) -> Any:
        """The loss of int32 labels [N, height, width] and float32 logits [N, height, width, C], a scalar."""
        raise NotImplementedError


class PixelLoss(SegmentationLoss):
    """The mean of a value of each pixel; subclasses define `of_pixels`.

    Args:
        average_over: whether the sum is divided by the number of "all_pixels" of the batch, as in the article,
            or of its "known_pixels".
    """

    def __init__(self, average_over: str = "all_pixels") -> None:
        super().__init__()
        check_option("average_over", average_over, ("all_pixels", "known_pixels"))
        self.average_over = average_over

    def of_batch(self, labels: Any, logits: Any) -> Any:
        """The mean over the pixels of the batch."""
        known = ops.cast(labels >= 0, "float32")
        count = ops.sum(known) if self.average_over == "known_pixels" else ops.cast(ops.size(labels), "float32")
        return ops.sum(self.of_pixels(labels, logits, known)) / ops.maximum(count, 1.0)

    def of_pixels(self, labels: Any, logits: Any, known: Any) -> Any:
        """The value of each pixel, [N, height, width]; `known` is 1 where it has a class, otherwise 0."""
        raise NotImplementedError


def one_hot(labels: Any, logits: Any) -> Any:
    """Labels as float32 [N, height, width, C]: all zero where a pixel has no class."""
    return ops.one_hot(labels, logits.shape[-1], dtype="float32")


def check_option(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """Raises ValueError if an argument has none of these values."""
    if value not in allowed:
        raise ValueError(f"{name}={value}: expected {' or '.join(allowed)}")
