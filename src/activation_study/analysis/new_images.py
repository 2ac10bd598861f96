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

from activation_study.analysis.statistics import CONFIDENCE_LEVEL, Interval
from activation_study.metrics import Counts, Values

FEW_UNITS = 50


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


def on_new_images(a: Counts, b: Counts, units: Sequence[str], confidence: float = CONFIDENCE_LEVEL) -> NewImages | None:
    """Compares two arms on new images of this kind; None if all images belong to one unit, or there is one seed.

    With n seeds, m units, and the pseudo-values x (n × m) of `pseudo_values`, the mean squares are

        S = m Σ_s (x_s. − x..)² / (n − 1)                 of seeds
        I = n Σ_g (x_.g − x..)² / (m − 1)                 of units
        E = Σ_sg (x_sg − x_s. − x_.g + x..)² / ((n − 1)(m − 1))

    and with A = max(I − E, 0) the variance is V = (S + A) / nm, the degrees of freedom ν = (n − 1) ((S + A) / S)². The
    interval has the half-width max(t.975(ν) √V, t.975(n − 1) √(S / nm)): never narrower than on this test set.

    That ν takes I for known, which is wrong with few units: with 4 groups the interval covered 86 % in simulations.
    With fewer than `FEW_UNITS`, ν = (S + A)² / (S² / (n − 1) + A² / (m − 1)) after Satterthwaite, and the half-width is
    at least t.975(m − 1) √(I / nm), what the units alone say (docs/explanation/statistics.md, "Calibration").

    Args:
        a: confusions of a, int64 [n seeds, images, C + 1, C].
        b: confusions of b, with the same seeds and images.
        units: what each image belongs to: its group, or a digest of its content, so that copies count once.
        confidence: of the interval.
    """
    from scipy import stats

    x = pseudo_values(a, b, units)
    n, m = x.shape
    if n < 2 or m < 2:
        return None
    mean, of_seeds, of_units = x.mean(), x.mean(axis=1), x.mean(axis=0)
    s = m * ((of_seeds - mean) ** 2).sum() / (n - 1)
    i = n * ((of_units - mean) ** 2).sum() / (m - 1)
    e = ((x - of_seeds[:, None] - of_units + mean) ** 2).sum() / ((n - 1) * (m - 1))
    added = max(i - e, 0.0)
    level = (1 + confidence) / 2
    few = added**2 / (m - 1) if m < FEW_UNITS else 0.0
    uncertainty = s**2 / (n - 1) + few
    freedom = (s + added) ** 2 / uncertainty if uncertainty > 0 else np.inf
    halves = [stats.t.ppf(level, freedom) * (s + added) ** 0.5, stats.t.ppf(level, n - 1) * s**0.5]
    if m < FEW_UNITS:
        halves.append(stats.t.ppf(level, m - 1) * i**0.5)
    half = float(max(halves)) / (n * m) ** 0.5
    parts = np.array([max(s - e, 0.0), added, e])
    shares = parts / parts.sum() if parts.sum() > 0 else np.zeros(3)
    difference = Interval(float(mean), float(mean) - half, float(mean) + half)
    return NewImages(difference, m, *map(float, shares))


def pseudo_values(a: Counts, b: Counts, units: Sequence[str]) -> Values:
    """What each unit contributes to each seed's difference of pooled mean IoU: [n seeds, m units].

    With t and u a class's intersection and union in a unit, T and U their sums over the units, IoU = T / U, and the C
    classes of the truth: x_sg = d_s + m (ℓᵃ_sg − ℓᵇ_sg), where ℓ_sg = Σ_c (t_sgc − IoU_sc u_sgc) / U_sc / C is the
    first-order change of the mean IoU when the unit is weighted more. The mean over the units is d_s, the difference.

    Args:
        a: as of `on_new_images`.
        b: likewise.
        units: likewise.
    """
    index = np.unique(np.asarray(units), return_inverse=True)[1]
    (iou_a, influence_a), (iou_b, influence_b) = (_influence(counts, index) for counts in (a, b))
    return np.asarray((iou_a - iou_b)[:, None] + influence_a.shape[1] * (influence_a - influence_b))


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
