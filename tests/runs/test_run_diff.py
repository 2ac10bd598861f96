"""Comparing a run with its reproduction, on made-up records."""

import copy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study.records.environment import PACKAGES, _packages, differences
from activation_study.records.record import Record
from activation_study.records.run import Run
from activation_study.runs.run_diff import compare
from activation_study.validation import from_hydra
from hydra_compose import composed

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
    for path, value in values.items():
        field, key = path.split("__")
        getattr(other, field)[key] = value
    return other


def run(record: Record, confusions: NDArray[np.int64] | None = CONFUSIONS) -> Run:
    return Run(record, Path("run")) if confusions is None else Run(record, Path("run"), confusions)


def test_equal_runs_are_identical_however_long_they_took() -> None:
    other = changed(results__evaluation_seconds=9.0)
    other.epochs[0] |= {"epoch_seconds": 99.0, "time": 1.0}
    diff = compare(run(record()), run(other, CONFUSIONS.copy()), None)
    assert diff.identical
    assert diff.whole
    assert diff.epochs == 3
    assert diff.mean_iou_apart == 0


def test_the_first_epoch_and_metric_that_differ_come_first() -> None:
    other = record()
    other.epochs[1]["val/loss"] += 1e-16 * 4
    other.epochs[2]["train/loss"] = 7.0
    diff = compare(run(record()), run(other), None)
    assert [(mismatch.where, mismatch.what) for mismatch in diff.mismatches] == [
        ("epoch 2", "val/loss"),
        ("epoch 3", "train/loss"),
    ]
    assert compare(run(record(), None), run(other, None), 1).identical
    assert not compare(run(record(), None), run(other, None), 2).identical


@pytest.mark.parametrize(
    "values",
    [{"digests__weights": "x" * 64}, {"results__test/mean_iou": 0.51}, {"results__best_epoch": 3.0}],
)
def test_any_difference_in_the_final_results_is_a_mismatch(values: dict[str, object]) -> None:
    diff = compare(run(record()), run(changed(**values)), None)
    assert len(diff.mismatches) == 1


def test_different_or_missing_confusions_and_another_number_of_epochs_are_mismatches() -> None:
    assert not compare(run(record()), run(record(), CONFUSIONS + 1), None).identical
    assert not compare(run(record(), None), run(record()), None).identical
    assert not compare(run(record(), None), run(record(), None), None).identical
    shorter = record()
    shorter.epochs.pop()
    diff = compare(run(record(), None), run(shorter, None), 3)
    assert [mismatch.what for mismatch in diff.mismatches] == ["number of epochs"]


EVALUATED = Run(
    record(),
    Path("run"),
    CONFUSIONS,
    images=("a", "b"),
    image_hashes=("1", "2"),
    groups=("x", "y"),
    others={"last": CONFUSIONS, "ema": CONFUSIONS + 1},
    image_counts={"boundary_iou": CONFUSIONS},
)


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"images": ("b", "a")}, "names of the test images"),
        ({"image_hashes": ("1", "3")}, "pixels of the test images"),
        ({"groups": ("y", "y")}, "groups of the test images"),
        ({"others": {"last": CONFUSIONS, "ema": CONFUSIONS[:, ::-1]}}, "confusion matrices of the ema weights"),
        ({"image_counts": {"boundary_iou": CONFUSIONS + 1}}, "counts of boundary_iou"),
    ],
)
def test_everything_that_the_evaluation_stored_is_compared(values: dict[str, Any], what: str) -> None:
    assert compare(EVALUATED, replace(EVALUATED), None).identical
    (mismatch,) = compare(EVALUATED, replace(EVALUATED, **values), None).mismatches
    assert (mismatch.where, mismatch.what) == ("test", what)


@pytest.mark.parametrize("values", [{"others": {}}, {"image_counts": {}}, {"others": {"last": CONFUSIONS}}])
def test_counts_that_an_earlier_version_did_not_store_are_not_compared(values: dict[str, Any]) -> None:
    assert compare(replace(EVALUATED, **values), EVALUATED, None).identical


