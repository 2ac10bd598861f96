"""Ranks over data sets, against the example that the test was published with."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.findings import compare_study
from activation_study.analysis.ranks import compare_ranks, rank_arms
from activation_study.analysis.results import read_study
from activation_study.errors import BadInput
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run

# Demšar, Journal of Machine Learning Research 7, 2006, table 6: AUC of four variants of C4.5 on 14 data sets.
PUBLISHED = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],  # ranked 2 and 3, by digits that are not printed
        [0.957, 0.978, 0.946, 0.970],
    ]
)


def test_mean_ranks_and_test_are_those_of_the_published_example() -> None:
    names = [str(number) for number in range(14)]
    ranks = compare_ranks(names, ["C4.5", "+m", "+cf", "+m+cf"], PUBLISHED)
    assert ranks.ranks.mean(axis=0) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    mean_ranks = ranks.ranks.mean(axis=0)
    chi2 = 12 * 14 / (4 * 5) * ((mean_ranks**2).sum() - 4 * 5**2 / 4)
    assert chi2 == pytest.approx(9.28, abs=0.01), "the published one, without correction for ties"
    ties = 1 - ((2**3 - 2) * 3 + (4**3 - 4)) / (14 * (4**3 - 4))  # three pairs of equal values, and four equal ones
    corrected = chi2 / ties
    f = 13 * corrected / (14 * 3 - corrected)
    assert ranks.p == pytest.approx(stats.f.sf(f, 3, 39))
    assert ranks.p_pairs[0, 1] == pytest.approx(ranks.p_pairs[1, 0])
    # Their critical difference at 5 % is 1.25: 3.143 − 1.964 = 1.18 and 1.143 are below it; so are all others.
    assert ranks.p_pairs.min() > 0.05


def test_data_sets_that_all_rank_alike_differ() -> None:
    scores = np.array([[0.1, 0.2, 0.3]] * 5) + np.arange(5)[:, None] / 100
    assert compare_ranks(list("abcde"), ["x", "y", "z"], scores).p == 0.0


def write_data_sets(study: Path, count: int, *activations: str) -> None:
    for number in range(count):
        for order, name in enumerate(activations):
            for seed in (0, 1):
                write_run(study, name, seed, 0.6 + 0.1 * order, data_name=f"data{number}", started=float(order))


def test_a_report_ranks_the_activations_over_the_data_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_data_sets(tmp_path / "s", 5, "relu", "mish", "frelu")
    report = make_report(tmp_path / "s", ReportOptions(pictures=False, ranks=True))
    text = (report / "report.md").read_text(encoding="utf-8")
    assert "Mean ranks over 5 data sets: FReLU 1.00, Mish 2.00, ReLU 3.00. They differ (Friedman, p < 0.001)." in text
    assert "Ranks over data sets" in text
    assert "mean rank" in capsys.readouterr().out
    assert "<svg" in (report / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("count", "activations", "message"),
    [
        (
            4,
            ("relu", "mish", "frelu"),
            r"expected five or more data sets, found 4 \(data.*\); over fewer, ranks say",
        ),
        (5, ("relu", "mish"), "expected three or more activations on all data sets, found 2"),
    ],
)
def test_too_few_data_sets_or_activations_are_refused(
    count: int, activations: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    write_data_sets(tmp_path / "s", count, *activations)
    conditions = compare_study("s", *read_study(tmp_path / "s"), []).main
    with pytest.raises(BadInput, match=message):
        rank_arms(conditions)
