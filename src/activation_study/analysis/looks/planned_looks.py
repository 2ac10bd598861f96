"""Seeds as many as needed: which contrasts are settled at planned looks, and which need more seeds. Pure functions.

Before the first run, the contrasts, the looks (numbers of seeds) and the margin are declared. At each look:

1. Each contrast has a sequential p for a difference, and one for equivalence: the larger of the two one-sided ones.
2. Holm corrects the p for differences over all contrasts, at 5 %; likewise those for equivalence. A contrast for which
   either is below 5 % is settled, and keeps the seeds that it has.
3. One that would hardly be settled by the last look, given what was seen, gets no more seeds; its answer stays open.
   This rule is non-binding: the error is kept whether it is followed or not.
4. The arms of the others get the seeds of the next look.

Intervals are "repeated" ones: at the p of a look that keeps the error over all looks (Jennison and Turnbull, Journal of
the Royal Statistical Society B 51, 1989). After an early stop, the estimate is biased away from 0.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np

from activation_study.analysis.looks.sequential_tests import (
    SequentialTest,
    critical_t,
    moments,
    paths_of_equivalence_p,
    paths_of_p,
)
from activation_study.analysis.statistics.paired import ROUNDING, SIGNIFICANCE_LEVEL, Interval, holm
from activation_study.metrics import Values

DRAWS = 1000  # of the chance to be settled


@dataclass(frozen=True)
class Plan:
    """What was declared before the first run.

    Args:
        looks: the numbers of seeds at which the study is looked at, ascending.
        margin: the smallest difference that matters, of IoU between 0 and 1; None: nothing is called equivalent.
        futility: the chance to be settled by the last look below which a contrast gets no more seeds.
    """

    looks: tuple[int, ...]
    margin: float | None
    futility: float

    @property
    def differences(self) -> SequentialTest:
        """The test of a difference."""
        return SequentialTest(self.looks)

    @property
    def equivalence(self) -> SequentialTest:
        """Each of the two one-sided tests of equivalence."""
        return SequentialTest(self.looks, two_sided=False)

    @property
    def confidence(self) -> float:
        """The level of the interval at each look that keeps 95 % over all looks."""
        return 1 - self.differences.level(SIGNIFICANCE_LEVEL)


@dataclass(frozen=True)
class Look:
    """What one look says of one contrast.

    Args:
        seeds: number of seeds.
        difference: mean over seeds of a − b with its repeated interval.
        p: sequential p of a difference, over the looks so far.
        above: whether the difference was above 0 at the look where its plain p was smallest.
        p_equivalence: sequential p of equivalence; None without a margin.
        answer: `above`, `below`, `equivalent` or `open`, after Holm's correction at this look.
        chance: to be settled by the last look; None if it is settled, or this is the last look.
    """

    seeds: int
    difference: Interval
    p: float
    above: bool
    p_equivalence: float | None
    answer: str = "open"
    chance: float | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """What is told of it, in tables, files and output for programs."""
        interval = {"difference": self.difference.value, "low": self.difference.low, "high": self.difference.high}
        tests = {"p": self.p, "p_equivalence": self.p_equivalence, "answer": self.answer, "chance": self.chance}
        return {"seeds": self.seeds, **interval, **tests}


Path = tuple[Look, ...]  # of one contrast, in the order of the looks


def look_at(differences: Values, plan: Plan, last: int) -> Path:
    """The looks at one contrast, without any correction for other contrasts.

    Args:
        differences: a − b of each seed, in the order in which the seeds are added.
        plan: as declared.
        last: the number of seeds of the last look.
    """
    from scipy.special import stdtrit

    seeds = [each for each in plan.looks if each <= last]
    if not seeds:
        return ()
    ((means,), (deviations,)) = moments(differences[None], seeds)
    (p,) = paths_of_p(differences[None], seeds)
    equivalence = None if plan.margin is None else paths_of_equivalence_p(differences[None], seeds, plan.margin)[0]
    path = []
    for index, count in enumerate(seeds):
        mean, so_far = float(means[index]), slice(index + 1)
        half = float(stdtrit(count - 1, (1 + plan.confidence) / 2) * deviations[index]) / count**0.5
        strongest = int(np.argmin(p[so_far]))
        path.append(
            Look(
                seeds=count,
                difference=Interval(mean, mean - half, mean + half),
                p=plan.differences.p(float(p[strongest])),
                above=bool(means[strongest] > 0),
                p_equivalence=None if equivalence is None else plan.equivalence.p(float(min(equivalence[so_far]))),
            )
        )
    return tuple(path)


def follow(differences: Sequence[Values], plan: Plan, declared: Sequence[bool] | None = None) -> list[Path]:
    """The looks at each contrast of a family up to where it is settled, given up, or out of seeds.

    A look waits until all declared contrasts that go on have their seeds. They alone are corrected for at their looks:
    what is asked afterwards does not change which seeds the plan gave.

    Args:
        differences: for each contrast, a − b of each seed so far, in the order in which the seeds are added.
        plan: as declared.
        declared: whether each contrast was declared beforehand; others are looked at as far as there are seeds, as one
            family with all. If None, all were.
    """
    planned = [True] * len(differences) if declared is None else list(declared)
    every = [look_at(each, plan, len(each)) for each in differences]
    paths: list[Path] = [() for _ in differences]
    for number, seeds in enumerate(plan.looks):
        going = [index for index, path in enumerate(paths) if len(path) == number and _goes_on(path, plan)]
        here = [index for index in going if len(every[index]) > number]
        if any(index not in here and planned[index] for index in going):
            break
        for index in here:
            paths[index] = (*paths[index], every[index][number])
        of_all = _Levels(dict(enumerate(paths)), plan)
        of_plan = _Levels({index: path for index, path in enumerate(paths) if planned[index]}, plan)
        for index in here:
            levels = of_plan if planned[index] else of_all
            last = replace(paths[index][-1], answer=levels.answer(index))
            if last.answer == "open" and seeds < plan.looks[-1]:
                chance = chance_to_settle(differences[index][:seeds], plan, *levels.of_next_step())
                last = replace(last, chance=chance)
            paths[index] = (*paths[index][:-1], last)
    return paths


Key = TypeVar("Key", bound=Hashable)  # names a contrast


@dataclass(frozen=True)
class Planned(Generic[Key]):
    """The looks at all contrasts of a study.

    Args:
        plan: as declared.
        paths: of each contrast, by what names it.
    """

    plan: Plan
    paths: Mapping[Key, Path]

    @classmethod
    def of(cls, plan: Plan, differences: Mapping[Key, Values], asked: Collection[Key] = ()) -> "Planned[Key]":
        """Follows all contrasts, by what names them, as one family; those that were asked afterwards wait for none."""
        declared = [key not in asked for key in differences]
        return cls(plan, dict(zip(differences, follow(list(differences.values()), plan, declared), strict=True)))

    def seeds(self, key: Key) -> int | None:
        """The seeds at the last look at a contrast; None if it was not looked at."""
        path = self.paths.get(key)
        return path[-1].seeds if path else None


def next_look(path: Path, plan: Plan) -> int | None:
    """The seeds that a contrast needs next; None if it needs no more."""
    if not _goes_on(path, plan):
        return None
    return next((seeds for seeds in plan.looks if not path or seeds > path[-1].seeds), None)


def _goes_on(path: Path, plan: Plan) -> bool:
    """Whether a contrast is neither settled nor given up."""
    return not path or (path[-1].answer == "open" and (path[-1].chance or 0.0) >= plan.futility)


@dataclass(frozen=True)
class _Levels:
    """Holm's correction at one look, over these contrasts, each by its index."""

    paths: Mapping[int, Path]
    plan: Plan

    @cached_property
    def _adjusted(self) -> tuple[list[float], list[float]]:
        last = [path[-1] if path else None for path in self.paths.values()]
        of_differences = holm([look.p if look else 1.0 for look in last])
        found = [look.p_equivalence if look else None for look in last]
        return of_differences, holm([1.0 if p is None else p for p in found])

    def answer(self, index: int) -> str:
        """The answer of a contrast that was looked at."""
        p, p_equivalence = (dict(zip(self.paths, adjusted, strict=True))[index] for adjusted in self._adjusted)
        return answer_of(self.paths[index][-1].above, p, p_equivalence)

    def of_next_step(self) -> tuple[float, float]:
        """The levels at which Holm tests the next difference and the next equivalence: 5 % over those that are left."""
        left = [sum(p >= SIGNIFICANCE_LEVEL for p in adjusted) for adjusted in self._adjusted]
        return SIGNIFICANCE_LEVEL / max(left[0], 1), SIGNIFICANCE_LEVEL / max(left[1], 1)


