"""A loss."""

from typing import Any

from keras import ops

from activation_study.model.losses.base import PixelLoss, one_hot


class Poly(PixelLoss):
    """−log p + ε (1 − p), p the probability of a pixel's class; 0 where it has none.

    Source: Leng et al., "PolyLoss", 2022, arXiv:2204.12511.
    """

    def __init__(self, epsilon: float = 1.0, average_over: str = "known_pixels") -> None:
        super().__init__(average_over)
        self.epsilon = epsilon

    def of_pixels(self, labels: Any, logits: Any, known: Any) -> Any:
        """The value of each pixel."""
        log_p = ops.sum(one_hot(labels, logits) * ops.log_softmax(logits, axis=-1), axis=-1)
        return known * (self.epsilon * (1.0 - ops.exp(log_p)) - log_p)
