"""Losses of the overlap of prediction and truth."""

from typing import Any

from keras import ops

from activation_study.model.losses.base import SegmentationLoss, one_hot


class Tversky(SegmentationLoss):
    """1 − mean over images and their classes of (TP + s) / (TP + α FP + β FN + s).

    Of each image and each class that occurs in its labels, with probabilities p and truth t of 0 or 1, over the pixels
    with a class: TP = Σ p t, FP = Σ p (1 − t), FN = Σ (1 − p) t. Keras' own `Tversky` and `Dice` sum over the whole
    batch and leave out no pixels, so that a class's weight depends on the other images of its batch.
    Source: Salehi, Erdogmus, Gholipour, "Tversky loss function for image segmentation using 3D fully convolutional deep
    networks", 2017, arXiv:1706.05721.

    Args:
        alpha: the weight of false positives, at least 0.
        beta: the weight of false negatives, at least 0.
        smooth: s in pixels, above 0.
    """

    def __init__(self, alpha: float = 0.3, beta: float = 0.7, smooth: float = 1.0) -> None:
        super().__init__()
        if min(alpha, beta) < 0 or smooth <= 0:
            raise ValueError("expected alpha and beta of at least 0, and smooth above 0")
        self.alpha, self.beta, self.smooth = alpha, beta, smooth

    def of_batch(self, labels: Any, logits: Any) -> Any:
        """The loss of one batch."""
        truth = one_hot(labels, logits)
        known = ops.expand_dims(ops.cast(labels >= 0, "float32"), -1)
        predicted = ops.softmax(logits, axis=-1) * known
        true_positives = ops.sum(predicted * truth, axis=(1, 2))
        false_positives = ops.sum(predicted, axis=(1, 2)) - true_positives
        pixels = ops.sum(truth, axis=(1, 2))
        errors = self.alpha * false_positives + self.beta * (pixels - true_positives)
        index = (true_positives + self.smooth) / (true_positives + errors + self.smooth)
        occurs = ops.cast(pixels > 0, "float32")
        return 1.0 - ops.sum(occurs * index) / ops.maximum(ops.sum(occurs), 1.0)


class Dice(Tversky):
    """Tversky with α = β = 1/2: 1 − mean of (2 TP + 2 s) / (2 TP + FP + FN + 2 s), the Dice coefficient for small s.

    Source: Milletari, Navab, Ahmadi, "V-Net", 2016, arXiv:1606.04797.

    Args:
        smooth: as of `Tversky`.
    """

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__(0.5, 0.5, smooth)