def answer_of(above: bool, p: float | None, p_equivalence: float | None) -> str:
    """The answer by the adjusted p: `above`, `below`, `equivalent` or `open`."""
    if p is not None and p < SIGNIFICANCE_LEVEL:
        return "above" if above else "below"
    return "equivalent" if p_equivalence is not None and p_equivalence < SIGNIFICANCE_LEVEL else "open"


def chance_to_settle(differences: Values, plan: Plan, level: float, level_equivalence: float) -> float:
    """The probability that a contrast is settled by the last look, given its seeds so far.

    The predictive probability for normal differences of unknown mean and variance under Jeffreys' prior: future seeds
    are drawn from what the seeds so far leave possible. Source: Spiegelhalter, Freedman and Blackburn, Controlled
    Clinical Trials 7, 1986.

    Args:
        differences: a − b of each seed so far.
        plan: as declared.
        level: error of the test of a difference, after correction for other contrasts.
        level_equivalence: likewise of the tests of equivalence.
    """
    seeds, later = len(differences), tuple(each for each in plan.looks if each > len(differences))
    if np.ptp(differences) <= ROUNDING:  # without noise, the differences of all further seeds equal these
        equal = np.full((1, later[-1]), differences[0])
        settled = paths_of_p(equal, later) <= plan.differences.level(level)
        if plan.margin is not None:
            settled |= paths_of_equivalence_p(equal, later, plan.margin) <= plan.equivalence.level(level_equivalence)
        return float(settled.any())
    generator = np.random.default_rng(0)  # the same seeds always get the same answer
    variance = differences.var(ddof=1) * (seeds - 1) / generator.chisquare(seeds - 1, DRAWS)
    mean = differences.mean() + np.sqrt(variance / seeds) * generator.standard_normal(DRAWS)
    noise = np.sqrt(variance)[:, None] * generator.standard_normal((DRAWS, later[-1] - seeds))
    paths = np.concatenate([np.tile(differences, (DRAWS, 1)), mean[:, None] + noise], axis=1)
    means, deviations = moments(paths, later)
    error = deviations / np.sqrt(later)
    settled = np.abs(means) >= critical_t(plan.differences.level(level) / 2, later) * error
    if plan.margin is not None:
        within = critical_t(plan.equivalence.level(level_equivalence), later) * error
        settled |= np.abs(means) + within <= plan.margin
    return float(settled.any(axis=1).mean())
