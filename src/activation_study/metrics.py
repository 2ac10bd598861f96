"""All metrics of both protocols, as pure functions of confusion matrices.

A confusion matrix is int64 [C + 1, C] for C classes: row = true class with unlabeled last, column = prediction.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
# Largest difference of a recorded score from the recomputed one that another version of NumPy may make.
TOLERANCE = 1e-9
_PIXELS = 2**22  # counted at once, which bounds memory


def confusion(truth: NDArray[np.int16], predicted: NDArray[Any], classes: int) -> Counts:
    """The confusion matrix of one image: pixel counts [C + 1, C].

    Args:
        truth: class ids [height, width]; negative = unlabeled.
        predicted: class ids 0 … C − 1, integers of the same shape.
        classes: the number of classes C.
    """
    counts = np.zeros((classes + 1) * classes, np.int64)
    for start in range(0, truth.size, _PIXELS):
        part = truth.ravel()[start : start + _PIXELS]
        rows = np.where(part < 0, classes, part).astype(np.int64)
        cells = rows * classes + predicted.ravel()[start : start + _PIXELS]
        counts += np.bincount(cells, minlength=len(counts))
    return counts.reshape(classes + 1, classes)


def iou(intersection: Counts, true: Counts, predicted: Counts) -> Values:
    """Intersection over union: |predicted ∧ true| / |predicted ∨ true|, in pixels; NaN where the union is empty.

    Args:
        intersection: pixels of a class that are predicted as this class.
        true: pixels of the class.
        predicted: pixels that are predicted as the class.
    """
    union = true + predicted - intersection
    return np.where(union > 0, intersection / np.maximum(union, 1), np.nan)


def pooled_iou(confusion: Counts) -> Values:
    """IoU of each class over the labelled pixels: [..., C]; NaN for a class that does not occur in the truth.

    Args:
        confusion: counts [..., C + 1, C], or [..., C, C] without the row of unlabeled pixels.
    """
    known = confusion[..., : confusion.shape[-1], :]
    true = known.sum(axis=-1)
    values = iou(np.diagonal(known, axis1=-2, axis2=-1), true, known.sum(axis=-2))
    return np.where(true > 0, values, np.nan)


def mean_iou(confusion: Counts) -> Values:
    """Mean of `pooled_iou` over the classes that occur in the truth: [...]; 0 if none occurs."""
    values = pooled_iou(confusion)
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)


def mean_class_accuracy(pooled: Counts) -> float:
    """Mean, over the classes that occur in the truth, of the fraction of their pixels that are predicted correctly."""
    known = pooled[: pooled.shape[1]].astype(np.float64)
    true = known.sum(axis=1)
    return float(np.mean(np.diagonal(known)[true > 0] / true[true > 0]))


def pixel_accuracy(pooled: Counts) -> float:
    """Fraction of the labelled pixels that are predicted correctly."""
    known = pooled[: pooled.shape[1]]
    return float(np.trace(known) / max(known.sum(), 1))


def image_iou(confusions: Counts, unlabeled: bool = True) -> Values:
    """The IoU of each image and class: [images, C]; NaN where the union is empty.

    Args:
        confusions: int64 [images, C + 1, C].
        unlabeled: whether unlabeled pixels count as part of the union if they are predicted as the class, as in the
            article.
    """
    known = confusions[..., :-1, :]
    predicted = confusions if unlabeled else known
    return iou(np.diagonal(known, axis1=-2, axis2=-1), known.sum(axis=-1), predicted.sum(axis=-2))


def article_iou(confusions: Counts) -> Values:
    """The article's IoU of each class: [C], the mean over the images whose union is not empty; −1 if there is none."""
    values = image_iou(confusions)
    defined = ~np.isnan(values)
    return np.where(defined.any(axis=0), np.nansum(values, axis=0) / np.maximum(defined.sum(axis=0), 1), -1.0)


def summary(confusions: Counts, classes: tuple[str, ...], part: str = "test", article: bool = True) -> dict[str, float]:
    """All metrics of a run on one split, by their names in MLflow.

    `test/mean_iou` averages the classes that occur in the truth. As in the article, `test/article/mean_iou` averages
    all classes, including −1 for a class without an IoU; that makes sense for the article's data alone.

    Args:
        confusions: int64 [images, C + 1, C].
        classes: the names of the C classes.
        part: the name of the split; the prefix of the metrics' names.
        article: whether the scores of the article's protocol are among them.
    """
    pooled = confusions.sum(axis=0)
    ious, article_ious = pooled_iou(pooled), article_iou(confusions)
    results = {
        f"{part}/mean_iou": float(np.nanmean(ious)),
        f"{part}/pixel_accuracy": pixel_accuracy(pooled),
        f"{part}/mean_class_accuracy": mean_class_accuracy(pooled),
    }
    if article:
        results[f"{part}/article/mean_iou"] = float(article_ious.sum() / len(classes))
    for name, pooled_value, article_value in zip(classes, ious, article_ious, strict=True):
        if not np.isnan(pooled_value):
            results[f"{part}/iou/{name}"] = float(pooled_value)
        if article:
            results[f"{part}/article/iou/{name}"] = float(article_value)
    return results


def other_scores(others: Mapping[str, Counts], part: str = "test") -> dict[str, float]:
    """The mean IoU of further weights of a run, by their names in MLflow, e.g. `test/last/mean_iou`.

    Args:
        others: the confusion matrices of each of these weights, int64 [images, C + 1, C].
        part: the name of the images.
    """
    return {f"{part}/{name}/mean_iou": float(mean_iou(counts.sum(axis=0))) for name, counts in others.items()}


def scored_parts(recorded: Mapping[str, Any]) -> list[str]:
    """The parts of the data that recorded results are about: those with a `<part>/mean_iou`."""
    return [key.removesuffix("/mean_iou") for key in recorded if key.count("/") == 1 and key.endswith("/mean_iou")]


def contradictory_scores(
    recorded: Mapping[str, Any],
    confusions: Counts,
    classes: tuple[str, ...],
    others: Mapping[str, Counts] | None = None,
    further: Mapping[str, float] | None = None,
    unknown_metrics: bool = False,
) -> dict[str, tuple[Any, float | None]]:
    """The recorded scores that do not follow from the confusion matrices, each with the recomputed value.

    None stands for a score that is missing on one side. The article's scores may be missing all together.

    Args:
        recorded: results of a run, by the names of `summary`; others are passed over.
        confusions: int64 [images, C + 1, C].
        classes: the names of the C classes.
        others: the confusion matrices of further weights, by their names.
        further: recomputed scores that do not follow from the confusion matrices, by their names without the part.
        unknown_metrics: the run has metrics of plug-ins that are not at hand; what may be their scores is passed over.
    """
    found: dict[str, tuple[Any, float | None]] = {}
    for part in scored_parts(recorded):
        article = any(key.startswith(f"{part}/article/") for key in recorded)
        recomputed = {**summary(confusions, classes, part, article), **other_scores(others or {}, part)}
        recomputed |= {f"{part}/{name}": value for name, value in (further or {}).items()}
        scores = {key: value for key, value in recorded.items() if key.startswith(f"{part}/")}
        for key in {**recomputed, **scores}:
            then, now = scores.get(key), recomputed.get(key)
            if unknown_metrics and now is None and key.count("/") == 1:
                continue
            if not (isinstance(then, int | float) and now is not None and abs(then - now) <= TOLERANCE):
                found[key] = (then, now)
    return found
