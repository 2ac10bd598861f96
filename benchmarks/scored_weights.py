"""How much noise the weights that are scored add to a comparison (`evaluation.weights`), from finished studies:

    python benchmarks/scored_weights.py multirun/weights64 multirun/weights96

For each label type and pair of activations: mean and standard deviation over seeds of the difference of pooled mean IoU
with the best, the last and the averaged weights of the same runs, and the ratio of its variance to that of the best
weights with a 95 % interval; and for each activation, how far its mean moves. The results are in
docs/studies/2026-11-26-weights-64 and docs/studies/2026-11-27-weights-96.
"""

import sys
from itertools import combinations
from pathlib import Path

import numpy as np

from activation_study.analysis.finished_runs import read_runs
from activation_study.analysis.formatting import display_name, format_interval, pair_name
from activation_study.analysis.other_weights import variance_ratio
from activation_study.analysis.statistics.paired import mean_over_seeds
from activation_study.config.scored_weights import WEIGHTS
from activation_study.metrics import mean_iou

Scores = dict[tuple[str, str], dict[str, dict[int, float]]]  # (label type, activation) → weights → seed → mean IoU


def scores_of(study: Path) -> Scores:
    """The pooled mean IoU of each run with each of its weights."""
    found: Scores = {}
    for run in read_runs(study)[0]:
        config = run.record.config
        arm = found.setdefault((config["label_type"]["name"], config["activation"]["name"]), {})
        for name, counts in {config["evaluation"]["weights"]: run.confusions, **run.others}.items():
            arm.setdefault(name, {})[config["seed"]] = float(mean_iou(counts.sum(axis=0)))
    return found


def print_differences(scores: Scores) -> None:
    """The differences of each pair with each of the weights, as a Markdown table."""
    print("| label type | difference | weights | seeds | mean | SD | variance / that of the best |")
    print(f"|{' --- |' * 7}")
    for (label_type, b), (other, a) in combinations(scores, 2):
        if label_type != other:
            continue
        arms = scores[label_type, a], scores[label_type, b]
        seeds = sorted(set.intersection(*(set(of_seeds) for arm in arms for of_seeds in arm.values())))
        differences = {
            name: np.array([arms[0][name][seed] - arms[1][name][seed] for seed in seeds]) for name in WEIGHTS
        }
        for name, values in differences.items():
            ratio = "1"
            if name != "best":
                found = variance_ratio(values, differences["best"])
                ratio = f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
            numbers = f"{len(seeds)} | {100 * values.mean():+.2f} | {100 * values.std(ddof=1):.2f} | {ratio}"
            print(f"| {label_type} | {pair_name(a, b)} | {name} | {numbers} |")


def print_levels(scores: Scores) -> None:
    """The mean of each activation with the best weights, and how far others move it, as a Markdown table."""
    others = " | ".join(f"{name} − best, points | SD" for name in WEIGHTS[1:])
    print(f"\n| label type | activation | best, % | SD | {others} |\n|{' --- |' * (2 + 2 * len(WEIGHTS))}")
    for (label_type, activation), arm in scores.items():
        values = {name: np.array([arm[name][seed] for seed in sorted(arm["best"])]) for name in WEIGHTS}
        cells = [f"{100 * values['best'].mean():.1f}", f"{100 * values['best'].std(ddof=1):.2f}"]
        for name in WEIGHTS[1:]:
            moved = format_interval(mean_over_seeds(values[name] - values["best"]), signed=True)
            cells += [moved, f"{100 * values[name].std(ddof=1):.2f}"]
        print(f"| {label_type} | {display_name(activation)} | {' | '.join(cells)} |")


def main() -> None:
    """Prints both tables for each study."""
    for study in map(Path, sys.argv[1:]):
        print(f"\n{study.name}\n")
        scores = scores_of(study)
        print_differences(scores)
        print_levels(scores)


if __name__ == "__main__":
    main()
