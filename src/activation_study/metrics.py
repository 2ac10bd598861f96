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


def pooled_iou(pooled: Counts) -> Values:
    """IoU of each class over all pixels, unknown ignored: [C]; NaN for a class that the truth lacks.

    IoU = |predicted ∧ true| / |predicted ∨ true|, from the sum of confusion matrices.
    """
    known = pooled[: pooled.shape[1]].astype(np.float64)
    both = np.diagonal(known)
    true = known.sum(axis=1)
    either = true + known.sum(axis=0) - both
    return np.where(true > 0, both / np.maximum(either, 1), np.nan)


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
    classes = confusions.shape[2]
    both = np.diagonal(confusions[:, :classes], axis1=1, axis2=2)
    either = confusions[:, :classes].sum(axis=2) + confusions.sum(axis=1) - both
    return np.where(either > 0, both / np.maximum(either, 1), np.nan)


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
