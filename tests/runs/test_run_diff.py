"""Comparing a run with its reproduction, on records made up for the purpose."""

import copy

import numpy as np
import pytest

from activation_study.records.environment import PACKAGES, differences
from activation_study.records.record import Record
from activation_study.runs.run_diff import compare

CONFUSIONS = np.array([[[5, 1], [2, 6], [1, 0]]])


def record() -> Record:
    epochs = [{"train/loss": 1 / n, "val/loss": 2 / n, "epoch_seconds": 3.0, "time": 7.0} for n in (1, 2, 3)]
    environment = {
        "versions": dict.fromkeys(PACKAGES, "1.0"), "threads": 2, "device": "CPU",
        "backend": "tensorflow", "processor": "x",
    }  # fmt: skip
    digests = {"data": "d" * 64, "code": "c" * 64, "initial_weights": "i" * 64, "order": "o" * 64, "weights": "w" * 64}
    results = {"test/mean_iou": 0.5, "best_epoch": 2.0, "parameters": 9.0, "evaluation_seconds": 1.0}
    return Record("run", "study", "0", {}, [], [], environment, digests, epochs=epochs, results=results)


def changed(**values: object) -> Record:
    other = copy.deepcopy(record())
    for place, value in values.items():
        holder, key = place.split("__")
        getattr(other, holder)[key] = value
    return other


def test_equal_runs_are_identical_whatever_time_they_took() -> None:
    other = changed(results__evaluation_seconds=9.0)
    other.epochs[0] |= {"epoch_seconds": 99.0, "time": 1.0}
    verdict = compare(record(), other, CONFUSIONS, CONFUSIONS.copy(), None)
    assert verdict.identical
    assert verdict.whole
    assert verdict.epochs == 3
    assert verdict.mean_iou_apart == 0


def test_the_first_epoch_and_metric_that_differ_are_named() -> None:
    other = record()
    other.epochs[1]["val/loss"] += 1e-16 * 4
    other.epochs[2]["train/loss"] = 7.0
    verdict = compare(record(), other, CONFUSIONS, CONFUSIONS, None)
    assert [(mismatch.where, mismatch.what) for mismatch in verdict.mismatches] == [
        ("epoch 2", "val/loss"),
        ("epoch 3", "train/loss"),
    ]
    assert compare(record(), other, None, None, 1).identical
    assert not compare(record(), other, None, None, 2).identical


@pytest.mark.parametrize(
    "values",
    [{"digests__weights": "x" * 64}, {"results__test/mean_iou": 0.51}, {"results__best_epoch": 3.0}],
)
def test_any_difference_at_the_end_counts(values: dict[str, object]) -> None:
    verdict = compare(record(), changed(**values), CONFUSIONS, CONFUSIONS, None)
    assert len(verdict.mismatches) == 1


def test_other_confusions_missing_ones_and_another_number_of_epochs_count() -> None:
    assert not compare(record(), record(), CONFUSIONS, CONFUSIONS + 1, None).identical
    assert not compare(record(), record(), None, CONFUSIONS, None).identical
    shorter = record()
    shorter.epochs.pop()
    assert [mismatch.what for mismatch in compare(record(), shorter, None, None, 3).mismatches] == ["number of epochs"]


def test_how_far_apart_is_said_in_iou() -> None:
    verdict = compare(record(), changed(**{"results__test/mean_iou": 0.47}), CONFUSIONS, CONFUSIONS, None)
    assert verdict.mean_iou_apart == pytest.approx(0.03)


def test_differences_of_circumstances_are_named_likeliest_cause_first() -> None:
    assert differences(record(), record()) == []
    other = changed(environment__threads=1, digests__code="x" * 64, digests__order="x" * 64)
    other.environment["versions"] = {**other.environment["versions"], "keras": "2.0"}
    assert differences(record(), other) == [
        "code (then cccccccccccc, now xxxxxxxxxxxx)",
        "threads (then 2, now 1)",
        "keras (then 1.0, now 2.0)",
        "order (then oooooooooooo, now xxxxxxxxxxxx)",
    ]
