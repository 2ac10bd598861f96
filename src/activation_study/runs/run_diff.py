"""Whether two runs of one configuration came out the same, and if not, where they part. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from activation_study.metrics import Counts
from activation_study.records.record import Record
from activation_study.training.loop import TIMING_METRICS


@dataclass(frozen=True)
class Mismatch:
    """A value that differs.

    Args:
        where: "epoch 3", or "test".
        what: the metric's name.
        then: as recorded.
        now: as it came out.
    """

    where: str
    what: str
    then: Any
    now: Any


@dataclass(frozen=True)
class RunDiff:
    """What a comparison found.

    Args:
        epochs: compared.
        whole: whether the ends were compared too.
        partings: the values that differ, first epoch first.
        mean_iou_apart: |difference| of the pooled mean IoU, in IoU between 0 and 1; None where not compared.
    """

    epochs: int
    whole: bool
    mismatches: tuple[Mismatch, ...]
    mean_iou_apart: float | None

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.mismatches


def compare(
    then: Record, now: Record, confusions_then: Counts | None, confusions_now: Counts | None, epochs: int | None
) -> RunDiff:
    """Compares a run with its reproduction.

    Args:
        then: the record.
        now: the reproduction's.
        confusions_then: int64 [images, C + 1, C]; None where there are none.
        confusions_now: likewise.
        epochs: only so many from the beginning; None compares all, and the ends.
    """
    before, after = then.epochs[:epochs], now.epochs[:epochs]
    mismatches = []
    for number, (old, new) in enumerate(zip(before, after, strict=False), 1):
        mismatches += _mismatches(f"epoch {number}", old, new)
    if len(before) != len(after):
        mismatches.append(Mismatch("training", "number of epochs", len(before), len(after)))
    apart = None
    if epochs is None:
        mismatches += _mismatches("test", _scores(then), _scores(now))
        mismatches += _mismatches("end", _end(then), _end(now))
        if confusions_then is None or confusions_now is None or not np.array_equal(confusions_then, confusions_now):
            mismatches.append(Mismatch("test", "confusion matrices", *map(_pixels, (confusions_then, confusions_now))))
        apart = abs(then.results.get("test/mean_iou", np.nan) - now.results.get("test/mean_iou", np.nan))
    return RunDiff(min(len(before), len(after)), epochs is None, tuple(mismatches), apart)


def _mismatches(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Mismatch]:
    keys = [key for key in {**then, **now} if key not in TIMING_METRICS]
    return [Mismatch(where, key, then.get(key), now.get(key)) for key in keys if then.get(key) != now.get(key)]


def _scores(record: Record) -> dict[str, float]:
    return {key: value for key, value in record.results.items() if key.startswith("test/")}


def _end(record: Record) -> dict[str, Any]:
    return {
        "weights (sha256)": record.digests.get("weights", "none")[:16],
        "best epoch": record.results.get("best_epoch"),
        "parameters": record.results.get("parameters"),
    }


def _pixels(confusions: Counts | None) -> str:
    return "missing" if confusions is None else f"{np.trace(confusions.sum(axis=0)[:-1])} pixels right"
