"""Checks the error rates of the comparison by simulating studies of two equal arms with the noise of a real study:

    python benchmarks/calibration.py multirun/small [STUDIES]

For 5, 8 and 20 seeds: false positives of the paired t test and the sign-flip test at 5 %, and coverage of both 95 %
intervals. The results are in docs/explanation/statistics.md, "Calibration".

The model, for image i, seed s and arm a: logit(fraction of pixels predicted correctly) = b_i + u_as + v_ais + w_ai.
The b_i are those of the real images, resampled. u (of a seed; correlated between the arms), v (of a run and image) and
w (of an arm and image: what one activation always predicts better or worse) are normal, with the standard deviations
measured over the real runs of each condition's first two arms. With w, the arms differ on a given test set and are
equal only over all images of the kind. So w is 0 where the claim on this test set is checked, and included where the
claim on new images is checked.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.results import Condition, read_study
from activation_study.analysis.statistics import PLANNED_SEEDS, crossed_bootstrap, paired
from activation_study.metrics import mean_iou

Floats = NDArray[np.float64]
STUDIES, DRAWS = 1000, 400
HEAD = (
    "condition", "σ of u", "of v", "of w", "correlation", "seeds", "paired t: p < 0.05", "sign flips: p < 0.05",
    "interval on this test set: coverage", "for new images: coverage",
)  # fmt: skip


@dataclass(frozen=True)
class Noise:
    """The measured noise.

    Args:
        truth: pixels of each true class, [images, C].
        level: b of each image, [images].
        errors: for each true class, the distribution of wrong predictions over the classes, [images, C, C].
        sigma_seed: standard deviation of u.
        sigma_run: standard deviation of v.
        sigma_arm: standard deviation of w.
        correlation: correlation of u between the arms.
    """

    truth: Floats
    level: Floats
    errors: Floats
    sigma_seed: float
    sigma_run: float
    sigma_arm: float
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
    differences = logits[0].mean(axis=0) - logits[1].mean(axis=0)  # [images]: variance 2 σ_w² + 2 σ_v² / seeds
    arm_variance = differences.var(ddof=1) / 2 - run_variance / seeds
    return Noise(
        truth=counts.sum(axis=-1),
        level=logits[0].mean(axis=0),
        errors=errors / errors.sum(axis=-1, keepdims=True),
        sigma_seed=float(max(seed_variance, 0)) ** 0.5,
        sigma_run=float(run_variance) ** 0.5,
        sigma_arm=float(max(arm_variance, 0)) ** 0.5,
        correlation=float(np.corrcoef(*seed_effects)[0, 1]),
    )


def _accuracy(counts: Floats) -> Floats:
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))


def _logit(fraction: Floats) -> Floats:
    fraction = np.clip(fraction, 0.001, 0.999)
    return np.log(fraction / (1 - fraction))


def simulate(noise: Noise, seeds: int, generator: np.random.Generator, sigma_arm: float) -> list[NDArray[np.int64]]:
    """The confusion matrices [seeds, images, C + 1, C] of two arms on new images; `sigma_arm` is σ_w."""
    images = generator.integers(0, len(noise.level), len(noise.level))
    covariance = noise.sigma_seed**2 * np.array([[1, noise.correlation], [noise.correlation, 1]])
    seed_effects = generator.multivariate_normal([0, 0], covariance, seeds)
    arms = []
    for u in seed_effects.T:
        logit = noise.level[images] + u[:, None] + noise.sigma_run * generator.normal(size=(seeds, len(images)))
        logit = logit + sigma_arm * generator.normal(size=len(images))
        accuracy = (1 / (1 + np.exp(-logit)))[..., None, None]
        fractions = accuracy * np.eye(noise.truth.shape[1]) + (1 - accuracy) * noise.errors[images]
        counts = np.round(noise.truth[images][..., None] * fractions).astype(np.int64)
        arms.append(np.concatenate([counts, np.zeros_like(counts[..., :1, :])], axis=-2))
    return arms


def error_rates(noise: Noise, seeds: int, studies: int) -> Floats:
    """Rates of p < 0.05 of the paired t and of the sign flips, and coverage of the two intervals: [4]."""
    generator, outcomes = np.random.default_rng(seeds), []
    for _ in range(studies):
        a, b = simulate(noise, seeds, generator, sigma_arm=0.0)
        result = paired(mean_iou(a.sum(axis=1)), mean_iou(b.sum(axis=1)))
        a, b = simulate(noise, seeds, generator, sigma_arm=noise.sigma_arm)
        images = [str(index) for index in range(a.shape[1])]
        new = crossed_bootstrap(a, b, images, generator, DRAWS).difference
        covered = [interval.low <= 0 <= interval.high for interval in (result.difference, new)]
        outcomes.append([result.p < 0.05, result.p_sign_flip < 0.05, *covered])
    return np.mean(outcomes, axis=0)


def main() -> None:
    """Prints the error rates as a Markdown table."""
    studies = int(sys.argv[2]) if len(sys.argv) > 2 else STUDIES
    conditions, _ = read_study(Path(sys.argv[1]), allow_incomplete=True)
    error = 100 * (0.05 * 0.95 / studies) ** 0.5
    print(f"{studies} simulated studies per line; standard error of 5 %: {error:.1f} %\n")
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for condition in conditions:
        noise = measure_noise(condition)
        for seeds in PLANNED_SEEDS:
            rates = [f"{100 * rate:.1f} %" for rate in error_rates(noise, seeds, studies)]
            sigmas = [f"{value:.3f}" for value in (noise.sigma_seed, noise.sigma_run, noise.sigma_arm)]
            cells = [condition.title, *sigmas, f"{noise.correlation:.2f}", str(seeds), *rates]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
