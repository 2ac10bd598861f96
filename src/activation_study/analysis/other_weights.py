"""How much noise the choice of the scored weights adds to a contrast: other weights of the same runs. Pure functions.

Every run scores the best weights, the last ones and their moving average (`evaluation.weights`).
"""

from dataclasses import dataclass

import numpy as np

from activation_study.analysis.results import Arm
from activation_study.analysis.statistics.paired import CONFIDENCE_LEVEL, ROUNDING, Interval, mean_over_seeds
from activation_study.config.scored_weights import WEIGHTS
from activation_study.metrics import Values


@dataclass(frozen=True)
class OtherWeights:
    """A contrast by other weights of the same runs than those that the results are about.

    Args:
        difference: mean over seeds of a − b, with the interval of the paired t.
        deviation: standard deviation of the differences over seeds.
        variance_ratio: of the differences over seeds, to that of the scored weights.
        seeds: of a new study with these weights whose interval would be as narrow.
        worse: whether a or b scores lower with them, by the whole interval of its mean over seeds.
    """

    difference: Interval
    deviation: float
    variance_ratio: Interval
    seeds: int
    worse: bool

    @property
    def quieter(self) -> bool:
        """Whether they vary less, by the whole interval of the ratio."""
        return self.variance_ratio.high < 1


def other_weights(a: Arm, b: Arm, key: str) -> dict[str, OtherWeights]:
    """The contrast by each of the weights that the runs also scored, by their names; empty for fewer than 3 seeds.

    Args:
        a: an arm.
        b: another one, with the same seeds.
        key: of the score in the results, e.g. `test/mean_iou`; `test/last/mean_iou` is that of the last weights.
    """
    found, (part, metric) = {}, key.split("/")
    for name in WEIGHTS:
        other = f"{part}/{name}/{metric}"
        if len(a.seeds) > 2 and all(other in record.results for arm in (a, b) for record in arm.records):
            scores, scored = ((a.metric(each), b.metric(each)) for each in (other, key))
            if min(np.ptp(scores[0] - scores[1]), np.ptp(scored[0] - scored[1])) > ROUNDING:
                found[name] = compared(scores, scored)
    return found


def compared(scores: tuple[Values, Values], scored: tuple[Values, Values]) -> OtherWeights:
    """The contrast by other weights beside that by the scored ones.

    Args:
        scores: of a and b with the other weights, [n] each, three or more seeds.
        scored: with the weights that the results are about.
    """
    differences = scores[0] - scores[1]
    ratio = variance_ratio(differences, scored[0] - scored[1])
    moved = [mean_over_seeds(now - before) for now, before in zip(scores, scored, strict=True)]
    return OtherWeights(
        difference=mean_over_seeds(differences),
        deviation=float(differences.std(ddof=1)),
        variance_ratio=ratio,
        seeds=seeds_as_precise(ratio.value, len(differences)),
        worse=any(each.high < 0 for each in moved),
    )


def variance_ratio(a: Values, b: Values) -> Interval:
    """Var(a) / Var(b) of pairs, with a 95 % interval.

    With r the correlation over n pairs and K = 1 + 2 (1 − r²) t²₀.₉₇₅(n − 2) / (n − 2), the interval is the ratio
    times K ± √(K² − 1). Source: Morgan, Biometrika 31, 1939; Pitman, ibid.

    Args:
        a: n values, three or more.
        b: n values, which vary.
    """
    from scipy import stats

    count, ratio = len(a), float(a.var(ddof=1) / b.var(ddof=1))
    r = float(np.corrcoef(a, b)[0, 1])
    t = float(stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, count - 2))
    k = 1 + 2 * (1 - r**2) * t**2 / (count - 2)
    root = max(k**2 - 1, 0.0) ** 0.5
    return Interval(ratio, ratio * (k - root), ratio * (k + root))


def seeds_as_precise(ratio: float, seeds: int) -> int:
    """The smallest number of seeds whose interval is at most as wide as that of these, if the variance is `ratio` times
    as large: the smallest k ≥ 2 with t₀.₉₇₅(k − 1) √(ratio / k) ≤ t₀.₉₇₅(n − 1) / √n.

    Args:
        ratio: of the variances.
        seeds: n.
    """
    from scipy import optimize, stats

    def excess(count: float) -> float:
        width = float(stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, count - 1)) * (ratio / count) ** 0.5
        return width - float(stats.t.ppf((1 + CONFIDENCE_LEVEL) / 2, seeds - 1)) / seeds**0.5

    if excess(2) <= 0:
        return 2
    high = 2 * seeds * max(1.0, ratio)
    return int(np.ceil(optimize.brentq(excess, 2, high) - ROUNDING))
