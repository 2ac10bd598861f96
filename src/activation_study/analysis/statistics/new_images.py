"""What a difference of two arms tells about new images of the same kind: seeds × images, both drawn at random.

The design is that of readers × cases in radiology. The training set is held fixed: nothing is said about networks
that were trained on other images.

Sources: Dorfman, Berbaum and Metz, "Receiver operating characteristic rating analysis: generalization to the population
of readers and patients with the jackknife method", Investigative Radiology 27, 1992 (pseudo-values); Hillis, "A
comparison of denominator degrees of freedom methods for multiple observer ROC analysis", Statistics in Medicine 26,
2007 (degrees of freedom); Sellam et al., "The MultiBERTs", ICLR 2022 (seeds × examples).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from activation_study.analysis.statistics.crossed import Crossed, crossed
from activation_study.analysis.statistics.paired import CONFIDENCE_LEVEL, Interval
from activation_study.metrics import Counts, Values


@dataclass(frozen=True)
class NewImages:
    """A difference of pooled mean IoU, and how it varies with seeds and images together.

    Args:
        difference: mean over seeds, on all images, with its interval for new images and new seeds.
        units: the number of images, or of groups of images, that were drawn independently.
        seeds: the share of the variance that further seeds would lower, between 0 and 1.
        images: the share that further images would lower.
        both: the share that either would lower.
    """

    difference: Interval
    units: int
    seeds: float
    images: float
    both: float


def on_new_images(differences: Values, confidence: float = CONFIDENCE_LEVEL) -> NewImages | None:
    """Compares two arms on new images of this kind; None if all images belong to one unit, or there is one seed.

    Seeds and units vary: the mean of the pseudo-values (`crossed`).

    Args:
        differences: of the arms' `pseudo_values`, [n seeds, m units].
        confidence: of the interval.
    """
    return of_crossed(crossed(differences), confidence)


def of_crossed(result: Crossed | None, confidence: float = CONFIDENCE_LEVEL) -> NewImages | None:
    """The comparison in the words of a report: the interval, and the parts of the variance as shares."""
    if result is None:
        return None
    parts = np.array(result.parts)
    shares = parts / parts.sum() if parts.sum() > 0 else np.zeros(3)
    return NewImages(result.interval(confidence), result.units, *map(float, shares))


def pseudo_values(counts: Counts, units: Sequence[str]) -> Values:
    """What each unit contributes to each seed's pooled mean IoU: [n seeds, m units].

    With t and u a class's intersection and union in a unit, T and U their sums over the units, IoU = T / U, and the C
    classes of the truth: x_sg = IoU_s + m ℓ_sg, where IoU_s is the mean over the classes and
    ℓ_sg = Σ_c (t_sgc − IoU_sc u_sgc) / U_sc / C the first-order change of it when the unit is weighted more. The mean
    over the units is IoU_s; a difference of two arms has the differences as its pseudo-values.

    Args:
        counts: confusions of an arm, int64 [n seeds, images, C + 1, C].
        units: what each image belongs to: its group, or a digest of its content, so that copies count once.
    """
    iou, influence = _influence(counts, np.unique(np.asarray(units), return_inverse=True)[1])
    return np.asarray(iou[:, None] + influence.shape[1] * influence)


def _influence(counts: Counts, unit_of_image: np.ndarray) -> tuple[Values, Values]:
    """The mean IoU of each seed, [n], and ℓ, [n, m]."""
    known = counts[:, :, :-1]
    intersection = np.diagonal(known, axis1=-2, axis2=-1)
    union = known.sum(axis=-1) + known.sum(axis=-2) - intersection
    sums = np.zeros((2, len(counts), unit_of_image.max() + 1, counts.shape[-1]))
    for image, unit in enumerate(unit_of_image):
        sums[0, :, unit] += intersection[:, image]
        sums[1, :, unit] += union[:, image]
    occurs = known.sum(axis=(1, 3)).any(axis=0)  # in the truth, which all seeds share
    t, u = sums[..., occurs]
    total = u.sum(axis=1, keepdims=True)
    iou = t.sum(axis=1, keepdims=True) / total
    return iou.mean(axis=(1, 2)), ((t - iou * u) / total).mean(axis=-1)
