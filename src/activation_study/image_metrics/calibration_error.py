"""Expected calibration error: how far the probability of the predicted class is from being right that often."""

import numpy as np
from numpy.typing import NDArray

from activation_study.image_metrics.image_metric import ImageMetric
from activation_study.metrics import Counts

BINS = 15  # of equal width
UNIT = 2**16  # of a confidence of 1; a power of two, so that sums are exact


def count_confidences(
    truth: NDArray[np.int16], predicted: NDArray[np.uint8], confidence: NDArray[np.float32], classes: int
) -> Counts:
    """The labelled pixels by their confidence: int64 [bins, 3]: pixels, pixels predicted correctly, sum of confidences.

    Args:
        truth: class ids int16 [height, width]; negative = unlabeled.
        predicted: class ids uint8 [height, width].
        confidence: the probability of the predicted class, float32 [height, width]; `lanczos4` may leave 0 to 1, and
            is cut off there.
        classes: not used.
    """
    known = truth >= 0
    units = np.rint(np.clip(confidence[known], 0, 1) * UNIT).astype(np.int64)
    bins = np.minimum(units * BINS // UNIT, BINS - 1)
    correct = truth[known] == predicted[known]
    counts = (
        np.bincount(bins, minlength=BINS),
        np.bincount(bins[correct], minlength=BINS),
        np.bincount(bins, weights=units, minlength=BINS),  # float64, exact up to 2⁵³
    )
    return np.stack(counts, axis=-1).astype(np.int64)


def expected_calibration_error(counts: Counts) -> float:
    """Σ_b n_b |acc_b − conf_b| / Σ_b n_b over the bins b, each pooled over the images.

    n_b are the pixels of a bin, acc_b the fraction that is predicted correctly, conf_b their mean confidence. 0 is
    perfect.

    Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.

    Args:
        counts: int64 [images, bins, 3], as of `count_confidences`.
    """
    pixels, correct, confidence = np.moveaxis(counts.sum(axis=0), -1, 0)
    total = pixels.sum()
    return float(np.abs(correct - confidence / UNIT).sum() / total) if total else float("nan")


CALIBRATION_ERROR = ImageMetric(
    "calibration_error",
    "calibration error",
    count_confidences,
    expected_calibration_error,
    of_segmentation=False,
)