def test_scores_of_metrics_of_images_are_compared_if_both_have_them() -> None:
    newer = changed(**{"results__test/boundary_iou": 0.4})
    assert compare(run(record()), run(newer), None).identical, "an earlier version did not compute it"
    other = changed(**{"results__test/boundary_iou": 0.5})
    (mismatch,) = compare(run(newer), run(other), None).mismatches
    assert (mismatch.what, mismatch.then, mismatch.now) == ("test/boundary_iou", 0.4, 0.5)


def test_the_difference_of_the_mean_iou_is_reported() -> None:
    diff = compare(run(record()), run(changed(**{"results__test/mean_iou": 0.47})), None)
    assert diff.mean_iou_apart == pytest.approx(0.03)


@pytest.mark.parametrize(("package", "backend"), [("jax", "jax"), ("jaxlib", "jax"), ("torch", "torch")])
def test_a_package_of_another_backend_explains_nothing(package: str, backend: str) -> None:
    other = changed()
    other.environment["versions"] = {**record().environment["versions"], package: None}
    assert differences(record(), other) == []
    on = [changed(environment__backend=backend), copy.deepcopy(other)]
    on[1].environment["backend"] = backend
    assert differences(on[0], on[1]) == [f"{package} (then 1.0, now None)"]


def test_packages_that_an_older_record_does_not_name_explain_nothing() -> None:
    other = record()
    other.environment["versions"] = {**other.environment["versions"], "pillow": "13.0"}
    assert differences(record(), other) == []
    assert differences(other, record()) == ["pillow (then 13.0, now None)"]


def test_packages_are_recorded_where_they_decide_something() -> None:
    config = from_hydra(composed(["data=scenes", "tuning=learning_rate"]))
    assert set(_packages(config)) == set(PACKAGES)
    config.tuning.trial = 0
    assert set(_packages(config)) - set(PACKAGES) == {"optuna"}
    config.tuning.trial, config.data.format = None, "folder"
    assert set(_packages(config)) - set(PACKAGES) == {"pillow", "tifffile", "imagecodecs"}


def test_packages_of_cuda_are_recorded_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = [SimpleNamespace(name=name) for name in ("numpy", "nvidia-cudnn-cu12", "nvidia-cublas-cu12")]
    monkeypatch.setattr("activation_study.records.environment.distributions", lambda: installed)
    monkeypatch.setattr("activation_study.backend.on_gpu", lambda: True)
    found = list(_packages(from_hydra(composed(["data=scenes"]))))
    assert found[len(PACKAGES) :] == ["nvidia-cublas-cu12", "nvidia-cudnn-cu12"]


def test_differences_of_the_environment_are_listed_most_likely_cause_first() -> None:
    assert differences(record(), record()) == []
    other = changed(environment__threads=1, digests__code="x" * 64, digests__order="x" * 64)
    other.environment["versions"] = {**other.environment["versions"], "keras": "2.0"}
    assert differences(record(), other) == [
        "code (then cccccccccccc, now xxxxxxxxxxxx)",
        "threads (then 2, now 1)",
        "keras (then 1.0, now 2.0)",
        "order (then oooooooooooo, now xxxxxxxxxxxx)",
    ]


def test_environment_variables_instruction_sets_and_settings_of_keras_are_compared() -> None:
    settings = {"variables": {"XLA_FLAGS": "--a"}, "instruction_sets": ["avx2", "fma"], "keras": {"floatx": "float32"}}
    before = changed(**{f"environment__{name}": value for name, value in settings.items()})
    after = copy.deepcopy(before)
    assert differences(before, after) == []
    after.environment["variables"] = {"TF_ENABLE_ONEDNN_OPTS": "0"}
    after.environment["instruction_sets"] = ["avx2", "avx512_bf16"]
    after.environment["keras"] = {"floatx": "float16"}
    assert differences(before, after) == [
        "TF_ENABLE_ONEDNN_OPTS (then not set, now 0)",
        "XLA_FLAGS (then --a, now not set)",
        "keras.config.floatx (then float32, now float16)",
        "the processor's instruction sets (now without fma and with avx512_bf16)",
    ]
    assert differences(record(), after) == [], "an older record does not have them"
