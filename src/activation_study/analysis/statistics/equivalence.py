"""Whether a difference is smaller than one that matters, and how many seeds would tell. Pure functions.

Differences and margins are of IoU between 0 and 1.
"""

from collections.abc import Iterator

import numpy as np

from activation_study.analysis.statistics.paired import POWER, ROUNDING

MOST_SEEDS = 200  # of a study that is proposed


def equivalence_p(difference: float, deviation: float, seeds: int, margin: float) -> float:
    """P of two one-sided paired t tests: small if the true difference lies within ±margin.

    The larger of the p of "difference ≤ −margin" and "difference ≥ margin". At 5 %, it rejects where the 90 % interval
    lies within ±margin. Without noise, it is that of the signs,
    2⁻ⁿ. Source: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.

    Args:
        difference: mean over seeds.
        deviation: standard deviation of the differences over seeds.
        seeds: number of seeds n, two or more.
        margin: the smallest difference that matters, above 0.
    """
    from scipy import stats

    error = deviation / seeds**0.5
    if error == 0:
        return 0.5**seeds if abs(difference) < margin else 1.0
    return float(stats.t.cdf((abs(difference) - margin) / error, seeds - 1))


def seeds_to_settle(difference: float, deviation: float, level: float, margin: float | None) -> int | None:
    """The smallest number of seeds of a new study that would settle a contrast with 80 % power; None above 200.

    It is settled if the paired t finds a difference, or the two one-sided tests equivalence. The true difference and
    noise are taken to be those that were measured, which they are only roughly. The power of the two one-sided tests
    takes both as independent of the other's rejection: 1 − (1 − power₁) − (1 − power₂).

    Args:
        difference: as measured.
        deviation: standard deviation of the differences over seeds, as measured.
        level: of each test, after correction for several contrasts.
        margin: the smallest difference that matters; None: no equivalence.
    """
    return next((seeds for seeds in _numbers() if _power(difference, deviation, seeds, level, margin) >= POWER), None)


def _numbers() -> Iterator[int]:
    yield from range(3, MOST_SEEDS + 1)


def _power(difference: float, deviation: float, seeds: int, level: float, margin: float | None) -> float:
    from scipy import stats

    if deviation == 0:  # equal differences have the p of their signs
        differs = abs(difference) > ROUNDING and 0.5 ** (seeds - 1) < level
        return float(differs or (margin is not None and equivalence_p(difference, 0.0, seeds, margin) < level))
    freedom, noncentrality = seeds - 1, abs(difference) * seeds**0.5 / deviation
    of_difference = float(stats.nct.sf(stats.t.ppf(1 - level / 2, freedom), freedom, noncentrality))
    if margin is None:
        return of_difference
    limit = stats.t.ppf(1 - level, freedom)
    rejected = [
        float(stats.nct.sf(limit, freedom, (margin + sign * difference) * seeds**0.5 / deviation)) for sign in (1, -1)
    ]
    return max(of_difference, float(np.clip(sum(rejected) - 1, 0, 1)))
