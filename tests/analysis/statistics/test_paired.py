"""Each statistic against cases computed by hand or with another method."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.statistics.paired import (
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
    assert paired(np.array([1.0, 2.0]), np.array([0.0, 2.0])).probability_of_superiority.value == (1 + 0 + 1 + 0.5) / 4
    assert paired(B, B).probability_of_superiority.value == 0.5
    assert paired(A + 1, B).probability_of_superiority.value == 1.0


def test_the_correlation_is_pearsons_and_nan_if_nothing_varies() -> None:
    assert paired(A, 2 * A + 1).correlation == pytest.approx(1.0)
    assert paired(A, -A).correlation == pytest.approx(-1.0)
    assert np.isnan(paired(A, np.full(5, 0.8)).correlation)


def test_constant_differences_do_not_divide_by_zero() -> None:
    equal = paired(A, A)
    assert (equal.p, equal.difference.value, equal.p_sign_flip) == (1.0, 0.0, 1.0)
    assert paired(np.array([0.75, 0.5]), np.array([0.5, 0.25])).p == 0.5, "that of the signs of two differences"
    assert paired(np.full(6, 0.75), np.full(6, 0.5)).p == 2 / 2**6


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


@pytest.mark.parametrize("seeds", [5, 8, 20])
def test_the_minimum_detectable_difference_is_detected_in_four_of_five_studies(seeds: int) -> None:
    difference = minimum_detectable_difference(0.01, seeds)
    studies = np.random.default_rng(0).normal(difference, 0.01, (20000, seeds))
    detected = stats.ttest_1samp(studies, 0.0, axis=1).pvalue < 0.05
    assert detected.mean() == pytest.approx(0.8, abs=0.01)
    assert minimum_detectable_difference(0.02, seeds) == pytest.approx(2 * difference)
