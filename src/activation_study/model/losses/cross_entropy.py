"""Cross-entropy: the article's, and one with weights of the classes."""

import statistics
from collections.abc import Sequence
from typing import Any

from keras import ops

from activation_study.model.losses.base import PixelLoss, check_option, one_hot

MEDIAN_FREQUENCY = "median_frequency"


class CrossEntropy(PixelLoss):
    """Cross-entropy over pixels: lse(z) − z_y where the class y is known, lse = log-sum-exp of the logits z.

    A pixel without a class has value 0. Its gradient depends on `unlabeled`:

    - "article": softmax(z), as all-zero targets have in TensorFlow's fused operation; written out as
      lse(z) − stop_gradient(lse(z)).
    - "ignored": 0.

    TensorFlow's deterministic operations would silently turn the first into the second (measured,
    docs/explanation/protocol.md); this form does not depend on them.

    Args:
        unlabeled: "article" or "ignored".
        average_over: as of `PixelLoss`.
    """

    def __init__(self, unlabeled: str = "article", average_over: str = "all_pixels") -> None:
        super().__init__(average_over)
        check_option("unlabeled", unlabeled, ("article", "ignored"))
        self.unlabeled = unlabeled

    def of_pixels(self, labels: Any, logits: Any, known: Any) -> Any:
        """The value of each pixel."""
        lse = ops.logsumexp(logits, axis=-1)
        # one_hot of −1 is all zero, so the true class' logit of an unknown pixel counts as 0.
        values = known * lse - ops.sum(one_hot(labels, logits) * logits, axis=-1)
        if self.unlabeled == "article":
            values = values + (1.0 - known) * (lse - ops.stop_gradient(lse))
        return values


class WeightedCrossEntropy(PixelLoss):
    """w_y (lse(z) − z_y) where the class y is known, otherwise 0.

    Source of the median frequency: Eigen, Fergus, "Predicting Depth, Surface Normals and Semantic Labels with a
    Common Multi-Scale Convolutional Architecture", ICCV 2015.

    Args:
        class_weights: a number above 0 for each class, or "median_frequency": w_c = median of n / n_c, with the numbers
            n of training pixels of the classes that occur; 1 for a class that does not.
        class_pixels: these numbers, for each class.
        average_over: as of `PixelLoss`.
    """

    def __init__(
        self,
        class_weights: str | Sequence[float] = MEDIAN_FREQUENCY,
        class_pixels: Sequence[int] = (),
        average_over: str = "known_pixels",
    ) -> None:
        super().__init__(average_over)
        if isinstance(class_weights, str):
            check_option("class_weights", class_weights, (MEDIAN_FREQUENCY,))
            class_weights = median_frequency(class_pixels)
        if not all(weight > 0 for weight in class_weights):
            raise ValueError(f"class_weights={list(class_weights)}: expected numbers above 0")
        if class_pixels and len(class_weights) != len(class_pixels):
            raise ValueError(f"class_weights: {len(class_weights)} numbers for {len(class_pixels)} classes")
        self.class_weights = [float(weight) for weight in class_weights]

    def of_pixels(self, labels: Any, logits: Any, known: Any) -> Any:
        """The value of each pixel."""
        truth = one_hot(labels, logits)
        weights = ops.sum(truth * ops.convert_to_tensor(self.class_weights, dtype="float32"), axis=-1)
        return weights * (ops.logsumexp(logits, axis=-1) - ops.sum(truth * logits, axis=-1))


def median_frequency(class_pixels: Sequence[int]) -> list[float]:
    """The weight of each class: the median of the numbers of pixels divided by its own.

    Args:
        class_pixels: the number of training pixels of each class.
    """
    median = statistics.median([pixels for pixels in class_pixels if pixels] or [1])
    return [median / pixels if pixels else 1.0 for pixels in class_pixels]
