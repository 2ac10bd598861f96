"""Tests of a study that is looked at several times, with seeds added in between. Pure functions.

Testing at 5 % at each look would err more often than 5 %. A sequential p takes all planned looks into account: it is
the smallest level whose bound some look so far has crossed. The bound is the same p at every look (Pocock, Biometrika
64, 1977), calibrated on simulated paths of the paired t itself, because normal approximations are too liberal with few
seeds. Source for p that stay valid over looks: Jennison and Turnbull, "Group Sequential Methods", 1999, chapter 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from activation_study.analysis.statistics.paired import ROUNDING
from activation_study.metrics import Values

PATHS = 200_000
CHUNK = 20_000


@dataclass(frozen=True)
class SequentialTest:
    """The paired t at several looks.

    Args:
        looks: the numbers of seeds at which the study is looked at, ascending; two or more seeds each.
        two_sided: whether both signs of the difference count.
    """

    looks: tuple[int, ...]
    two_sided: bool = True

    def p(self, smallest: float) -> float:
        """The sequential p: P(the smallest p of all looks ≤ the one given) without a difference.

        Args:
            smallest: the smallest p of the plain test over the looks so far.
        """
        simulated = _smallest_p(self.looks, self.two_sided)
        rank = int(np.searchsorted(simulated, smallest, side="right"))
        return float(min((rank + 1) / (len(simulated) + 1), len(self.looks) * smallest, 1.0))

    def level(self, error: float) -> float:
        """The p at each look that keeps a total error: the largest one whose sequential p is at most the error."""
        simulated = _smallest_p(self.looks, self.two_sided)
        rank = int(error * (len(simulated) + 1)) - 2
        return float(max(simulated[rank] if rank >= 0 else 0.0, error / len(self.looks)))


@cache
def _smallest_p(looks: tuple[int, ...], two_sided: bool) -> Values:
    """The smallest p over the looks in each of PATHS simulated studies without a difference, ascending."""
    generator = np.random.default_rng(0)
    smallest = []
    for _ in range(PATHS // CHUNK):
        differences = generator.standard_normal((CHUNK, max(looks)))
        smallest.append(paths_of_p(differences, looks, two_sided).min(axis=1))
    return np.sort(np.concatenate(smallest))


def paths_of_p(differences: Values, looks: Sequence[int], two_sided: bool = True) -> Values:
    """The p of the paired t at each look; of equal differences, that of their signs: [paths, looks].

    Args:
        differences: a − b of each path and seed: [paths, seeds].
        looks: numbers of seeds, none above those given.
        two_sided: or one-sided, small if the difference is above 0.
    """
    from scipy.special import stdtr

    seeds = np.asarray(looks)
    mean, deviation = moments(differences, looks)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(np.abs(mean) > ROUNDING, mean * seeds**0.5 / deviation, 0.0)
    if two_sided:
        return np.where(np.isinf(t), 2 * 0.5**seeds, 2 * stdtr(seeds - 1, -np.abs(t)))
    return np.where(np.isinf(t), np.where(t > 0, 0.5**seeds, 1 - 0.5**seeds), stdtr(seeds - 1, -t))


def paths_of_equivalence_p(differences: Values, looks: Sequence[int], margin: float) -> Values:
    """The larger p of the one-sided tests of "difference ≤ −margin" and "difference ≥ margin": [paths, looks].

    Args:
        differences: a − b of each path and seed: [paths, seeds].
        looks: numbers of seeds, none above those given.
        margin: above 0.
    """
    return np.maximum(*(paths_of_p(margin + sign * differences, looks, two_sided=False) for sign in (1, -1)))


def critical_t(level: float, looks: Sequence[int]) -> Values:
    """The t at each look whose one-sided p is the level: [looks]."""
    from scipy.special import stdtrit

    return np.asarray(-stdtrit(np.asarray(looks) - 1, level))


def moments(differences: Values, looks: Sequence[int]) -> tuple[Values, Values]:
    """Mean and standard deviation of the differences at each look: [paths, looks] each; arguments as above."""
    seeds = np.asarray(looks)
    shifted = differences - differences[:, :1]  # so that equal differences have no noise at all
    sums, squares = shifted.cumsum(axis=1)[:, seeds - 1], (shifted**2).cumsum(axis=1)[:, seeds - 1]
    variance = np.maximum(squares - sums**2 / seeds, 0.0) / (seeds - 1)
    deviation = np.sqrt(variance)
    return differences[:, :1] + sums / seeds, np.where(deviation > ROUNDING, deviation, 0.0)
