"""Metrics of plug-ins: which names and counts are taken, and what is done without the plug-in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study import plugins
from activation_study.errors import BadInput
from activation_study.image_metrics.image_metric import ImageMetric
from activation_study.image_metrics.registry import (
    IMAGE_METRICS,
    image_metrics,
    image_scores,
    known_image_metrics,
    require_metrics,
)
from activation_study.metrics import contradictory_scores, summary


def count(truth: Any, predicted: Any, confidence: Any, classes: int) -> Any:
    return np.array([(truth == predicted).sum(), truth.size])


def share(counts: Any) -> float:
    return float(counts[..., 0].sum() / counts[..., 1].sum())


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[[ImageMetric], list[str]]:
    """Makes a metric that of an allowed plug-in; returns `evaluation.metrics`."""

    def make(metric: ImageMetric) -> list[str]:
        monkeypatch.setattr(plugins, "contents", lambda module: {"MINE": metric} if module == "mine" else None)
        return ["mine.MINE"]

    return make


def test_a_metric_of_a_plug_in_is_computed_beside_the_others(offer: Callable[[ImageMetric], list[str]]) -> None:
    metrics = image_metrics(offer(ImageMetric("agreement", "agreement", count, share, of_segmentation=True)))
    assert list(metrics) == [*IMAGE_METRICS, "agreement"]
    assert image_scores(metrics, {"agreement": np.array([[3, 4], [1, 4]])}) == {"agreement": 0.5}


@pytest.mark.parametrize(
    "name",
    [
        *("mean_iou", "confusions", "best", "boundary_iou", "a b", "x1", "record", "names"),
        *("training", "training_photographs", "trials", "planned"),
    ],
)
def test_a_name_that_something_else_has_is_refused(name: str, offer: Callable[[ImageMetric], list[str]]) -> None:
    with pytest.raises(BadInput, match=f"is called {name}; expected another plain name"):
        image_metrics(offer(ImageMetric(name, "label", count, share, of_segmentation=True)))


def test_counts_that_are_no_integers_are_refused_before_the_training(offer: Callable[[ImageMetric], list[str]]) -> None:
    metric = ImageMetric("agreement", "a", lambda *each: count(*each) / 2, share, of_segmentation=True)
    with pytest.raises(BadInput, match="counts in float64; expected integers"):
        image_metrics(offer(metric))


def test_a_metric_that_fails_is_refused_before_the_training(offer: Callable[[ImageMetric], list[str]]) -> None:
    metric = ImageMetric("agreement", "a", lambda *each: 1 / 0, share, of_segmentation=True)
    with pytest.raises(BadInput, match="fails on a small image: ZeroDivisionError"):
        image_metrics(offer(metric))


def test_without_the_plug_in_its_metric_is_left_out_and_nothing_is_packed(tmp_path: Path) -> None:
    config = {"evaluation": {"metrics": ["mine.MINE"]}}
    assert known_image_metrics(config) == IMAGE_METRICS
    with pytest.raises(BadInput, match=r"pack uses plugins=\[mine\]"):
        require_metrics(config, "pack")


def test_what_may_be_the_score_of_an_unknown_metric_is_no_contradiction_but_other_scores_are() -> None:
    confusions = np.array([[[4, 1], [2, 5], [0, 0]]])
    recorded = {**summary(confusions, ("a", "b"), article=False), "test/agreement": 0.7}
    assert set(contradictory_scores(recorded, confusions, ("a", "b"))) == {"test/agreement"}
    assert contradictory_scores(recorded, confusions, ("a", "b"), unknown_metrics=True) == {}
    changed = {**recorded, "test/mean_iou": 0.99}
    assert set(contradictory_scores(changed, confusions, ("a", "b"), unknown_metrics=True)) == {"test/mean_iou"}


def test_scores_are_plain_numbers_and_those_without_a_value_are_left_out(offer: Callable[..., list[str]]) -> None:
    counts = {"mine": np.array([[3, 4]])}
    for score, expected in ((lambda counts: np.int64(7), 7.0), (lambda counts: np.float32(0.5), 0.5)):
        metrics = image_metrics(offer(ImageMetric("mine", "mine", count, score, of_segmentation=True)))
        found = image_scores(metrics, counts)
        assert found == {"mine": expected}
        assert type(found["mine"]) is float
    metrics = image_metrics(offer(ImageMetric("mine", "mine", count, lambda counts: np.inf, of_segmentation=True)))
    assert image_scores(metrics, counts) == {}


def test_a_score_that_is_no_number_is_refused(offer: Callable[..., list[str]]) -> None:
    with pytest.raises(BadInput, match=r"mine\.MINE fails on a small image"):
        image_metrics(offer(ImageMetric("mine", "mine", count, lambda counts: [1, 2], of_segmentation=True)))
