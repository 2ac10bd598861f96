"""Boundary IoU: how well the contours of the classes are found."""

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.label_types import border_map
from activation_study.image_metrics.image_metric import ImageMetric
from activation_study.metrics import Counts, iou

DISTANCE = 0.02  # of the image's diagonal


def distance(height: int, width: int) -> int:
    """How far from a contour a pixel may be, in pixels: 2 % of the image's diagonal, at least 1."""
    return max(1, round(DISTANCE * float(np.hypot(height, width))))


def count_boundaries(
    truth: NDArray[np.int16], predicted: NDArray[np.uint8], confidence: NDArray[np.float32], classes: int
) -> Counts:
    """Pixels near a contour of each class: int64 [C, 3]: |T_d ∧ P_d|, |T_d|, |P_d|.

    T_d are the pixels of a class in the truth with another class, or the edge of the image, at most d = `distance`
    rows and columns away; P_d likewise of the prediction. Unlabeled pixels are left out, and what borders on them is
    no contour, since nobody said where the class ends there.

    Args:
        truth: class ids int16 [height, width]; negative = unlabeled.
        predicted: class ids uint8 [height, width].
        confidence: not used.
        classes: the number of classes C.
    """
    shown = np.where(truth < 0, truth, predicted.astype(np.int16))
    near_truth, near_shown = (_near_contour(ids, classes) for ids in (truth, shown))
    masks = (near_truth & near_shown & (truth == shown), near_truth, near_shown)
    ids = (truth, truth, shown)
    counts = [np.bincount(each[mask], minlength=classes) for each, mask in zip(ids, masks, strict=True)]
    return np.stack(counts, axis=-1).astype(np.int64)


def _near_contour(ids: NDArray[np.int16], classes: int) -> NDArray[np.bool_]:
    """Whether each pixel is near a contour of its own class: [height, width]. Outside of the image is another class."""
    around = np.pad(ids, 1, constant_values=classes)
    return border_map(around, distance(*ids.shape))[1:-1, 1:-1] == 1


def boundary_iou(counts: Counts) -> float:
    """Mean over the classes of the truth of |T_d ∧ P_d| / |T_d ∨ P_d|, each pooled over the images.

    Source: Cheng, Girshick, Dollár, Berg and Kirillov, "Boundary IoU: Improving Object-Centric Image Segmentation
    Evaluation", CVPR 2021. They score one object at a time; here, as in the mean IoU, a class's pixels are pooled.

    Args:
        counts: int64 [images, C, 3], as of `count_boundaries`.
    """
    both, true, predicted = np.moveaxis(counts.sum(axis=0), -1, 0)
    values = iou(both, true, predicted)[true > 0]
    return float(values.mean()) if len(values) else float("nan")


BOUNDARY_IOU = ImageMetric("boundary_iou", "boundary IoU", count_boundaries, boundary_iou, of_segmentation=True)
