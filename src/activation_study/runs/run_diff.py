"""Compares two runs of one configuration and lists where they differ. Pure functions."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from activation_study.config.scored_weights import WEIGHTS, weights_digest_key
from activation_study.image_metrics.registry import known_image_metrics
from activation_study.metrics import Counts
from activation_study.records.record import Record
from activation_study.records.run import Run
from activation_study.training.loop import TIMING_METRICS


@dataclass(frozen=True)
class Mismatch:
    """A value that differs.

    Args:
        where: e.g. "epoch 3" or "test".
        what: name of the metric.
        then: the original's value.
        now: the reproduction's value.
    """

    where: str
    what: str
    then: Any
    now: Any


@dataclass(frozen=True)
class RunDiff:
    """The result of a comparison.

    Args:
        epochs: number of epochs that were compared.
        whole: whether the final weights and scores were compared too.
        mismatches: the values that differ, first epoch first.
        mean_iou_apart: absolute difference of the pooled mean IoU, between 0 and 1; None if not compared.
    """

    epochs: int
    whole: bool
    mismatches: tuple[Mismatch, ...]
    mean_iou_apart: float | None

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.mismatches


def compare(original: Run, reproduction: Run, epochs: int | None) -> RunDiff:
    """Compares a run with its reproduction; timing metrics are ignored.

    Args:
        original: the recorded run.
        reproduction: the same configuration, trained again.
        epochs: compare only this many epochs from the start; None compares all of them and the final results.
    """
    then, now = original.record, reproduction.record
    epochs_then, epochs_now = then.epochs[:epochs], now.epochs[:epochs]
    mismatches = []
    for number, (metrics_then, metrics_now) in enumerate(zip(epochs_then, epochs_now, strict=False), 1):
        mismatches += _mismatches(f"epoch {number}", metrics_then, metrics_now)
    if len(epochs_then) != len(epochs_now):
        mismatches.append(Mismatch("training", "number of epochs", len(epochs_then), len(epochs_now)))
    mean_iou_apart = None
    if epochs is None:
        mismatches += _mismatches("test", *_scores(then, now))
        mismatches += _mismatches("end", *_final_values(then, now))
        mismatches += _confusion_mismatches(original.confusions, reproduction.confusions)
        mismatches += _image_mismatches(original, reproduction)
        mean_iou_apart = abs(then.results.get("test/mean_iou", np.nan) - now.results.get("test/mean_iou", np.nan))
    return RunDiff(min(len(epochs_then), len(epochs_now)), epochs is None, tuple(mismatches), mean_iou_apart)


def _mismatches(where: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Mismatch]:
    keys = [key for key in {**then, **now} if key not in TIMING_METRICS]
    return [Mismatch(where, key, then.get(key), now.get(key)) for key in keys if then.get(key) != now.get(key)]


def _confusion_mismatches(then: Counts, now: Counts) -> list[Mismatch]:
    """Missing confusion matrices count as different, even if both runs lack them."""
    if len(then) and np.array_equal(then, now):
        return []
    return [Mismatch("test", "confusion matrices", _correct_pixels(then), _correct_pixels(now))]


def _image_mismatches(then: Run, now: Run) -> Iterator[Mismatch]:
    """What differs of the test images, and of those of their further counts that both runs have."""
    of_images = {
        "names of the test images": (then.images, now.images),
        "pixels of the test images": (then.image_hashes, now.image_hashes),
        "groups of the test images": (then.groups, now.groups),
    }
    of_names = {
        "confusion matrices of the {} weights": (then.others, now.others),
        "counts of {}": (then.image_counts, now.image_counts),
    }
    for what, (before, after) in of_images.items():
        if before != after:
            pair = next((pair for pair in zip(before, after, strict=False) if pair[0] != pair[1]), None)
            yield Mismatch("test", what, *(pair or (len(before), len(after))))
    for what, (counts, others) in of_names.items():
        for name in counts.keys() & others.keys():
            if not np.array_equal(counts[name], others[name]):
                yield Mismatch("test", what.format(name), _digest(counts[name]), _digest(others[name]))


def _scores(then: Record, now: Record) -> list[dict[str, float]]:
    """The scores of both.

    The article's only if both have it, since earlier versions recorded it for every run; those of further weights only
    if both have them, since earlier versions scored one; likewise those of metrics of images.
    """
    both = [{key: value for key, value in each.results.items() if key.startswith("test/")} for each in (then, now)]
    plugged = (name for each in (then, now) for name in known_image_metrics(each.config))
    further = (*(f"{name}/" for name in WEIGHTS), *dict.fromkeys(plugged))
    optional = ("test/article/", *(f"test/{name}" for name in further))
    missing = [prefix for prefix in optional if not all(any(key.startswith(prefix) for key in each) for each in both)]
    return [{key: value for key, value in each.items() if not key.startswith(tuple(missing))} for each in both]


def _final_values(then: Record, now: Record) -> list[dict[str, Any]]:
    """What both have at their end; the digests of further weights only if both have them."""
    keys = [weights_digest_key(name) for name in WEIGHTS]
    shared = [key for key in keys if key in then.digests and key in now.digests]
    return [_values_at_the_end(record, ["weights", *shared]) for record in (then, now)]


def _values_at_the_end(record: Record, digests: Sequence[str]) -> dict[str, Any]:
    return {
        **{f"{key.replace('_', ' ')} (sha256)": record.digests.get(key, "none")[:16] for key in digests},
        "best epoch": record.results.get("best_epoch"),
        "parameters": record.results.get("parameters"),
    }


def _digest(counts: Counts) -> str:
    return f"SHA-256 {hashlib.sha256(np.ascontiguousarray(counts).tobytes()).hexdigest()[:12]}"


def _correct_pixels(confusions: Counts) -> str:
    return f"{np.trace(confusions.sum(axis=0)[:-1])} pixels correct" if len(confusions) else "missing"
