"""Tests at several looks: published bounds, error rates, and cases by hand."""

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.looks.sequential_tests import SequentialTest, paths_of_equivalence_p, paths_of_p


@pytest.mark.parametrize(("looks", "published"), [(2, 0.0294), (3, 0.0221), (4, 0.0182), (5, 0.0158)])
def test_with_many_seeds_the_level_is_that_of_pocock(looks: int, published: float) -> None:
    """Pocock, Biometrika 64, 1977, table 1: for normal values of known variance, which the t approaches."""
    seeds = tuple(60 * (number + 1) for number in range(looks))
    assert SequentialTest(seeds).level(0.05) == pytest.approx(published, rel=0.04)


@pytest.mark.parametrize(
    ("looks", "two_sided", "one_sided"),
    [
        ((5, 8, 20), (0.0195, 0.0094), (0.0206, 0.0098)),
        ((5, 8, 12, 20), (0.0165, 0.0079), (0.0178, 0.0081)),
        ((5, 10, 15, 20), (0.0169, 0.0080), (0.0181, 0.0084)),
        ((4, 6, 8, 12, 16, 20), (0.0127, 0.0057), (0.0140, 0.0063)),
    ],
)
def test_with_few_seeds_the_level_is_that_of_the_paired_t(
    looks: tuple[int, ...], two_sided: tuple[float, float], one_sided: tuple[float, float]
) -> None:
    for test, expected in ((SequentialTest(looks), two_sided), (SequentialTest(looks, two_sided=False), one_sided)):
        assert [test.level(0.05), test.level(0.025)] == pytest.approx(expected, rel=0.05)


def test_the_error_is_kept_over_all_looks() -> None:
    looks = (5, 7, 9, 11, 13, 16, 20)
    p = paths_of_p(np.random.default_rng(1).standard_normal((20_000, 20)), looks).min(axis=1)
    for error in (0.05, 0.0125):
        deviation = (error / 20_000) ** 0.5
        assert np.mean(p <= SequentialTest(looks).level(error)) == pytest.approx(error, abs=4 * deviation)


def test_level_and_p_are_inverse() -> None:
    test = SequentialTest((5, 8, 20))
    for error in (0.05, 0.0125, 0.0001):
        level = test.level(error)
        assert test.p(level) <= error
        assert test.p(1.02 * level) > error


def test_p_below_what_was_simulated_is_bounded_by_the_number_of_looks() -> None:
    test = SequentialTest((5, 8, 20))
    assert test.p(1e-9) == pytest.approx(3e-9)
    assert test.p(0.0) == 0.0
    assert test.p(1.0) == 1.0


@pytest.mark.parametrize(("first", "last", "error"), [(3, 8, 0.14), (3, 20, 0.23), (5, 20, 0.19)])
def test_a_seed_added_until_p_is_small_errs_more_often(first: int, last: int, error: float) -> None:
    assert SequentialTest(tuple(range(first, last + 1))).p(0.05) == pytest.approx(error, abs=0.01)


def test_p_of_each_look_is_that_of_scipy() -> None:
    differences = np.random.default_rng(0).normal(0.01, 0.02, (1, 9))
    for sided, alternative in ((True, "two-sided"), (False, "greater")):
        expected = [stats.ttest_1samp(differences[0, :n], 0.0, alternative=alternative).pvalue for n in (3, 5, 9)]
        assert paths_of_p(differences, (3, 5, 9), sided)[0] == pytest.approx(expected)
    lower = [stats.ttest_1samp(differences[0, :n], -0.03, alternative="greater").pvalue for n in (3, 9)]
    upper = [stats.ttest_1samp(differences[0, :n], 0.03, alternative="less").pvalue for n in (3, 9)]
    assert paths_of_equivalence_p(differences, (3, 9), 0.03)[0] == pytest.approx(np.maximum(lower, upper))


def test_equal_differences_have_the_p_of_their_signs() -> None:
    differences = np.array([[0.3] * 4, [0.0] * 4, [-0.3] * 4])
    assert paths_of_p(differences, (3, 4)).tolist() == [[1 / 4, 1 / 8], [1.0, 1.0], [1 / 4, 1 / 8]]
    one_sided = paths_of_p(differences, (3, 4), two_sided=False)
    assert one_sided.tolist() == [[1 / 8, 1 / 16], [0.5, 0.5], [7 / 8, 15 / 16]]
    assert paths_of_equivalence_p(differences, (3, 4), 0.1).tolist() == [
        [7 / 8, 15 / 16],
        [1 / 8, 1 / 16],
        [7 / 8, 15 / 16],
    ]
