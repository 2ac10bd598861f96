"""Checks the error rates of the comparison by simulating studies of two equal arms with the noise of a real study:

    python benchmarks/calibration.py docs/studies/2026-11-24-small [STUDIES]

For 5, 8 and 20 seeds: false positives of the paired t test and the sign-flip test at 5 %, and coverage of both 95 %
intervals; the latter also of resampled real runs, and of images in groups. The results are in
docs/explanation/statistics.md, "Calibration".

The model, for image i, seed s and arm a: logit(fraction of pixels predicted correctly) = b_i + u_as + v_ais + w_ai.
The b_i are those of the real images, resampled. u (of a seed; correlated between the arms) and v (of a run and image)
are normal, with the standard deviations measured over the real runs of each condition's first two arms; w (of an arm
and image, or an arm and group: what one activation always predicts better or worse) is normal with a given standard
deviation. With w, the arms differ on a given test set and are equal only over all images of the kind. So w is 0 where
the claim on this test set is checked.
"""

import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.formatting import pair_name
from activation_study.analysis.results import Condition, read_study
from activation_study.analysis.statistics.new_images import on_new_images, pseudo_values
from activation_study.analysis.statistics.paired import PLANNED_SEEDS, Interval, mean_over_seeds, paired
from activation_study.metrics import Counts, mean_iou

Floats = NDArray[np.float64]
Rates = list[float]
STUDIES = 10_000
TESTED = 2000  # of them; the exact sign-flip test takes most of the time
SIGMAS = (0.0, 0.1, 0.2)  # standard deviations of w
GROUPS = (4, 8, 20)
HEAD = (
    "condition",
    "seeds",
    "σ of w",
    "paired t: p < 0.05",
    "sign flips: p < 0.05",
    "this test set",
    "new images",
    "width",
)


@dataclass(frozen=True)
class Noise:
    """The measured noise.

    Args:
        truth: pixels of each true class, [images, C].
        level: b of each image, [images].
        errors: for each true class, the distribution of wrong predictions over the classes, [images, C, C].
        sigma_seed: standard deviation of u.
        sigma_run: standard deviation of v.
        correlation: correlation of u between the arms.
    """

    truth: Floats
    level: Floats
    errors: Floats
    sigma_seed: float
    sigma_run: float
    correlation: float


def measure_noise(condition: Condition) -> Noise:
    """The noise of a condition's first two arms."""
    arms = [arm.confusions[..., :-1, :].astype(float) for arm in condition.arms[:2]]
    logits = [_logit(_accuracy(counts)) for counts in arms]  # [seeds, images]
    seed_effects = [logit.mean(axis=1) - logit.mean() for logit in logits]
    residuals = [logit - logit.mean(axis=0) - logit.mean(axis=1, keepdims=True) + logit.mean() for logit in logits]
    counts = arms[0].mean(axis=0)
    errors = counts * (1 - np.eye(counts.shape[-1])) + 1e-9
    seeds, images = logits[0].shape
    run_variance = np.mean([(residual**2).sum() / ((seeds - 1) * (images - 1)) for residual in residuals])
    seed_variance = np.mean([effect.var(ddof=1) for effect in seed_effects]) - run_variance / images
    return Noise(
        truth=counts.sum(axis=-1),
        level=logits[0].mean(axis=0),
        errors=errors / errors.sum(axis=-1, keepdims=True),
        sigma_seed=float(max(seed_variance, 0)) ** 0.5,
        sigma_run=float(run_variance) ** 0.5,
        correlation=float(np.corrcoef(*seed_effects)[0, 1]),
    )


def _accuracy(counts: Floats) -> Floats:
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))


def _logit(fraction: Floats) -> Floats:
    fraction = np.clip(fraction, 0.001, 0.999)
    return np.log(fraction / (1 - fraction))


def simulate(
    noise: Noise,
    seeds: int,
    generator: np.random.Generator,
    sigma: float,
    groups: int | None = None,
    arms: int = 2,
) -> tuple[list[Counts], list[str]]:
    """The confusion matrices [seeds, images, C + 1, C] of equal arms on new images, and the unit of each image.

    Args:
        noise: of a real condition.
        seeds: their number.
        generator: of the draws.
        sigma: the standard deviation of w.
        groups: the number of groups, which have a w each; None: each image has its own.
        arms: their number; the seeds of any two are correlated alike.
    """
    count = len(noise.level)
    images = generator.integers(0, count, count)
    unit = np.arange(count) if groups is None else np.arange(count) % groups
    covariance = noise.sigma_seed**2 * (noise.correlation + (1 - noise.correlation) * np.eye(arms))
    seed_effects = generator.multivariate_normal(np.zeros(arms), covariance, seeds)
    drawn = []
    for u in seed_effects.T:
        logit = noise.level[images] + u[:, None] + noise.sigma_run * generator.normal(size=(seeds, count))
        logit = logit + sigma * generator.normal(size=unit.max() + 1)[unit]
        accuracy = (1 / (1 + np.exp(-logit)))[..., None, None]
        fractions = accuracy * np.eye(noise.truth.shape[1]) + (1 - accuracy) * noise.errors[images]
        counts = np.round(noise.truth[images][..., None] * fractions).astype(np.int64)
        drawn.append(np.concatenate([counts, np.zeros_like(counts[..., :1, :])], axis=-2))
    return drawn, [str(each) for each in unit]


