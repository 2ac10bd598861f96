"""The metrics of images that are computed for the scored weights of each run."""

from collections.abc import Mapping

import numpy as np

from activation_study.image_metrics.boundary_iou import BOUNDARY_IOU
from activation_study.image_metrics.calibration_error import CALIBRATION_ERROR
from activation_study.image_metrics.image_metric import ImageMetric
from activation_study.metrics import Counts

IMAGE_METRICS: Mapping[str, ImageMetric] = {metric.name: metric for metric in (BOUNDARY_IOU, CALIBRATION_ERROR)}


def image_scores(image_counts: Mapping[str, Counts]) -> dict[str, float]:
    """The score of each metric, by its name; without those that are not defined for the images.

    Args:
        image_counts: the counts [images, ...] of each metric, by its name.
    """
    scores = {name: IMAGE_METRICS[name].score(counts) for name, counts in image_counts.items()}
    return {name: score for name, score in scores.items() if not np.isnan(score)}
