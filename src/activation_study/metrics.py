"""Every IoU of both protocols, as pure functions of confusion matrices.

A confusion matrix is int64 [C + 1, C] for C classes: row = truth with unknown last, column = prediction.
"""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Values = NDArray[np.float64]


def confusion(truth: NDArray[np.int16], predicted: NDArray[np.int64], classes: int) -> Counts:
    """Counts of pixels [C + 1, C].

    Args:
        truth: class ids [height, width]; negative = unknown.
        predicted: class ids 0 … C − 1, the same shape.
        classes: C.
    """
    rows = np.where(truth < 0, classes, truth).astype(np.int64)
    cells = rows.ravel() * classes + predicted.ravel()
    return np.bincount(cells, minlength=(classes + 1) * classes).reshape(classes + 1, classes)


def iou(intersection: Counts, true: Counts, predicted: Counts) -> Values:
    """Intersection over union: |predicted ∧ true| / |predicted ∨ true|, in pixels; NaN where the union is empty.

    Args:
        intersection: pixels that are of a class and predicted as it.
        true: pixels that are of it.
        predicted: pixels that are predicted as it.
    """
    union = true + predicted - intersection
    return np.where(union > 0, intersection / np.maximum(union, 1), np.nan)


def pooled_iou(confusion: Counts) -> Values:
    """IoU of each class over the pixels whose class is known: [..., C]; NaN for a class that the truth lacks.

    Args:
        confusion: counts [..., C + 1, C], or [..., C, C] without the row of unknown pixels.
    """
    known = confusion[..., : confusion.shape[-1], :]
    true = known.sum(axis=-1)
    values = iou(np.diagonal(known, axis1=-2, axis2=-1), true, known.sum(axis=-2))
    return np.where(true > 0, values, np.nan)


def mean_iou(confusion: Counts) -> Values:
    """Mean of `pooled_iou` over the classes that the truth has: [...]; 0 where it has none."""
    values = pooled_iou(confusion)
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1)


def mean_class_accuracy(pooled: Counts) -> float:
    """Mean, over the classes that the truth has, of the share of their pixels that are predicted right."""
    known = pooled[: pooled.shape[1]].astype(np.float64)
    true = known.sum(axis=1)
    return float(np.mean(np.diagonal(known)[true > 0] / true[true > 0]))


def pixel_accuracy(pooled: Counts) -> float:
    """Share of the known pixels that are predicted right."""
    known = pooled[: pooled.shape[1]]
    return float(np.trace(known) / max(known.sum(), 1))


def image_iou(confusions: Counts) -> Values:
    """The article's IoU of each image and class: [images, C]; NaN where the union is empty.

    Unknown pixels count in the prediction's part of the union.
    """
    known = confusions[..., :-1, :]
    return iou(np.diagonal(known, axis1=-2, axis2=-1), known.sum(axis=-1), confusions.sum(axis=-2))


def article_iou(confusions: Counts) -> Values:
    """The article's IoU of each class: the mean over the images whose union is not empty, −1 where there is none."""
    values = image_iou(confusions)
    some = ~np.isnan(values)
    return np.where(some.any(axis=0), np.nansum(values, axis=0) / np.maximum(some.sum(axis=0), 1), -1.0)


def summary(confusions: Counts, classes: tuple[str, ...], part: str = "test") -> dict[str, float]:
    """All metrics of a run on a part of the data, by their names in MLflow.

    `test/mean_iou` is over the classes that occur in the truth; `test/article/mean_iou` is the sum over all
    classes divided by their number, as in the article.

    Args:
        confusions: int64 [images, C + 1, C].
        classes: the names of the C classes.
        part: with what the names begin.
    """
    pooled = confusions.sum(axis=0)
    ious, article = pooled_iou(pooled), article_iou(confusions)
    results = {
        f"{part}/mean_iou": float(np.nanmean(ious)),
        f"{part}/pixel_accuracy": pixel_accuracy(pooled),
        f"{part}/mean_class_accuracy": mean_class_accuracy(pooled),
        f"{part}/article/mean_iou": float(article.sum() / len(classes)),
    }
    for name, iou, article_value in zip(classes, ious, article, strict=True):
        if not np.isnan(iou):
            results[f"{part}/iou/{name}"] = float(iou)
        results[f"{part}/article/iou/{name}"] = float(article_value)
    return results
