"""A metric of images: integer counts of each image, and the score of all of them together."""

import numpy as np

from activation_study.image_metrics.image_metric import ImageMetric


def count_areas(truth, predicted, confidence, classes):
    """The labelled pixels of each class, true and predicted: int64 [C, 2]."""
    known = truth >= 0
    areas = (np.bincount(ids[known], minlength=classes) for ids in (truth, predicted))
    return np.stack(list(areas), axis=-1).astype(np.int64)


def area_error(counts):
    """Mean over the images of Σ_c |predicted − true| / (2 · labelled pixels), between 0 and 1."""
    true, predicted = counts[..., 0], counts[..., 1]
    return float((np.abs(predicted - true).sum(axis=1) / (2 * np.maximum(true.sum(axis=1), 1))).mean())


AREA_ERROR = ImageMetric("area_error", "area error", count_areas, area_error, of_segmentation=False)
