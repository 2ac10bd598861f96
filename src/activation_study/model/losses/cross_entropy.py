"""The loss of the article on integer label maps.

It takes `labels` int [N, height, width], −1 where the one-hot target of the article is all zero, and
`logits` [N, height, width, C], and computes in float32 at any precision of the network.
"""

from typing import Any

import keras
from keras import ops


class SegmentationLoss(keras.losses.Loss):
    """Cross-entropy over pixels: lse(z) − z_y where the class y is known, lse = log-sum-exp of the logits z.

    A pixel without a class has value 0. Its gradient depends on `unlabeled`:

    - "article": softmax(z), as all-zero targets have in TensorFlow's fused operation; written out as
      lse(z) − stop_gradient(lse(z)).
    - "ignored": 0.

    TensorFlow's deterministic operations would silently turn the first into the second (measured,
    docs/explanation/protocol.md); this form does not depend on them.

    Args:
        unlabeled: "article" or "ignored".
        average_over: whether the sum is divided by the number of "all_pixels" of the batch, as in the article,
            or of its "known_pixels".
    """

    def __init__(self, unlabeled: str = "article", average_over: str = "all_pixels") -> None:
        super().__init__(name="loss", reduction=None)
        self.unlabeled = unlabeled
        self.average_over = average_over

    def call(self, labels: Any, logits: Any) -> Any:
        """The loss of one batch, a scalar."""
        logits = ops.cast(logits, "float32")
        labels = ops.cast(labels, "int32")
        known = ops.cast(labels >= 0, "float32")
        lse = ops.logsumexp(logits, axis=-1)
        # one_hot of −1 is all zero, so the true class' logit of an unknown pixel counts as 0.
        true_logit = ops.sum(ops.one_hot(labels, logits.shape[-1], dtype="float32") * logits, axis=-1)
        values = known * lse - true_logit
        if self.unlabeled == "article":
            values = values + (1.0 - known) * (lse - ops.stop_gradient(lse))
        count = ops.sum(known) if self.average_over == "known_pixels" else ops.cast(ops.size(labels), "float32")
        return ops.sum(values) / ops.maximum(count, 1.0)
