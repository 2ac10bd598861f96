"""What a metric of images is: integer counts of each image, and the score of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.metrics import Counts

# (truth int16 [height, width], negative = unlabeled; predicted uint8 [height, width]; confidence float32
# [height, width], the probability of the predicted class; number of classes C) → int64 [...]
Count = Callable[[NDArray[np.int16], NDArray[np.uint8], NDArray[np.float32], int], Counts]


@dataclass(frozen=True)
class ImageMetric:
    """A metric of one network on images.

    The counts are kept for each image, so that the metric can be computed anew for any choice of images. They are
    integers, so that their sums do not depend on an order.

    Args:
        name: of the result in record and MLflow, after the name of the part, and of the array of the counts.
        label: in tables.
        count: the counts of one image, all at the size of its label.
        score: of counts [images, ...]; NaN if it is not defined for them.
        of_segmentation: whether a higher score is a better segmentation, as with the mean IoU.
    """

    name: str
    label: str
    count: Count
    score: Callable[[Counts], float]
    of_segmentation: bool
