"""The metrics of images that are computed for the scored weights of each run."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from activation_study import plugins
from activation_study.errors import BadInput
from activation_study.image_metrics.boundary_iou import BOUNDARY_IOU
from activation_study.image_metrics.calibration_error import CALIBRATION_ERROR
from activation_study.image_metrics.image_metric import ImageMetric
from activation_study.metrics import Counts

IMAGE_METRICS: Mapping[str, ImageMetric] = {metric.name: metric for metric in (BOUNDARY_IOU, CALIBRATION_ERROR)}
# Names of other results, and of other arrays beside the counts.
RESERVED = (
    *("mean_iou", "article_mean_iou", "pixel_accuracy", "mean_class_accuracy", "article", "iou", "best", "last", "ema"),
    *("confusions", "classes", "names", "groups", "photographs", "image_hashes", "record", "folder", "images", "looks"),
    *("unfinished", "trials", "planned", "training", "training_photographs"),
    *("confusions_best", "confusions_last", "confusions_ema"),
)
ImageMetrics = Mapping[str, ImageMetric]


def image_metrics(names: Sequence[str]) -> ImageMetrics:
    """The metrics of a run, by their names: the built-in ones and those of plug-ins.

    Args:
        names: `evaluation.metrics` of its configuration, e.g. my_parts.metrics.AREA_ERROR.

    Raises:
        BadInput: a module is not allowed, or has no metric of that name, or two metrics have one name.
    """
    found = dict(IMAGE_METRICS)
    for target in names:
        metric = _metric(target)
        if not metric.name.isidentifier() or metric.name[-1].isdigit() or metric.name in {*found, *RESERVED}:
            raise BadInput(f"evaluation.metrics: {target} is called {metric.name}; expected another plain name")
        _check_counts(target, metric)
        found[metric.name] = metric
    return found


def known_image_metrics(config: Mapping[str, Any]) -> ImageMetrics:
    """Likewise of a recorded configuration, without those of plug-ins that the user has not allowed."""
    names = config.get("evaluation", {}).get("metrics", [])
    return image_metrics([name for name in names if plugins.contents(name.rpartition(".")[0]) is not None])


def require_metrics(config: Mapping[str, Any], who: str) -> None:
    """Raises BadInput if a recorded configuration has metrics of plug-ins that the user has not allowed."""
    names = config.get("evaluation", {}).get("metrics", [])
    plugins.require(sorted({name.rpartition(".")[0] for name in names}), who)


def image_scores(metrics: ImageMetrics, image_counts: Mapping[str, Counts]) -> dict[str, float]:
    """The score of each metric, by its name; without those that are not defined for the images.

    Args:
        metrics: of the run.
        image_counts: the counts [images, ...] of each metric, by its name.
    """
    scores = {name: float(metrics[name].score(counts)) for name, counts in image_counts.items()}
    return {name: score for name, score in scores.items() if np.isfinite(score)}


@cache  # metrics are asked for with each record that is read
def _check_counts(target: str, metric: ImageMetric) -> None:
    """Raises BadInput if a metric cannot count a small image, or does not count in integers."""
    truth, ids = np.array([[0, 1, -1], [1, 0, 0]], np.int16), np.array([[0, 1, 1], [0, 0, 1]], np.uint8)
    try:
        counts = np.asarray(metric.count(truth, ids, np.full((2, 3), 0.75, np.float32), 2))
        float(metric.score(counts[None]))
    except Exception as error:  # whatever it raises
        raise BadInput(f"evaluation.metrics: {target} fails on a small image: {error!r}") from error
    if counts.dtype.kind not in "iu":
        raise BadInput(f"evaluation.metrics: {target} counts in {counts.dtype}; expected integers")


def _metric(target: str) -> ImageMetric:
    module, _, name = target.rpartition(".")
    contents = plugins.contents(module)
    if contents is None:
        raise BadInput(f"evaluation.metrics: {target}: only metrics of modules in plugins=[…] are allowed")
    metric = contents.get(name)
    if not isinstance(metric, ImageMetric):
        raise BadInput(f"evaluation.metrics: {target}: {module} has no ImageMetric of that name")
    return metric
