"""Further metrics against hand-computed cases and scikit-learn-like definitions; where they tell another story."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.other_metrics import (
    OTHER_METRICS,
    accuracy,
    compare_other_metrics,
    dice,
    disagreement,
    frequency_weighted_iou,
    not_of_segmentation,
    worst_images,
)
from activation_study.analysis.results import Arm
from activation_study.analysis.statistics.paired import Interval, paired, probability_of_superiority
from activation_study.image_metrics.boundary_iou import boundary_iou
from activation_study.metrics import Counts

# One run, two images, two classes; the last row is unlabeled. In sum: true 8 and 12; hits 6 and 9; predicted 9 and 11.
ONE = np.array([[[[2, 2], [1, 5], [3, 0]], [[4, 0], [2, 4], [0, 7]]]])


def arm(confusions: Counts, **image_counts: Counts) -> Arm:
    return Arm("relu", tuple(range(len(confusions))), (), (), confusions, image_counts)


def test_the_metrics_by_hand() -> None:
    # Class 0: 6 of 8 true, 9 predicted; class 1: 9 of 12 true, 11 predicted. Unions: 11 and 14.
    assert dice(ONE)[0] == pytest.approx((2 * 6 / 17 + 2 * 9 / 23) / 2)
    assert frequency_weighted_iou(ONE)[0] == pytest.approx((8 * 6 / 11 + 12 * 9 / 14) / 20)
    assert accuracy(ONE)[0] == pytest.approx(15 / 20)
    # Image 1: (2/5 + 5/8) / 2 = 0.5125; image 2: (4/6 + 4/6) / 2. The worst tenth is one image.
    assert worst_images(ONE)[0] == pytest.approx(0.5125)


def test_a_class_that_is_not_in_the_truth_and_an_image_without_labels_do_not_count() -> None:
    counts = np.zeros((1, 3, 4, 3), np.int64)
    counts[0, 0, 0] = [8, 1, 1]
    counts[0, 1, 0] = [4, 6, 0]
    counts[0, 2, 3] = [5, 5, 5]  # no label
    assert dice(counts)[0] == pytest.approx(2 * 12 / (20 + 12))
    assert frequency_weighted_iou(counts)[0] == pytest.approx(12 / 20)
    assert worst_images(counts)[0] == pytest.approx(4 / 10)


def test_the_worst_tenth_of_thirty_images_are_three() -> None:
    hits = np.arange(1, 31)
    two = np.zeros((1, 30, 3, 2), np.int64)
    two[0, :, 0, 0], two[0, :, 0, 1] = hits, 30 - hits
    assert worst_images(two)[0] == pytest.approx((1 + 2 + 3) / 30 / 3)


def test_each_metric_is_compared_paired_by_seed() -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.integers(1, 50, (5, 8, 4, 3)) for _ in range(2))
    b[:, :, 3] = a[:, :, 3]
    found = compare_other_metrics(arm(a), arm(b))
    assert list(found) == list(OTHER_METRICS)
    for name, metric in OTHER_METRICS.items():
        assert found[name].p == pytest.approx(stats.ttest_rel(metric(a), metric(b)).pvalue)


def test_metrics_of_images_are_compared_if_both_arms_have_them() -> None:
    generator = np.random.default_rng(0)
    counts = generator.integers(1, 50, (2, 5, 8, 4, 3))
    boundary, bins = generator.integers(1, 50, (2, 5, 8, 3, 3)), generator.integers(1, 50, (2, 5, 8, 15, 3))
    boundary[..., 0] = 1  # of an intersection
    a, b = (arm(counts[i], boundary_iou=boundary[i], calibration_error=bins[i]) for i in (0, 1))
    found = compare_other_metrics(a, b)
    assert list(found)[-2:] == ["boundary IoU", "calibration error"]
    scores = np.array([[boundary_iou(of_seed) for of_seed in arm] for arm in boundary])
    assert found["boundary IoU"].p == pytest.approx(stats.ttest_rel(*scores).pvalue)
    assert "boundary IoU" not in compare_other_metrics(a, arm(counts[1], calibration_error=bins[1]))


def test_the_calibration_error_is_no_other_story_of_the_segmentation() -> None:
    base = paired(np.array([0.8, 0.82, 0.81]), np.array([0.7, 0.75, 0.7]))
    others = {"boundary IoU": replace(base, p=0.2), "calibration error": replace(base, p=0.2)}
    elsewhere = not_of_segmentation(arm(np.ones((1, 1, 4, 3), np.int64)))
    assert elsewhere == {"calibration error"}
    assert disagreement(base, others, "above", 0.05, 0.0, elsewhere) == ["boundary IoU"]


def test_a_metric_disagrees_if_it_does_not_show_what_is_decided_or_shows_what_is_not() -> None:
    base = paired(np.array([0.8, 0.82, 0.81]), np.array([0.7, 0.75, 0.7]))
    up = replace(base, p=0.01, difference=Interval(0.1, 0.05, 0.15))
    down = replace(base, p=0.01, difference=Interval(-0.1, -0.15, -0.05))
    unclear = replace(base, p=0.2)
    others = {"up": up, "down": down, "unclear": unclear}
    assert disagreement(unclear, others, "above", 0.05, 0.2) == ["down", "unclear"]
    assert disagreement(unclear, others, "below", 0.05, 0.2) == ["up", "unclear"]
    assert disagreement(unclear, others, "open", 0.05, 0.2) == ["up", "down"]
    assert disagreement(up, others, "open", 0.05, 0.2) == [], "open because of the correction only"
    assert disagreement(unclear, others, "equivalent", 0.05, 0.2) == []
    assert disagreement(unclear, others, "equivalent", 0.05, 0.05) == ["up", "down"], "larger than the margin"
    assert disagreement(unclear, others, None, 0.05, 0.2) == []


def test_the_interval_of_p_a_above_b_solves_its_equation_and_is_symmetric() -> None:
    a, b = np.array([0.80, 0.82, 0.81, 0.85, 0.82]), np.array([0.79, 0.80, 0.81, 0.82, 0.80])
    found, mirrored = probability_of_superiority(a, b), probability_of_superiority(b, a)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))
    for end in (found.low, found.high):
        spread = 1 + 4 * ((1 - end) / (2 - end) + end / (1 + end))
        assert abs(found.value - end) == pytest.approx(1.959964 * np.sqrt(end * (1 - end) * spread) / 5, rel=1e-5)
    every = probability_of_superiority(a + 1, b)
    assert (every.value, every.high) == (1.0, 1.0)
    assert 0.5 < every.low < 0.8


def test_the_interval_of_p_a_above_b_covers_what_it_promises() -> None:
    generator, covered = np.random.default_rng(0), []
    truth = float(stats.norm.cdf(1 / np.sqrt(2)))
    for _ in range(1000):
        found = probability_of_superiority(generator.normal(1, 1, 8), generator.normal(0, 1, 8))
        covered.append(found.low <= truth <= found.high)
    assert 0.93 < np.mean(covered) < 0.985


def test_effect_size_and_welch_are_those_of_their_definitions() -> None:
    a, b = np.array([0.80, 0.82, 0.81, 0.85, 0.82]), np.array([0.79, 0.80, 0.81, 0.82, 0.80])
    result = paired(a, b)
    d = (a - b).mean() / (a - b).std(ddof=1)
    assert result.effect_size == pytest.approx(d * (1 - 3 / (4 * 4 - 1)), rel=0.01)  # Hedges' approximation of J
    assert result.p_welch == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue)
    assert np.isnan(paired(a, a).effect_size)
