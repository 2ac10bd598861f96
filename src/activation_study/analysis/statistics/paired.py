"""Two arms on one test set, paired by seed.

The numbers are about *this test set*: the metric of each run, paired by seed; only the seeds vary. `new_images` has
what can be said about new images. Differences are a − b, of IoU between 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.metrics import Values

CONFIDENCE_LEVEL = 0.95
SIGNIFICANCE_LEVEL = 0.05
POWER = 0.8
ROUNDING = 1e-12  # smaller differences of IoU are errors of floating-point numbers
# Numbers of seeds for which the minimum detectable difference is reported.
PLANNED_SEEDS = (5, 8, 20)


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Paired:
    """The comparison of two arms on one test set, paired by seed.

    Args:
        difference: mean over seeds of a − b, with the interval of the paired t.
        p: p of the paired t test, two-sided, n − 1 degrees of freedom.
        p_sign_flip: p of the exact sign-flip test, two-sided; it assumes symmetry only.
        smallest_p: the smallest p that the sign-flip test can give with n seeds, 2/2ⁿ.
        deviation: standard deviation of the differences over seeds.
        correlation: Pearson's correlation between a and b over seeds; NaN if one of them does not vary.
        probability_of_superiority: P(a run of a is above a run of b), over all pairs of runs; ties count half; with
            its interval, which takes the runs as independent.
        p_welch: p of Welch's t test, two-sided, which leaves the pairs aside.
        effect_size: Hedges' g of the differences: mean / standard deviation, corrected for few seeds; NaN without
            noise.
    """

    difference: Interval
    p: float
    p_sign_flip: float
    smallest_p: float
    deviation: float
    correlation: float
    probability_of_superiority: Interval
    p_welch: float
    effect_size: float


def paired(a: Values, b: Values, confidence: float = CONFIDENCE_LEVEL) -> Paired:
    """Compares two arms on this test set.

    Args:
        a: the metric of each run of a, in the order of the seeds: [n].
        b: the metric of each run of b, with the same seeds: [n].
        confidence: of the interval of the difference.

    Raises:
        ValueError: fewer than two seeds, or different numbers of them.
    """
    from scipy import stats

    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError(f"expected two equally long arrays of two or more seeds, not {a.shape} and {b.shape}")
    differences = a - b
    constant = bool(np.ptp(differences) <= ROUNDING)
    if constant:  # the t would divide by zero; equal differences have the p of their signs alone
        mean = float(differences[0])
        interval, p = Interval(mean, mean, mean), 1.0 if abs(mean) <= ROUNDING else 2.0 ** (1 - len(a))
    else:
        test = stats.ttest_1samp(differences, 0.0)
        low, high = test.confidence_interval(confidence)
        interval, p = Interval(float(differences.mean()), float(low), float(high)), float(test.pvalue)
    varies = np.ptp(a) > 0 and np.ptp(b) > 0
    deviation = float(differences.std(ddof=1))
    either_varies = max(np.ptp(a), np.ptp(b)) > ROUNDING
    return Paired(
        difference=interval,
        p=p,
        p_sign_flip=sign_flip_p(differences),
        smallest_p=2.0 ** (1 - len(a)),
        deviation=deviation,
        correlation=float(stats.pearsonr(a, b).statistic) if varies else float("nan"),
        probability_of_superiority=probability_of_superiority(a, b),
        p_welch=_welch(a, b) if either_varies else p,
        effect_size=float("nan") if constant else interval.value / deviation * _small_sample_correction(len(a) - 1),
    )


def _welch(a: Values, b: Values) -> float:
    from scipy import stats

    moments = (np.mean(a), np.std(a, ddof=1), len(a), np.mean(b), np.std(b, ddof=1), len(b))
    return float(stats.ttest_ind_from_stats(*moments, equal_var=False).pvalue)


def _small_sample_correction(freedom: int) -> float:
    """Hedges' J = Γ(ν/2) / (√(ν/2) Γ((ν − 1)/2)); source: Hedges, Journal of Educational Statistics 6, 1981."""
    from scipy.special import gammaln

    half = freedom / 2
    return float(np.exp(gammaln(half) - gammaln(half - 0.5)) / half**0.5) if freedom > 1 else float("nan")


def probability_of_superiority(a: Values, b: Values) -> Interval:
    """P(a run of a is above a run of b) over all pairs of runs, ties half, with a 95 % interval.

    The interval has the θ with |θ̂ − θ| = z √(θ (1 − θ) (1 + (N − 1) ((1 − θ)/(2 − θ) + θ/(1 + θ))) / n²), N = n runs
    of each, as independent runs. Source: Newcombe, Statistics in Medicine 25, 2006, 559–573, method 5.

    Args:
        a: the metric of n runs.
        b: likewise of as many.
    """
    from scipy import optimize, stats

    count = len(a)
    estimate = float(stats.mannwhitneyu(a, b).statistic) / count**2
    z = float(stats.norm.ppf((1 + CONFIDENCE_LEVEL) / 2))

    def excess(value: float) -> float:
        spread = 1 + (count - 1) * ((1 - value) / (2 - value) + value / (1 + value))
        return float(abs(estimate - value) - z * (value * (1 - value) * spread) ** 0.5 / count)

    tiny = 1e-12
    low = optimize.brentq(excess, tiny, max(estimate - tiny, 2 * tiny)) if estimate > 1e-9 else 0.0
    high = optimize.brentq(excess, min(estimate + tiny, 1 - 2 * tiny), 1 - tiny) if estimate < 1 - 1e-9 else 1.0
    return Interval(estimate, float(low), float(high))


def sign_flip_p(differences: Values) -> float:
    """Two-sided p of the exact sign-flip test of a mean of 0: the fraction of all 2ⁿ choices of signs whose mean is at
    least as far from 0. With more than 16 differences, 100,000 random choices are used.

    Source: Fisher, "The Design of Experiments", 1935.
    """
    from scipy import stats

    resamples = np.inf if len(differences) <= 16 else 100_000
    test = stats.permutation_test(
        (differences,),
        lambda sample, axis: np.mean(sample, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the order given.

    p̃₍ᵢ₎ = max over j ≤ i of min(1, (m − j + 1) · p₍ⱼ₎). Source: Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    order = np.argsort(p, kind="stable")
    factors = len(p) - np.arange(len(p))
    ascending = np.maximum.accumulate(np.minimum(1.0, factors * np.asarray(p)[order]))
    adjusted = np.empty(len(p))
    adjusted[order] = ascending
    return [float(value) for value in adjusted]


def minimum_detectable_difference(deviation: float, seeds: int) -> float:
    """The difference that the paired t detects at the 5 % level with 80 % power.

    Solves P(|T| > t₀.₉₇₅) = 0.8 for T noncentral t with n − 1 degrees of freedom and noncentrality δ√n / deviation.

    Args:
        deviation: standard deviation of the differences over seeds.
        seeds: number of seeds n.
    """
    from scipy import optimize, stats

    limit = stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, seeds - 1)

    def excess_power(noncentrality: float) -> float:
        return float(stats.nct.sf(limit, seeds - 1, noncentrality)) - POWER  # the other tail is negligible

    return float(optimize.brentq(excess_power, 0.0, 3 * limit)) * deviation / seeds**0.5


def mean_over_seeds(values: NDArray[np.float64]) -> Interval:
    """The mean over runs with the 95 % interval of the t over seeds; NaN for the ends of a single run's."""
    from scipy import stats

    half = float("nan")
    if len(values) > 1:
        half = float(stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
    return Interval(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)
