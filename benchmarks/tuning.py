"""Checks the error rates of comparisons after tuning, by simulating studies of two equal arms with real noise:

    python benchmarks/tuning.py docs/studies/2026-11-27-learning-rate [SEARCHES [STUDIES]]

The study is one of `experiment=learning_rate`. Its first arm gives the mean IoU as a function of the learning rate
(linear between its trials, in the logarithm) and, over the seeds of its comparison, the standard deviations of mean IoU
on validation and test, and their correlation. The same searches as in the product, with Optuna's TPE, are made on this
function with that noise; studies are drawn from them. A second function is flat: then no learning rate is better.

An error of a claim about the values found: the 95 % interval does not contain the difference of the two arms at these
values. Of a claim about the arms, tuned (one search for each seed): it does not contain 0. Of the gain by tuning, on
the flat function: the interval of tuned − configured does not contain 0. The results are in docs/explanation/tuning.md.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy import stats

from activation_study.analysis.results import read_study
from activation_study.config.search_space import Range, Space
from activation_study.config.tuning import Tuning
from activation_study.tuning.ask import next_values
from activation_study.tuning.trials import Trial

Floats = NDArray[np.float64]
KEY = "optimizer.learning_rate"
CONFIGURED = 1e-3
SEEDS = 8  # of the comparison, and of each trial where a search's own runs are compared
SEARCHES, STUDIES = 1000, 20_000


@dataclass(frozen=True)
class Noise:
    """The measured noise over seeds, and the mean IoU by learning rate; between 0 and 1.

    Args:
        level: mean IoU by the decimal logarithm of the learning rate.
        validation: standard deviation on validation.
        test: standard deviation on test.
        correlation: of both.
        space: what is searched.
    """

    level: Callable[[Floats | float], Floats]
    validation: float
    test: float
    correlation: float
    space: Space


@dataclass(frozen=True)
class Scored(Trial):
    """A trial with a simulated score."""

    value: float = 0.0

    @property
    def score(self) -> float:
        """Mean IoU on validation."""
        return self.value


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Args:
        rate: the decimal logarithm of the best learning rate.
        own: mean IoU on test of the runs of the best trial, [seeds of a trial].
        configured: of the first trial, which has the configured values, likewise.
    """

    rate: float
    own: Floats
    configured: Floats


def measured(study: Path) -> Noise:
    """The noise of a study's first arm."""
    conditions, _ = read_study(study)
    condition = next(each for each in conditions if each.searches)
    arm, search = condition.arms[0], condition.searches[0]
    assert isinstance(search.space[KEY], Range)
    trials = sorted((trial for trial in search.trials if trial.score is not None), key=lambda trial: trial.values[KEY])
    rates = np.log10([trial.values[KEY] for trial in trials])
    scores = np.array([trial.score for trial in trials], float)
    validation = np.array([record.validation_mean_iou for record in arm.records])
    test = arm.metric("test/mean_iou")
    return Noise(
        level=lambda rate: np.asarray(np.interp(rate, rates, scores)),
        validation=float(validation.std(ddof=1)),
        test=float(test.std(ddof=1)),
        correlation=float(np.corrcoef(validation, test)[0, 1]),
        space=search.space,
    )


def search(noise: Noise, seeds: int, generator: np.random.Generator, number: int) -> Searched:
    """One search with the product's defaults, on simulated runs."""
    defaults = Tuning()
    trials: list[Scored] = []
    tests: list[Floats] = []
    while len(trials) < defaults.trials:
        batch: list[Trial] = []
        for _ in range(min(defaults.batch, defaults.trials - len(trials))):
            before = [*trials, *batch]
            values = next_values(noise.space, before, defaults.sampler, number) if before else {KEY: CONFIGURED}
            assert values is not None
            batch.append(Trial(len(before), values, (), "running"))
        for trial in batch:
            level = float(noise.level(np.log10(trial.values[KEY])))
            validation, test = runs(noise, level, seeds, generator)
            trials.append(Scored(trial.number, trial.values, (), "finished", float(validation.mean())))
            tests.append(test)
    best = max(trials, key=lambda trial: trial.value)
    return Searched(float(np.log10(best.values[KEY])), tests[best.number], tests[0])


