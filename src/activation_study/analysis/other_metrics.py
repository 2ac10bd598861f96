"""Further metrics of the same predictions, and where they disagree with the primary one. Pure functions."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from activation_study.analysis.results import Arm
from activation_study.analysis.statistics.paired import Paired, paired
from activation_study.image_metrics.image_metric import ImageMetric
from activation_study.image_metrics.registry import ImageMetrics, known_image_metrics
from activation_study.metrics import Counts, Values, mean_iou, pixel_accuracy, pooled_iou

WORST = 0.1  # of the images


def dice(confusions: Counts) -> Values:
    """Mean over the classes of the truth of Dice = 2 |P ∧ T| / (|P| + |T|), pooled over the labelled pixels: [n].

    Source: Dice, Ecology 26, 1945; the F1 score of each class.

    Args:
        confusions: int64 [n, images, C + 1, C].
    """
    iou = pooled_iou(confusions.sum(axis=1))
    return np.asarray(np.nanmean(2 * iou / (1 + iou), axis=-1))  # 2 t / (|P| + |T|) with t / (|P| + |T| − t) = IoU


def frequency_weighted_iou(confusions: Counts) -> Values:
    """Mean of the classes' pooled IoU, weighted by their share of the labelled pixels: [n].

    Source: Long, Shelhamer and Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015.

    Args:
        confusions: int64 [n, images, C + 1, C].
    """
    pooled = confusions.sum(axis=1)
    true = pooled[:, :-1].sum(axis=-1)
    return np.asarray(np.nansum(true * pooled_iou(pooled), axis=-1) / true.sum(axis=-1))


def accuracy(confusions: Counts) -> Values:
    """Fraction of the labelled pixels that are predicted correctly: [n]; confusions as above."""
    return np.array([pixel_accuracy(pooled) for pooled in confusions.sum(axis=1)])


def worst_images(confusions: Counts) -> Values:
    """Mean over a run's worst tenth of images, at least one, of each image's mean IoU: [n]; confusions as above.

    An image's mean is over the classes of its own truth; images without a labelled pixel are left out.
    """
    labelled = confusions[0, :, :-1].any(axis=(-2, -1))  # the truth, which all runs share
    of_images = np.sort(mean_iou(confusions[:, labelled]), axis=1)
    return np.asarray(of_images[:, : max(round(WORST * of_images.shape[1]), 1)].mean(axis=1))


OTHER_METRICS: Mapping[str, Callable[[Counts], Values]] = {
    "Dice": dice,
    "frequency-weighted IoU": frequency_weighted_iou,
    "pixel accuracy": accuracy,
    "worst tenth of the images": worst_images,
}


def compare_other_metrics(a: Arm, b: Arm) -> dict[str, Paired]:
    """The comparison of two arms by each further metric, paired by seed, not corrected for the number of metrics.

    Args:
        a: an arm.
        b: another one, with the same seeds and images. Metrics of images are compared if both have them.
    """
    of_confusions = {name: paired(metric(a.confusions), metric(b.confusions)) for name, metric in OTHER_METRICS.items()}
    return of_confusions | {
        metric.label: paired(_scores(metric, a.image_counts[name]), _scores(metric, b.image_counts[name]))
        for name, metric in _metrics(a).items()
        if name in a.image_counts and name in b.image_counts
    }


def _scores(metric: ImageMetric, counts: Counts) -> Values:
    """The score of each seed, [n], from counts [n, images, ...]."""
    return np.array([metric.score(of_seed) for of_seed in counts])


def not_of_segmentation(arm: Arm) -> frozenset[str]:
    """The labels of the metrics of something else than the segmentation, such as the calibration error."""
    return frozenset(metric.label for metric in _metrics(arm).values() if not metric.of_segmentation)


def _metrics(arm: Arm) -> ImageMetrics:
    return known_image_metrics(arm.records[0].config if arm.records else {})


def disagreement(
    primary: Paired,
    others: Mapping[str, Paired],
    answer: str | None,
    level: float,
    margin: float,
    elsewhere: Collection[str] = (),
) -> Sequence[str]:
    """The metrics that tell another story than the answer by the primary one.

    Where a is above or below b: those that do not show it, or show the opposite. Where they are equivalent within the
    margin: those that show a larger difference. Where it is open, and not because of the correction alone: those that
    show a difference. Each is judged by its own p, which is not corrected. Metrics `elsewhere`, as of
    `not_of_segmentation`, are passed over.
    """
    others = {name: each for name, each in others.items() if name not in elsewhere}
    if answer in ("above", "below"):
        sign = 1 if answer == "above" else -1
        return [name for name, each in others.items() if each.p >= level or each.difference.value * sign < 0]
    if answer == "equivalent":
        return [name for name, each in others.items() if each.p < level and abs(each.difference.value) > margin]
    open_anyway = answer == "open" and primary.p >= level
    return [name for name, each in others.items() if open_anyway and each.p < level]
