"""The mean over seeds and units: cases by hand, and the tests that belong to the interval."""

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.statistics.crossed import FEW_UNITS, crossed


def test_of_few_units_a_case_by_hand() -> None:
    """Rows 0, 2 and 1, 5: means 1 and 3 of the rows, 0.5 and 3.5 of the columns, 2 of all."""
    result = crossed(np.array([[0.0, 2.0], [1.0, 5.0]]))
    assert result is not None
    s, i, e = 2 * (1 + 1) / 1, 2 * (1.5**2 + 1.5**2) / 1, 4 * 0.5**2
    assert result.parts == pytest.approx((s - e, i - e, e))
    freedom = (s + i - e) ** 2 / (s**2 / 1 + (i - e) ** 2 / 1)
    assert [each for variance in result.variances for each in variance] == pytest.approx(
        [s + i - e, freedom, s, 1, i, 1]
    )
    widest = max(stats.t.ppf(0.975, df) * (variance / 4) ** 0.5 for variance, df in result.variances)
    interval = result.interval()
    assert (interval.value, interval.high - interval.value) == pytest.approx((2.0, widest))


def test_the_published_analysis_of_five_readers_and_114_patients() -> None:
    """Van Dyke et al. (1993), 5 readers × 114 patients × 2 kinds of images, the example of Hillis (2007).

    The values are those that OR-DBM MRMC 2.51 (Schartz, Hillis, Pesce and Berbaum) prints for the areas under the ROC
    curves: each reader's, the components of the variance, and the results. The pseudo-values themselves are not
    published; any with these components must give these results. Of a difference of two treatments, each component
    counts twice.
    """
    first = np.array([0.91964573, 0.85877617, 0.90386473, 0.97310789, 0.82979066])
    second = np.array([0.94782609, 0.90531401, 0.92173913, 0.99935588, 0.92995169])
    of_readers_and_cases, of_cases = 2 * 0.03997160, 2 * 114 * 5 * (0.00034407 - 0.00023903)
    generator = np.random.default_rng(0)
    cases, rest = generator.normal(size=114), generator.normal(size=(5, 114))
    cases -= cases.mean()
    cases *= ((of_cases + of_readers_and_cases) / 5 / cases.var(ddof=1)) ** 0.5
    rest = rest - rest.mean(axis=0) - rest.mean(axis=1, keepdims=True) + rest.mean()
    rest *= (of_readers_and_cases * 4 * 113 / (rest**2).sum()) ** 0.5
    result = crossed((first - second)[:, None] + cases + rest)
    assert result is not None
    (variance, freedom), _ = result.variances
    interval = result.interval()
    assert (variance / result.count) ** 0.5 == pytest.approx(0.02075, abs=5e-6)
    assert freedom == pytest.approx(15.26, abs=5e-3)
    assert result.p() == pytest.approx(0.0517, abs=5e-5)
    assert (interval.value, interval.low, interval.high) == pytest.approx((-0.04380, -0.08796, 0.00036), abs=5e-6)


def test_without_noise_of_the_units_it_is_the_paired_t_over_seeds() -> None:
    seeds = np.array([0.01, 0.03, -0.01, 0.02])
    result = crossed(np.repeat(seeds[:, None], FEW_UNITS, axis=1))
    test = stats.ttest_1samp(seeds, 0.0)
    assert result is not None
    assert result.p() == pytest.approx(test.pvalue)
    low, high = test.confidence_interval(0.9)
    assert (result.interval(0.9).low, result.interval(0.9).high) == pytest.approx((low, high))
    sides = [
        stats.ttest_1samp(seeds, margin, alternative=side).pvalue
        for margin, side in ((-0.05, "greater"), (0.05, "less"))
    ]
    assert result.p_equivalence(0.05) == pytest.approx(max(sides))


def test_p_is_that_of_the_interval() -> None:
    x = np.random.default_rng(0).normal(0.01, 0.02, (5, 5)) + np.random.default_rng(1).normal(0, 0.01, 5)
    result = crossed(x)
    assert result is not None
    interval = result.interval(1 - result.p())
    assert min(abs(interval.low), abs(interval.high)) == pytest.approx(0.0, abs=1e-12)


def test_values_without_noise_have_p_0_or_1() -> None:
    different, equal = crossed(np.full((3, 4), 0.1)), crossed(np.zeros((3, 4)))
    assert different is not None
    assert equal is not None
    assert (different.p(), equal.p(), equal.p_equivalence(0.01), different.p_equivalence(0.01)) == (0.0, 1.0, 0.0, 1.0)


def test_one_seed_or_one_unit_says_nothing() -> None:
    assert crossed(np.zeros((1, 9))) is None
    assert crossed(np.zeros((9, 1))) is None
