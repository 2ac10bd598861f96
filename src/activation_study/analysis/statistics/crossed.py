"""The mean of a table of seeds × units (images, groups or folds), where both vary. A pure function."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from activation_study.analysis.statistics.paired import CONFIDENCE_LEVEL, ROUNDING, Interval, mean_over_seeds
from activation_study.metrics import Values

# With fewer units, the variance between them is itself uncertain.
FEW_UNITS = 50


@dataclass(frozen=True)
class Crossed:
    """The mean over seeds and units, with its uncertainty.

    Args:
        mean: of all values.
        count: number of values, n m.
        variances: each with its degrees of freedom, times n m: of the mean, and those that it is not to fall below.
        units: number of units m.
        parts: what further seeds, further units, or either would lower of the variance.
    """

    mean: float
    count: int
    variances: tuple[tuple[float, float], ...]
    units: int
    parts: tuple[float, float, float]

    def interval(self, confidence: float = CONFIDENCE_LEVEL) -> Interval:
        """The widest of the intervals of the t with these variances."""
        from scipy import stats

        halves = [stats.t.ppf((1 + confidence) / 2, freedom) * variance**0.5 for variance, freedom in self.variances]
        half = float(max(halves)) / self.count**0.5
        return Interval(self.mean, self.mean - half, self.mean + half)

    def p(self) -> float:
        """The two-sided p of a mean of 0, the largest of those of the t with these variances."""
        return 2 * max(self._below(abs(self.mean)))

    def p_equivalence(self, margin: float) -> float:
        """The p of the two one-sided tests of "mean ≤ −margin" and "mean ≥ margin"."""
        return max(self._below(margin - abs(self.mean)))

    def _below(self, distance: float) -> Iterator[float]:
        from scipy import stats

        for variance, freedom in self.variances:
            error = (variance / self.count) ** 0.5
            noisy = error > ROUNDING
            yield float(stats.t.sf(distance / error, freedom) if noisy else (1 - np.sign(distance)) / 2)


def mean_of(x: Values) -> Interval:
    """The mean of x [seeds, folds] with its 95 % interval: over both, or of the t over seeds without folds."""
    both = crossed(x)
    return mean_over_seeds(x.mean(axis=1)) if both is None else both.interval()


def crossed(x: Values) -> Crossed | None:
    """The mean of x; None for one seed or one unit.

    With n seeds, m units, and x (n × m), the mean squares are

        S = m Σ_s (x_s. − x..)² / (n − 1)                 of seeds
        I = n Σ_g (x_.g − x..)² / (m − 1)                 of units
        E = Σ_sg (x_sg − x_s. − x_.g + x..)² / ((n − 1)(m − 1))

    and with A = max(I − E, 0) the variance is V = (S + A) / nm, the degrees of freedom ν = (n − 1) ((S + A) / S)². It
    is never taken to be below S / nm, that of the seeds, with n − 1 degrees of freedom.

    That ν takes I for known, which is wrong with few units: with 4 groups the interval covered 86 % in simulations.
    With fewer than `FEW_UNITS`, ν = (S + A)² / (S² / (n − 1) + A² / (m − 1)) after Satterthwaite, and the variance is
    at least I / nm, what the units alone say, with m − 1 (docs/explanation/statistics.md, "Calibration").

    Args:
        x: values of each seed and unit.
    """
    n, m = x.shape
    if n < 2 or m < 2:
        return None
    mean, of_seeds, of_units = x.mean(), x.mean(axis=1), x.mean(axis=0)
    s = m * ((of_seeds - mean) ** 2).sum() / (n - 1)
    i = n * ((of_units - mean) ** 2).sum() / (m - 1)
    e = ((x - of_seeds[:, None] - of_units + mean) ** 2).sum() / ((n - 1) * (m - 1))
    added = max(i - e, 0.0)
    few = added**2 / (m - 1) if m < FEW_UNITS else 0.0
    uncertainty = s**2 / (n - 1) + few
    freedom = (s + added) ** 2 / uncertainty if uncertainty > 0 else np.inf
    variances = [(s + added, freedom), (s, n - 1)]
    if m < FEW_UNITS:
        variances.append((i, m - 1))
    parts = (max(s - e, 0.0), added, e)
    return Crossed(float(mean), n * m, tuple((float(v), float(f)) for v, f in variances), m, parts)
