"""Simulates studies whose seeds are added at planned looks (`seeds=auto`): errors, and runs saved:

    python benchmarks/planned_looks.py docs/studies/2026-11-24-small [STUDIES]

The noise of the seeds is that of the model of `calibration.py`, scaled so that the difference of a pair has the given
standard deviation over the seeds. One contrast is that of two arms on one label type; two are those of three arms; four
are those on two label types. All contrasts have the given true difference. The margin is 1 point. The results are in
docs/explanation/planned-looks.md.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.looks.planned_looks import Plan, follow
from activation_study.analysis.looks.sequential_tests import paths_of_p
from activation_study.analysis.results import read_study
from activation_study.analysis.statistics.paired import SIGNIFICANCE_LEVEL, holm
from activation_study.config.planned_seeds import STANDARD_LOOKS
from activation_study.metrics import mean_iou
from calibration import measure_noise, simulate

Floats = NDArray[np.float64]
STUDIES = 2000
ARMS = 3
MARGIN = 0.01
DEVIATIONS = (1.2, 1.9)  # of the difference of a pair over the seeds, in points
EFFECTS = (0, 1, 2, 3)  # in points
FUTILITIES = (0.0, 0.1, 0.3)
CONTRASTS = {1: [(0, 1)], 2: [(0, 1), (0, 2)], 4: [(0, 1), (0, 2), (1, 1), (1, 2)]}  # (label type, arm) against arm 0
HEAD = (
    "contrasts", "σ", "difference", "futility", "seeds", "runs saved", "above", "below", "equivalent", "open",
    "any error", "found by a fixed 20",
)  # fmt: skip


def draw(study: Path, studies: int) -> Floats:
    """Scores of equal arms, whose differences have a standard deviation of 1: [studies, label types, arms, seeds].

    Args:
        study: a real study with two label types.
        studies: their number.
    """
    conditions, _ = read_study(study, allow_incomplete=True)
    drawn = []
    for condition in conditions[:2]:
        noise, generator = measure_noise(condition), np.random.default_rng(0)
        scores = []
        for _ in range(studies):
            arms, _ = simulate(noise, STANDARD_LOOKS[-1], generator, 0.0, arms=ARMS)
            scores.append([mean_iou(arm.sum(axis=1)) for arm in arms])
        centred = np.array(scores)  # on its own test set, each study's arms are equal but for their seeds
        deviation = np.sqrt(np.mean(np.var(centred[:, 1] - centred[:, 0], axis=1, ddof=1)))
        drawn.append(centred / deviation)
    return np.stack(drawn, axis=1)


def outcome(scores: Floats, contrasts: int, plan: Plan, effect: float) -> list[float]:
    """Of one study: a row of the table from `seeds` on.

    Args:
        scores: IoU of each label type, arm and seed.
        contrasts: their number.
        plan: of the looks.
        effect: the true difference.
    """
    pairs = CONTRASTS[contrasts]
    differences = [scores[label_type, arm] - scores[label_type, 0] + effect for label_type, arm in pairs]
    paths = follow(differences, plan)
    seeds = [path[-1].seeds for path in paths]
    most: dict[int, int] = {}  # seeds of arm 0 of each label type
    for count, (label_type, _) in zip(seeds, pairs, strict=True):
        most[label_type] = max(count, most.get(label_type, 0))
    saved = 1 - (sum(seeds) + sum(most.values())) / (plan.looks[-1] * (len(seeds) + len(most)))
    answers = [path[-1].answer for path in paths]
    shares = [answers.count(answer) / len(answers) for answer in ("above", "below", "equivalent", "open")]
    wrong = {"below"} | ({"above"} if effect == 0 else set()) | ({"equivalent"} if effect >= MARGIN else set())
    last = plan.looks[-1:]
    fixed = holm([float(paths_of_p(each[None], last)[0, 0]) for each in differences])
    found = np.mean([p < SIGNIFICANCE_LEVEL for p in fixed])
    return [float(np.mean(seeds)), saved, *shares, float(bool(wrong & set(answers))), float(found)]


def main() -> None:
    """Prints the results as a Markdown table."""
    studies = int(sys.argv[2]) if len(sys.argv) > 2 else STUDIES
    drawn = draw(Path(sys.argv[1]), studies)
    error = 100 * (SIGNIFICANCE_LEVEL * (1 - SIGNIFICANCE_LEVEL) / studies) ** 0.5
    print(f"{studies:,} studies per line; standard error of 5 %: {error:.1f} %; looks at {STANDARD_LOOKS}\n")
    print(f"| {' | '.join(HEAD)} |\n|{' --- |' * len(HEAD)}")
    for contrasts, deviation, effect, futility in product(CONTRASTS, DEVIATIONS, EFFECTS, FUTILITIES):
        plan = Plan(STANDARD_LOOKS, MARGIN, futility)
        outcomes = [outcome(each * deviation / 100, contrasts, plan, effect / 100) for each in drawn]
        seeds, *rates = np.mean(outcomes, axis=0)
        setting = (str(contrasts), str(deviation), str(effect), f"{futility:g}", f"{seeds:.1f}")
        print(f"| {' | '.join([*setting, *(f'{100 * rate:.1f} %' for rate in rates)])} |", flush=True)


if __name__ == "__main__":
    main()
