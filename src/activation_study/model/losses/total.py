"""The sum of other losses."""

from collections.abc import Sequence
from typing import Any

from activation_study.model.losses.base import SegmentationLoss


class Sum(SegmentationLoss):
    """Σ w_i L_i.

    Args:
        losses: the losses L.
        weights: the weight w of each.
    """

    def __init__(self, losses: Sequence[SegmentationLoss], weights: Sequence[float]) -> None:
        super().__init__()
        if not losses or len(losses) != len(weights):
            raise ValueError(f"{len(losses)} losses and {len(weights)} weights: expected as many weights, at least one")
        self.losses, self.weights = losses, weights

    def of_batch(self, labels: Any, logits: Any) -> Any:
        """The weighted sum of the losses of one batch."""
        weighted = zip(self.weights, self.losses, strict=True)
        return sum(weight * loss.of_batch(labels, logits) for weight, loss in weighted)