def simulated_rates(noise: Noise, seeds: int, sigma: float, studies: int, groups: int | None = None) -> Rates:
    """The rates over studies of two equal arms; those of the test set have no w."""
    generator, outcomes = np.random.default_rng([seeds, int(1000 * sigma), groups or 0]), []
    for number in range(studies):
        (a, b), units = simulate(noise, seeds, generator, sigma, groups)
        outcomes.append(outcome(a, b, units, 0.0, tests=sigma == 0 and number < TESTED))
    return rates(outcomes)


def resampled_rates(condition: Condition, a: int, b: int, seeds: int, studies: int) -> Rates:
    """The rates over studies of seeds and images drawn from the real ones, of which the true difference is known.

    Each arm's seeds are drawn on their own: of 8 pairs that stay together there are only 8 differences, and from few
    values drawn with replacement no t interval covers what it promises.
    """
    arms = [condition.arms[index].confusions for index in (a, b)]
    truth = float(np.mean(mean_iou(arms[0].sum(axis=1)) - mean_iou(arms[1].sum(axis=1))))
    generator, outcomes = np.random.default_rng(seeds), []
    count, images = arms[0].shape[:2]
    for _ in range(studies):
        chosen = generator.integers(0, images, images)
        sample = [arm[np.ix_(generator.integers(0, count, seeds), chosen)] for arm in arms]
        outcomes.append(outcome(*sample, [str(each) for each in range(images)], truth))
    return rates(outcomes)


def outcome(a: Counts, b: Counts, units: list[str], truth: float, tests: bool = False) -> list[float]:
    """Of one study: both p below 0.05, coverage of both intervals, width of that for new images in points.

    Without `tests`, both p are NaN.
    """
    scores = mean_iou(a.sum(axis=1)), mean_iou(b.sum(axis=1))
    new = on_new_images(pseudo_values(a, units) - pseudo_values(b, units))
    assert new is not None
    p = [np.nan, np.nan]
    if tests:
        result = paired(*scores)
        p = [result.p < 0.05, result.p_sign_flip < 0.05]
    covered = [_covers(interval, truth) for interval in (mean_over_seeds(scores[0] - scores[1]), new.difference)]
    return [*p, *covered, 100 * (new.difference.high - new.difference.low)]


def _covers(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


def rates(outcomes: list[list[float]]) -> Rates:
    """The means over studies; NaN of what none of them tested."""
    columns = np.array(outcomes).T
    return [float(np.nanmean(values)) if not np.isnan(values).all() else float("nan") for values in columns]


def row(condition: str, seeds: int, sigma: str, values: Rates) -> str:
    """A line of the table."""
    cells = ["" if np.isnan(value) else f"{100 * value:.1f} %" for value in values[:4]]
    return f"| {' | '.join([condition, str(seeds), sigma, *cells, f'{values[4]:.2f}'])} |"


def main() -> None:
    """Prints the error rates as a Markdown table."""
    studies = int(sys.argv[2]) if len(sys.argv) > 2 else STUDIES
    conditions, _ = read_study(Path(sys.argv[1]), allow_incomplete=True)
    error, of_tests = (100 * (0.05 * 0.95 / count) ** 0.5 for count in (studies, min(TESTED, studies)))
    print(f"{studies:,} studies per line; standard error of 5 %: {error:.1f} %, of the tests {of_tests:.1f} %\n")
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for condition in conditions:
        noise = measure_noise(condition)
        for sigma, seeds in product(SIGMAS, PLANNED_SEEDS):
            values = simulated_rates(noise, seeds, sigma, studies)
            print(row(condition.title, seeds, f"{sigma:g}", values), flush=True)
        for groups, seeds in product(GROUPS, (5, 20)):
            values = simulated_rates(noise, seeds, 0.2, studies, groups)
            print(row(f"{condition.title}, {groups} groups", seeds, "0.2", values), flush=True)
        for index in range(1, len(condition.arms)):
            name = f"{condition.title}, {pair_name(condition.arms[index].name, condition.arms[0].name)}, resampled"
            for seeds in PLANNED_SEEDS:
                print(row(name, seeds, "", resampled_rates(condition, index, 0, seeds, studies)), flush=True)
        sigmas = f"σ of u {noise.sigma_seed:.3f}, of v {noise.sigma_run:.3f}, correlation {noise.correlation:.2f}"
        print(f"\n{condition.title}: {sigmas}\n", file=sys.stderr)


if __name__ == "__main__":
    main()
