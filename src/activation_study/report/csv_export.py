"""A study's results as CSV files. Their columns are described in docs/reference/report-tables.md."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.analysis.contrasts import class_ious
from activation_study.analysis.findings import Findings
from activation_study.analysis.results import Condition
from activation_study.analysis.statistics.paired import Interval
from activation_study.config.search_space import value_text
from activation_study.files import write_text
from activation_study.tracking.mirror import run_id_of

RUNS = (
    "study", "label_type", "activation", "seed", "mean_iou", "article_mean_iou", "epochs", "seconds", "run_id",
    "folder", "data", "variant", "arm", "ended_at_cap",
)  # fmt: skip
DIFFERENCES = (
    "label_type", "metric", "a", "b", "seeds", "difference", "low", "high", "p", "p_holm", "probability_a_above_b",
    "new_images_low", "new_images_high", "p_sign_flip", "deviation", "correlation", "data",
    "variant", "new_images_units", "variance_seeds", "variance_images", "variance_both",
    "probability_low", "probability_high", "p_welch", "effect_size",
    "afterwards", "family", "margin", "p_equivalence_holm", "answer", "seeds_to_settle",
)  # fmt: skip
CHANGES = ("label_type", "protocol", "of", "value", "low", "high", "data", "variant")
LOOKS = (
    "label_type", "metric", "a", "b", "seeds", "difference", "low", "high", "p", "p_equivalence", "answer", "chance",
    "data", "variant",
)  # fmt: skip
TRIALS = (
    "label_type", "arm", "trial", "state", "key", "value", "validation_mean_iou", "epochs", "seconds", "data",
    "of_seed",
)  # fmt: skip
PER_CLASS = ("label_type", "class", "kind", "a", "b", "iou", "low", "high", "data", "variant")


def write_tables(folder: Path, findings: Findings) -> None:
    """Writes `runs.csv`, `differences.csv`, `per_class.csv`, `changes.csv`, of planned looks `looks.csv`, and of
    searches `trials.csv`.

    IoU is between 0 and 1, differences are a − b.

    Args:
        folder: folder of the report.
        findings: results of the study.
    """
    for name, columns, lines in (
        ("runs", RUNS, _runs(findings)),
        ("differences", DIFFERENCES, _differences(findings)),
        ("per_class", PER_CLASS, _per_class(findings)),
        ("changes", CHANGES, _changes(findings)),
        *([("looks", LOOKS, _looks(findings))] if findings.planned else []),
        *([("trials", TRIALS, _trials(findings))] if any(each.searches for each in findings.main) else []),
    ):
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
        write_text(folder / f"{name}.csv", table.getvalue())


def _runs(findings: Findings) -> Iterable[list[Any]]:
    for condition in findings.conditions:
        for arm in condition.arms:
            for seed, record, folder in arm.runs:
                article = record.results["test/article/mean_iou"] if record.has_article_score else ""
                scores = [record.results["test/mean_iou"], article]
                cost = [len(record.epochs), round(record.training_seconds, 1)]
                location = [run_id_of(folder, record) or "", folder.as_posix()]
                variant = ", ".join([*condition.variant, *arm.name.split(" ")[1:]])
                names = [condition.data, variant, arm.name, record.ended_at_cap]
                names_of_run = [record.study, condition.label_type, record.config["activation"]["name"], seed]
                yield [*names_of_run, *scores, *cost, *location, *names]


def _trials(findings: Findings) -> Iterable[list[Any]]:
    for condition in findings.main:
        for search in condition.searches:
            for trial in search.trials:
                score = "" if trial.score is None else trial.score
                cost = [trial.epochs, round(trial.seconds, 1)]
                last = [condition.data, "" if search.of_seed is None else search.of_seed]
                for key, value in trial.values.items():
                    names = [condition.label_type, search.arm, trial.number, trial.state]
                    yield [*names, key, value_text(value), score, *cost, *last]


def _differences(findings: Findings) -> Iterable[list[Any]]:
    for condition, contrasts in findings.compared:
        for contrast in contrasts:
            paired, new = contrast.paired, contrast.new_images
            yield [
                condition.label_type,
                contrast.metric,
                contrast.a,
                contrast.b,
                contrast.seeds,
                *_numbers(paired.difference),
                paired.p,
                contrast.p_holm,
                paired.probability_of_superiority.value,
                *([new.difference.low, new.difference.high] if new else ["", ""]),
                paired.p_sign_flip,
                paired.deviation,
                "" if np.isnan(paired.correlation) else paired.correlation,
                *_columns(condition),
                *([new.units, new.seeds, new.images, new.both] if new else [""] * 4),
                paired.probability_of_superiority.low,
                paired.probability_of_superiority.high,
                paired.p_welch,
                "" if np.isnan(paired.effect_size) else paired.effect_size,
                contrast.afterwards,
                contrast.family or "",
                *(contrast.margin, contrast.p_equivalence, contrast.answer, contrast.seeds_to_settle),
            ]


def _looks(findings: Findings) -> Iterable[list[Any]]:
    for condition, contrasts in findings.compared:
        for contrast in (contrast for contrast in contrasts if contrast.primary):
            for look in contrast.looks:
                names = [condition.label_type, contrast.metric, contrast.a, contrast.b]
                yield [*names, *look.fields.values(), *_columns(condition)]


def _per_class(findings: Findings) -> Iterable[list[Any]]:
    for condition, contrasts in findings.compared:
        for arm in condition.arms:
            for name, values in zip(condition.classes, class_ious(arm).T, strict=True):
                if not np.isnan(values).any():
                    numbers = [values.mean(), values.min(), values.max()]
                    yield [condition.label_type, name, "mean", arm.name, "", *numbers, *_columns(condition)]
        for contrast in contrasts:
            for name, interval in contrast.class_differences.items():
                ends = [*_numbers(interval), *_columns(condition)]
                yield [condition.label_type, name, "difference", contrast.a, contrast.b, *ends]


def _changes(findings: Findings) -> Iterable[list[Any]]:
    for ablations in findings.ablations:
        for change in ablations.changes:
            for name, interval in {
                **change.arms,
                **{f"{a} - {b}": each for (a, b), each in change.changes.items()},
            }.items():
                ends = [*_numbers(interval), *_columns(ablations.base)]
                yield [ablations.base.label_type, change.variant, name, *ends]


def _columns(condition: Condition) -> list[str]:
    """What sets a condition apart besides its label type, in the last columns."""
    return [condition.data, ", ".join(condition.variant)]


def _numbers(interval: Interval) -> list[float]:
    return [interval.value, interval.low, interval.high]
