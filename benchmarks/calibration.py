"""Does the comparison keep its promises? Two equal arms, simulated with the noise of a real study's runs:

    python benchmarks/calibration.py multirun/small [STUDIES]

False positives of the paired t and of the sign flips at 5 %, coverage of both 95 % intervals, for 5, 8 and 20 seeds.
The model, for image i, seed s and arm a: logit(share predicted right) = b_i + u_as + v_ais + w_ai. The b_i are those of
the real images, resampled; u (of a seed; correlated between the arms), v (of a run and image) and w (of an arm and
image: what an activation always sees better or worse) are normal with the standard deviations measured over the real
runs of each block's first two arms. With w the arms do differ on a given test set, and are equal over all images of
the kind only: so w is left out where the claim on this test set is judged, and is there for the one on new images.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.results import Block, read_study
from activation_study.analysis.statistics import PLANNED, crossed_bootstrap, paired
from activation_study.metrics import mean_iou

Floats = NDArray[np.float64]
STUDIES, DRAWS = 1000, 400
HEAD = (
    "block", "σ of a seed", "of a run and image", "of an arm and image", "correlation", "seeds", "t: p < 0.05",
    "flips: p < 0.05", "test set: coverage", "new images: coverage",
)  # fmt: skip


@dataclass(frozen=True)
class Noise:
    """What was measured: truth [images, C] pixels, b [images], errors [images, C, C], σ of u, v, w, u's correlation."""

    truth: Floats
    level: Floats
    errors: Floats
    seed: float
    run: float
    arm: float
    correlation: float


def measured(block: Block) -> Noise:
    """The noise of a block's first two arms."""
    arms = [arm.confusions[..., :-1, :].astype(float) for arm in block.arms[:2]]
    logits = [_logit(_right(counts)) for counts in arms]  # [seeds, images]
    effects = [each.mean(axis=1) - each.mean() for each in logits]
    rest = [each - each.mean(axis=0) - each.mean(axis=1, keepdims=True) + each.mean() for each in logits]
    counts = arms[0].mean(axis=0)
    errors = counts * (1 - np.eye(counts.shape[-1])) + 1e-9
    seeds, images = logits[0].shape
    of_runs = np.mean([(each**2).sum() / ((seeds - 1) * (images - 1)) for each in rest])
    of_seeds = np.mean([each.var(ddof=1) for each in effects]) - of_runs / images
    apart = logits[0].mean(axis=0) - logits[1].mean(axis=0)  # [images]: variance 2 σ_w² + 2 σ_v² / seeds
    of_arms = apart.var(ddof=1) / 2 - of_runs / seeds
    return Noise(
        truth=counts.sum(axis=-1),
        level=logits[0].mean(axis=0),
        errors=errors / errors.sum(axis=-1, keepdims=True),
        seed=float(max(of_seeds, 0)) ** 0.5,
        run=float(of_runs) ** 0.5,
        arm=float(max(of_arms, 0)) ** 0.5,
        correlation=float(np.corrcoef(*effects)[0, 1]),
    )


def _right(counts: Floats) -> Floats:
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))


def _logit(share: Floats) -> Floats:
    share = np.clip(share, 0.001, 0.999)
    return np.log(share / (1 - share))


def simulated(noise: Noise, seeds: int, generator: np.random.Generator, of_arms: float) -> list[NDArray[np.int64]]:
    """The confusions [seeds, images, C + 1, C] of two arms on new images; `of_arms` is σ_w."""
    images = generator.integers(0, len(noise.level), len(noise.level))
    covariance = noise.seed**2 * np.array([[1, noise.correlation], [noise.correlation, 1]])
    effects = generator.multivariate_normal([0, 0], covariance, seeds)
    arms = []
    for u in effects.T:
        logit = noise.level[images] + u[:, None] + noise.run * generator.normal(size=(seeds, len(images)))
        logit = logit + of_arms * generator.normal(size=len(images))
        right = (1 / (1 + np.exp(-logit)))[..., None, None]
        shares = right * np.eye(noise.truth.shape[1]) + (1 - right) * noise.errors[images]
        counts = np.round(noise.truth[images][..., None] * shares).astype(np.int64)
        arms.append(np.concatenate([counts, np.zeros_like(counts[..., :1, :])], axis=-2))
    return arms


def main() -> None:
    """Prints a table as Markdown."""
    studies = int(sys.argv[2]) if len(sys.argv) > 2 else STUDIES
    blocks, _ = read_study(Path(sys.argv[1]), allow_incomplete=True)
    print(f"{studies} simulated studies a line; standard error of 5 %: {100 * (0.05 * 0.95 / studies) ** 0.5:.1f} %\n")
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for block in blocks:
        noise = measured(block)
        for seeds in PLANNED:
            generator, found = np.random.default_rng(seeds), []
            for _ in range(studies):
                a, b = simulated(noise, seeds, generator, of_arms=0.0)
                result = paired(mean_iou(a.sum(axis=1)), mean_iou(b.sum(axis=1)))
                a, b = simulated(noise, seeds, generator, of_arms=noise.arm)
                new = crossed_bootstrap(a, b, [str(i) for i in range(a.shape[1])], generator, DRAWS).difference
                inside = [each.low <= 0 <= each.high for each in (result.difference, new)]
                found.append([result.p < 0.05, result.p_sign_flip < 0.05, *inside])
            sizes = [f"{value:.3f}" for value in (noise.seed, noise.run, noise.arm)]
            rates = [f"{100 * rate:.1f} %" for rate in np.mean(found, axis=0)]
            print(
                f"| {' | '.join([block.title, *sizes, f'{noise.correlation:.2f}', str(seeds), *rates])} |", flush=True
            )


if __name__ == "__main__":
    main()
