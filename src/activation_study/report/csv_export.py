"""A study's tables as files: one line per run, per contrast, per class."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.analysis.contrasts import class_ious
from activation_study.analysis.findings import Findings
from activation_study.files import write_text
from activation_study.tracking.mirror import run_id_of

RUNS = (
    "study", "label_type", "activation", "seed", "mean_iou", "article_mean_iou", "epochs", "seconds", "run_id",
    "folder", "data",
)  # fmt: skip
DIFFERENCES = (
    "label_type", "metric", "a", "b", "seeds", "difference", "low", "high", "p", "p_holm", "probability_a_above_b",
    "new_images_low", "new_images_high", "p_sign_flip", "deviation", "correlation", "data",
)  # fmt: skip
CHANGES = ("label_type", "protocol", "of", "value", "low", "high", "data")
PER_CLASS = ("label_type", "class", "kind", "a", "b", "iou", "low", "high", "data")


def write_tables(folder: Path, found: Findings) -> None:
    """Writes `runs.csv`, `differences.csv`, `per_class.csv`, and `changes.csv`; IoU is
    between 0 and 1, differences are a − b.
    """
    for name, columns, lines in (
        ("runs", RUNS, _runs(found)),
        ("differences", DIFFERENCES, _differences(found)),
        ("per_class", PER_CLASS, _per_class(found)),
        ("changes", CHANGES, _changes(found)),
    ):
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
        write_text(folder / f"{name}.csv", table.getvalue())


def _runs(found: Findings) -> Iterable[list[Any]]:
    for block in found.blocks:
        for arm in block.arms:
            for seed, record, folder in zip(arm.seeds, arm.records, arm.folders, strict=True):
                scores = [record.results[key] for key in ("test/mean_iou", "test/article/mean_iou")]
                run = [
                    record.study,
                    block.title,
                    arm.name,
                    seed,
                    *scores,
                    len(record.epochs),
                    round(record.training_seconds, 1),
                ]
                yield [*run, run_id_of(folder, record) or "", folder.as_posix(), block.data]


def _differences(found: Findings) -> Iterable[list[Any]]:
    for block, contrasts in found.answered:
        for contrast in contrasts:
            paired, new = contrast.paired, contrast.new_images
            interval = [paired.difference.value, paired.difference.low, paired.difference.high]
            images = [new.difference.low, new.difference.high] if new else ["", ""]
            line = [block.title, contrast.metric, contrast.a, contrast.b, contrast.seeds, *interval, paired.p]
            more = [paired.p_sign_flip, paired.deviation, "" if np.isnan(paired.correlation) else paired.correlation]
            yield [*line, contrast.p_holm, paired.probability, *images, *more, block.data]


def _per_class(found: Findings) -> Iterable[list[Any]]:
    for block, contrasts in found.answered:
        for arm in block.arms:
            for name, values in zip(block.classes, class_ious(arm).T, strict=True):
                if not np.isnan(values).any():
                    yield [
                        block.title,
                        name,
                        "mean",
                        arm.name,
                        "",
                        values.mean(),
                        values.min(),
                        values.max(),
                        block.data,
                    ]
        for contrast in contrasts:
            for name, interval in contrast.classes.items():
                yield [
                    block.title,
                    name,
                    "difference",
                    contrast.a,
                    contrast.b,
                    interval.value,
                    interval.low,
                    interval.high,
                    block.data,
                ]


def _changes(found: Findings) -> Iterable[list[Any]]:
    for changes in found.changes:
        a, b = changes.pair
        for change in changes.changes:
            named = {**change.arms, f"{a} - {b}": change.change}
            for name, interval in named.items():
                yield [
                    changes.base.label_type,
                    change.variant,
                    name,
                    interval.value,
                    interval.low,
                    interval.high,
                    changes.base.data,
                ]
