"""Each statistic against cases computed by hand or with another method."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.statistics import (
    crossed_bootstrap,
    holm,
    minimum_detectable_difference,
    paired,
    sign_flip_p,
)
from activation_study.metrics import mean_iou, pooled_iou

A = np.array([0.80, 0.82, 0.81, 0.85, 0.82])
B = np.array([0.79, 0.80, 0.81, 0.82, 0.80])  # differences 0.01, 0.02, 0, 0.03, 0.02


def test_the_paired_t_is_that_of_the_textbook() -> None:
    result = paired(A, B)
    # mean 0.016, standard deviation √(0.00052/4) = 0.0114018, standard error 0.0050990, t = 3.1379, t₀.₉₇₅(4) = 2.7764
    assert result.difference.value == pytest.approx(0.016)
    assert result.deviation == pytest.approx(0.0114018, abs=1e-7)
    assert result.difference.low == pytest.approx(0.016 - 2.7764451 * 0.0050990, abs=1e-7)
    assert result.difference.high == pytest.approx(0.016 + 2.7764451 * 0.0050990, abs=1e-7)
    assert result.p == pytest.approx(2 * stats.t.sf(3.1378582, 4), rel=1e-6)
    assert result.p == pytest.approx(0.0349, abs=1e-4)


def test_the_sign_flip_p_is_the_fraction_of_all_choices_of_signs() -> None:
    differences = A - B
    means = [np.mean(np.array(signs) * differences) for signs in product((1, -1), repeat=5)]
    fraction = np.mean([abs(mean) >= abs(differences.mean()) - 1e-12 for mean in means])
    assert fraction == 4 / 32  # the four nonzero differences with equal signs, the 0 with either sign
    assert sign_flip_p(differences) == pytest.approx(fraction)
    assert paired(A, B).p_sign_flip == pytest.approx(fraction)
    assert paired(A, B).smallest_p == 0.0625
    assert sign_flip_p(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == 0.0625, "the smallest possible p"


def test_with_many_seeds_the_random_sign_flips_are_reproducible() -> None:
    differences = np.random.default_rng(1).normal(0.5, 1, 20)
    assert sign_flip_p(differences) == sign_flip_p(differences)
    assert sign_flip_p(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.02)


def test_probability_counts_pairs_of_runs_and_ties_half() -> None:
    assert paired(np.array([1.0, 2.0]), np.array([0.0, 2.0])).probability_of_superiority == (1 + 0 + 1 + 0.5) / 4
    assert paired(B, B).probability_of_superiority == 0.5
    assert paired(A + 1, B).probability_of_superiority == 1.0


def test_the_correlation_is_pearsons_and_nan_if_nothing_varies() -> None:
    assert paired(A, 2 * A + 1).correlation == pytest.approx(1.0)
    assert paired(A, -A).correlation == pytest.approx(-1.0)
    assert np.isnan(paired(A, np.full(5, 0.8)).correlation)


def test_constant_differences_do_not_divide_by_zero() -> None:
    equal = paired(A, A)
    assert (equal.p, equal.difference.value, equal.p_sign_flip) == (1.0, 0.0, 1.0)
    assert paired(np.array([0.75, 0.5]), np.array([0.5, 0.25])).p == 0.0


@pytest.mark.parametrize("shapes", [(1, 1), (3, 2)])
def test_too_few_seeds_or_different_numbers_of_them_are_rejected(shapes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="two or more seeds"):
        paired(np.zeros(shapes[0]), np.zeros(shapes[1]))


def test_holm_multiplies_stepwise_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5]) == [0.5]
    assert holm([0.9, 0.8, 0.7]) == [1.0, 1.0, 1.0]
    assert holm([]) == []


def test_mean_iou_works_over_any_leading_axes() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (2, 3, 5, 4))
    counts[0, 0, 2] = 0  # a class that does not occur in the truth
    expected = [[np.nanmean(pooled_iou(matrix)) for matrix in row] for row in counts]
    np.testing.assert_allclose(mean_iou(counts), expected)


def runs(generator: np.random.Generator, seeds: int, images: int, right: float = 0.8) -> np.ndarray:
    """Confusions [seeds, images, 3, 2] of images of 100 pixels."""
    truth = generator.integers(20, 80, images)
    counts = np.zeros((seeds, images, 3, 2), np.int64)
    for seed, image in product(range(seeds), range(images)):
        hits = [generator.binomial(pixels, right) for pixels in (truth[image], 100 - truth[image])]
        counts[seed, image] = [[hits[0], truth[image] - hits[0]], [100 - truth[image] - hits[1], hits[1]], [0, 0]]
    return counts


NAMES = [str(number) for number in range(30)]


def test_new_images_draws_follow_the_generator() -> None:
    a, b = (runs(np.random.default_rng(seed), 4, 30) for seed in (1, 2))
    first, again, other = (crossed_bootstrap(a, b, NAMES, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert first == again
    assert first.difference.low != other.difference.low
    assert first.difference.value == other.difference.value
    assert first.difference.value == pytest.approx(np.mean(mean_iou(a.sum(1)) - mean_iou(b.sum(1))))


def test_an_arm_against_itself_differs_by_nothing() -> None:
    a = runs(np.random.default_rng(1), 4, 30)
    result = crossed_bootstrap(a, a, NAMES, np.random.default_rng(0))
    assert (result.difference.value, result.difference.low, result.difference.high) == (0.0, 0.0, 0.0)


def test_where_only_seeds_vary_the_interval_is_that_of_the_paired_t() -> None:
    generator = np.random.default_rng(3)
    a, b = (np.repeat(runs(generator, 6, 1), 30, axis=1) for _ in range(2))  # thirty equal images
    result = crossed_bootstrap(a, b, NAMES, np.random.default_rng(0), draws=20000)
    expected = paired(mean_iou(a.sum(1)), mean_iou(b.sum(1))).difference
    assert result.difference.low == pytest.approx(expected.low, rel=0.03)
    assert result.difference.high == pytest.approx(expected.high, rel=0.03)


def test_where_only_images_vary_the_interval_is_that_of_the_images() -> None:
    generator = np.random.default_rng(3)
    a, b = (np.repeat(runs(generator, 1, 400), 6, axis=0) for _ in range(2))  # six equal seeds
    names = [str(number) for number in range(400)]
    result = crossed_bootstrap(a, b, names, np.random.default_rng(0)).difference
    half = (result.high - result.low) / 2
    expected = crossed_bootstrap(a[:2], b[:2], names, np.random.default_rng(1)).difference
    assert half == pytest.approx((expected.high - expected.low) / 2, rel=0.1), "equal seeds do not count"
    # Jackknife over images: another estimate of the standard error
    without_one = [mean_iou(np.delete(a[0], i, 0).sum(0)) - mean_iou(np.delete(b[0], i, 0).sum(0)) for i in range(400)]
    error = np.sqrt(399 / 400 * np.sum((np.array(without_one) - np.mean(without_one)) ** 2))
    assert half == pytest.approx(stats.t.ppf(0.975, 399) * error, rel=0.1)


def test_files_with_the_same_image_are_drawn_together() -> None:
    a, b = (runs(np.random.default_rng(seed), 5, 30) for seed in (1, 2))
    twice_a, twice_b = (np.concatenate([arm, arm], axis=1) for arm in (a, b))
    known = crossed_bootstrap(twice_a, twice_b, NAMES + NAMES, np.random.default_rng(0)).difference
    unknown = crossed_bootstrap(twice_a, twice_b, [str(n) for n in range(60)], np.random.default_rng(0)).difference
    single = crossed_bootstrap(a, b, NAMES, np.random.default_rng(0)).difference
    assert known.high - known.low == pytest.approx(single.high - single.low)
    assert unknown.high - unknown.low < 0.95 * (single.high - single.low)


def test_draws_without_a_class_are_counted_and_leave_it_out_for_both_arms() -> None:
    a, b = (runs(np.random.default_rng(seed), 3, 30) for seed in (1, 2))
    for arm in (a, b):
        arm[:, 1:, 0] = 0  # the first class is in one image only
    result = crossed_bootstrap(a, b, NAMES, np.random.default_rng(0))
    assert result.missing_class_fraction == pytest.approx((29 / 30) ** 30, abs=0.03)
    assert np.isfinite([result.difference.low, result.difference.high]).all()


@pytest.mark.parametrize("seeds", [5, 8, 20])
def test_the_minimum_detectable_difference_is_detected_in_four_of_five_studies(seeds: int) -> None:
    difference = minimum_detectable_difference(0.01, seeds)
    studies = np.random.default_rng(0).normal(difference, 0.01, (20000, seeds))
    detected = stats.ttest_1samp(studies, 0.0, axis=1).pvalue < 0.05
    assert detected.mean() == pytest.approx(0.8, abs=0.01)
    assert minimum_detectable_difference(0.02, seeds) == pytest.approx(2 * difference)
