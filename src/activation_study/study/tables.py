"""A study's tables as files: one line per run, per contrast, per class."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from activation_study.files import write_text
from activation_study.study.answer import Contrast, class_ious
from activation_study.study.results import Block

Answered = Sequence[tuple[Block, Sequence[Contrast]]]

RUNS = (
    "study", "label_type", "activation", "seed", "mean_iou", "article_mean_iou", "epochs", "seconds", "run_id",
    "folder",
)  # fmt: skip
DIFFERENCES = (
    "label_type", "metric", "a", "b", "seeds", "difference", "low", "high", "p", "p_holm", "probability_a_above_b",
    "new_images_low", "new_images_high", "p_sign_flip", "deviation", "correlation",
)  # fmt: skip
PER_CLASS = ("label_type", "class", "kind", "a", "b", "iou", "low", "high")


def write_tables(folder: Path, answered: Answered) -> None:
    """Writes `runs.csv`, `differences.csv` and `per_class.csv`; differences a − b of IoU between 0 and 1."""
    for name, columns, lines in (
        ("runs", RUNS, _runs(answered)),
        ("differences", DIFFERENCES, _differences(answered)),
        ("per_class", PER_CLASS, _per_class(answered)),
    ):
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(lines)
        write_text(folder / f"{name}.csv", table.getvalue())


def _runs(answered: Answered) -> Iterable[list[Any]]:
    for block, _ in answered:
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
                yield [*run, record.key, folder.as_posix()]


def _differences(answered: Answered) -> Iterable[list[Any]]:
    for block, contrasts in answered:
        for contrast in contrasts:
            found, new = contrast.paired, contrast.new_images
            interval = [found.difference.value, found.difference.low, found.difference.high]
            images = [new.difference.low, new.difference.high] if new else ["", ""]
            line = [block.title, contrast.metric, contrast.a, contrast.b, contrast.seeds, *interval, found.p]
            more = [found.p_sign_flip, found.deviation, "" if np.isnan(found.correlation) else found.correlation]
            yield [*line, contrast.p_holm, found.probability, *images, *more]


def _per_class(answered: Answered) -> Iterable[list[Any]]:
    for block, contrasts in answered:
        for arm in block.arms:
            for name, values in zip(block.classes, class_ious(arm).T, strict=True):
                if not np.isnan(values).any():
                    yield [block.title, name, "mean", arm.name, "", values.mean(), values.min(), values.max()]
        for contrast in contrasts:
            for name, found in contrast.classes.items():
                yield [block.title, name, "difference", contrast.a, contrast.b, found.value, found.low, found.high]
