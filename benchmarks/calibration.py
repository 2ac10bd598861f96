"""Does the comparison keep its promises? Two equal arms, simulated with the noise of a real study's runs:

    python benchmarks/calibration.py multirun/small [STUDIES]

False positives of the paired t and of the sign flips at 5 %, coverage of both 95 % intervals, for 5, 8 and 20 seeds.
The model, for image i, seed s and each true class: logit(share predicted right) = b_i + u_s + v_is. The b_i are those
of the real images, resampled; u (of a seed; correlated between the arms) and v (of a run and image) are normal with
the standard deviations measured over the real runs of each block's first two arms.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.study.comparison import PLANNED, mean_iou, on_new_images, paired
from activation_study.study.results import Block, read_study

Floats = NDArray[np.float64]
STUDIES, DRAWS = 1000, 400


@dataclass(frozen=True)
class Noise:
    """What was measured: truth [images, C] pixels, b [images], errors [images, C, C], σ_u, σ_v, correlation of u."""

    truth: Floats
    level: Floats
    errors: Floats
    seed: float
    run: float
    correlation: float


def measured(block: Block) -> Noise:
    """The noise of a block's first two arms."""
    arms = [arm.confusions[..., :-1, :].astype(float) for arm in block.arms[:2]]
    logits = [_logit(_right(counts)) for counts in arms]  # [seeds, images]
    effects = [each.mean(axis=1) - each.mean() for each in logits]
    rest = [each - each.mean(axis=0) - each.mean(axis=1, keepdims=True) + each.mean() for each in logits]
    counts = arms[0].mean(axis=0)
    errors = counts * (1 - np.eye(counts.shape[-1])) + 1e-9
    return Noise(
        truth=counts.sum(axis=-1),
        level=logits[0].mean(axis=0),
        errors=errors / errors.sum(axis=-1, keepdims=True),
        seed=float(np.mean([each.std(ddof=1) for each in effects])),
        run=float(np.mean([each.std() for each in rest])),
        correlation=float(np.corrcoef(*effects)[0, 1]),
    )


def _right(counts: Floats) -> Floats:
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))


def _logit(share: Floats) -> Floats:
    share = np.clip(share, 0.001, 0.999)
    return np.log(share / (1 - share))


def simulated(noise: Noise, seeds: int, generator: np.random.Generator) -> list[NDArray[np.int64]]:
    """The confusions [seeds, images, C + 1, C] of two equal arms on new images."""
    images = generator.integers(0, len(noise.level), len(noise.level))
    covariance = noise.seed**2 * np.array([[1, noise.correlation], [noise.correlation, 1]])
    effects = generator.multivariate_normal([0, 0], covariance, seeds)
    arms = []
    for u in effects.T:
        logit = noise.level[images] + u[:, None] + noise.run * generator.normal(size=(seeds, len(images)))
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
    print(
        "| block | σ of a seed | σ of a run and image | correlation | seeds | t: p < 0.05 | flips: p < 0.05 | ", end=""
    )
    print("test set: coverage | new images: coverage |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for block in blocks:
        noise = measured(block)
        for seeds in PLANNED:
            generator, found = np.random.default_rng(seeds), []
            for _ in range(studies):
                a, b = simulated(noise, seeds, generator)
                result = paired(mean_iou(a.sum(axis=1)), mean_iou(b.sum(axis=1)))
                new = on_new_images(a, b, [str(i) for i in range(a.shape[1])], generator, DRAWS).difference
                inside = [each.low <= 0 <= each.high for each in (result.difference, new)]
                found.append([result.p < 0.05, result.p_sign_flip < 0.05, *inside])
            rates = " | ".join(f"{100 * rate:.1f} %" for rate in np.mean(found, axis=0))
            print(
                f"| {block.title} | {noise.seed:.3f} | {noise.run:.3f} | {noise.correlation:.2f} | {seeds} | {rates} |"
            )


if __name__ == "__main__":
    main()
