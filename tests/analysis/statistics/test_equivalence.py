"""Equivalence against statsmodels' tests and the 90 % interval; proposed seeds against simulation."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import weightstats

from activation_study.analysis.statistics.equivalence import equivalence_p, seeds_to_settle

DIFFERENCES = np.array([0.004, -0.002, 0.003, 0.001, -0.004, 0.002, 0.0, 0.001])


def p_of(differences: np.ndarray, margin: float) -> float:
    return equivalence_p(float(differences.mean()), float(differences.std(ddof=1)), len(differences), margin)


@pytest.mark.parametrize("margin", [0.001, 0.002, 0.01])
def test_the_p_is_the_larger_of_two_one_sided_t_tests(margin: float) -> None:
    lower = stats.ttest_1samp(DIFFERENCES, -margin, alternative="greater").pvalue
    upper = stats.ttest_1samp(DIFFERENCES, margin, alternative="less").pvalue
    assert p_of(DIFFERENCES, margin) == pytest.approx(max(lower, upper))
    low, high = stats.ttest_1samp(DIFFERENCES, 0).confidence_interval(0.9)
    assert (p_of(DIFFERENCES, margin) < 0.05) == (-margin < low and high < margin)


def test_by_hand() -> None:
    # Differences −1, 0, 1 (points): mean 0, deviation 1, error 1/√3; margin 2: t = −2 √3 = −3.4641 with 2 degrees of
    # freedom, of which the lower tail is (1 − t / √(t² + 2)) / 2 = (1 − 0.92582) / 2 = 0.03709.
    assert p_of(np.array([-0.01, 0.0, 0.01]), 0.02) == pytest.approx(0.03709, abs=1e-5)


def test_differences_without_noise_have_the_p_of_their_signs() -> None:
    assert equivalence_p(0.005, 0.0, 5, 0.01) == 1 / 32
    assert equivalence_p(0.01, 0.0, 5, 0.01) == 1.0


@pytest.mark.parametrize(("difference", "margin"), [(0.015, None), (0.0, 0.01), (0.002, 0.01)])
def test_four_of_five_studies_of_the_proposed_size_are_settled(difference: float, margin: float | None) -> None:
    deviation, level = 0.012, 0.025
    seeds = seeds_to_settle(difference, deviation, level, margin)
    assert seeds is not None

    def settled(count: int) -> float:
        x = np.random.default_rng(0).normal(difference, deviation, (20_000, count))
        error = x.std(axis=1, ddof=1) / count**0.5
        found = np.abs(x.mean(axis=1) / error) > stats.t.ppf(1 - level / 2, count - 1)
        if margin is not None:
            found |= stats.t.cdf((np.abs(x.mean(axis=1)) - margin) / error, count - 1) < level
        return float(found.mean())

    assert 0.78 < settled(seeds) < 0.9
    assert settled(seeds // 2) < 0.7


def test_a_difference_that_no_study_settles_is_not_promised() -> None:
    assert seeds_to_settle(0.0, 0.012, 0.05, None) is None
    assert seeds_to_settle(0.01, 0.012, 0.05, 0.01) is not None


@pytest.mark.parametrize("seed", range(5))
def test_p_is_that_of_statsmodels(seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(0.8, 0.01, (2, 8))
    expected = weightstats.ttost_paired(a, b, -0.01, 0.01)[0]
    differences = a - b
    p = equivalence_p(float(differences.mean()), float(differences.std(ddof=1)), 8, 0.01)
    assert p == pytest.approx(expected)