def runs(noise: Noise, level: float, seeds: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Mean IoU of runs on validation and test, [seeds] each; the test images are as difficult as the validation's."""
    covariance = noise.correlation * noise.validation * noise.test
    matrix = [[noise.validation**2, covariance], [covariance, noise.test**2]]
    validation, test = generator.multivariate_normal([level, level], matrix, size=seeds).T
    return validation, test


def errors(differences: Floats, truth: Floats | float) -> float:
    """The fraction of studies whose 95 % interval of the paired t does not contain the truth.

    Args:
        differences: [studies, seeds].
        truth: [studies], or the same for all.
    """
    count = differences.shape[1]
    half = stats.t.ppf(0.975, count - 1) * differences.std(axis=1, ddof=1) / np.sqrt(count)
    return float((np.abs(differences.mean(axis=1) - truth) > half).mean())


def simulate(noise: Noise, flat: bool, searches: int, studies: int) -> list[tuple[str, float, float | None]]:
    """The claims with their errors, and by how much a search's own runs look better than they are, in points."""
    generator = np.random.default_rng(0)
    pools = {}
    for seeds in (1, SEEDS):
        label = f"{'flat' if flat else 'measured'} function, {seeds} seeds per trial"
        numbers = track(range(searches), label, transient=True)
        pools[seeds] = [search(noise, seeds, generator, number) for number in numbers]
    single, several = pools[1], pools[SEEDS]
    rate = np.array([each.rate for each in single])
    a, b = generator.integers(searches, size=(2, studies))

    def fresh(chosen: NDArray[np.int64]) -> Floats:
        levels = noise.level(rate[chosen])
        return levels[:, None] + noise.test * generator.normal(size=(len(chosen), SEEDS))

    truth = noise.level(rate[a]) - noise.level(rate[b])
    found: list[tuple[str, float, float | None]] = []
    found.append(("the values found, by fresh seeds", errors(fresh(a) - fresh(b), truth), None))
    per_seed = [
        noise.level(rate[generator.integers(searches, size=(studies, SEEDS))])
        + noise.test * generator.normal(size=(studies, SEEDS))
        for _ in range(2)
    ]
    found.append(("the arms, tuned: one search per seed", errors(per_seed[0] - per_seed[1], 0.0), None))
    own = np.array([each.own for each in several])
    levels = noise.level(np.array([each.rate for each in several]))
    bias = 100 * float((own.mean(axis=1) - levels).mean())
    own_truth = levels[a] - levels[b]
    found.append(("the values found, by the search's own runs", errors(own[a] - own[b], own_truth), bias))
    if flat:
        configured = np.array([each.configured for each in several])
        gain = fresh(a) - noise.level(np.log10(CONFIGURED)) - noise.test * generator.normal(size=(studies, SEEDS))
        found.append(("the gain by tuning, by fresh seeds", errors(gain, 0.0), None))
        moved = np.array([each.rate for each in several]) != np.log10(CONFIGURED)
        gain = own[moved] - configured[moved]
        found.append(("the gain by tuning, by the search's own runs", errors(gain, 0.0), bias))
    return found


def main(study: str, searches: str = str(SEARCHES), studies: str = str(STUDIES)) -> None:
    """Prints the table."""
    noise = measured(Path(study))
    print(
        f"standard deviation over seeds: validation {100 * noise.validation:.2f}, test {100 * noise.test:.2f} points; "
        f"correlation {noise.correlation:.2f}\n"
    )
    print("| function | claim | error | level too good by, points |\n| --- | --- | --- | --- |")
    flat = Noise(lambda rate: 0.7 + 0 * np.asarray(rate), noise.validation, noise.test, noise.correlation, noise.space)
    for name, each in (("measured", noise), ("flat", flat)):
        for claim, error, bias in simulate(each, name == "flat", int(searches), int(studies)):
            print(f"| {name} | {claim} | {100 * error:.1f} % | {'' if bias is None else f'{bias:.2f}'} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
