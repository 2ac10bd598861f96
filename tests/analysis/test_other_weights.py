"""The noise of other weights against hand-computed cases, SciPy and simulations, and what the report says of it."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from activation_study.analysis.conclusions import noise_sentence
from activation_study.analysis.findings import compare_study
from activation_study.analysis.other_weights import compared, seeds_as_precise, variance_ratio
from activation_study.analysis.results import read_study
from activation_study.metrics import Counts, other_scores
from activation_study.records.artifacts import CONFUSIONS_FILE
from activation_study.records.record import read_record
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run


def test_the_interval_of_the_ratio_inverts_the_test_of_pitman_and_morgan() -> None:
    generator = np.random.default_rng(0)
    b = generator.normal(0, 2, 16)
    a = 0.2 * b + generator.normal(0, 1, 16)
    found = variance_ratio(a, b)
    assert found.value == pytest.approx(a.var(ddof=1) / b.var(ddof=1))
    for end in (found.low, found.high):  # a scaled to the end of the interval has p = 0.05
        scaled = a / end**0.5
        assert stats.pearsonr(scaled + b, scaled - b).pvalue == pytest.approx(0.05, rel=1e-6)


def test_the_interval_covers_what_it_promises() -> None:
    generator, covered = np.random.default_rng(1), []
    for _ in range(2000):
        b = generator.normal(0, 1, 8)
        a = 0.5 * (0.6 * b + 0.8 * generator.normal(0, 1, 8))
        found = variance_ratio(a, b)
        covered.append(found.low <= 0.25 <= found.high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_seeds_that_are_as_precise_have_an_interval_that_is_not_wider() -> None:
    def width(ratio: float, seeds: int) -> float:
        return float(stats.t.ppf(0.975, seeds - 1)) * (ratio / seeds) ** 0.5

    for ratio, seeds in ((0.05, 8), (0.2, 8), (0.25, 16), (0.6, 16), (1.0, 8), (2.0, 8)):
        found = seeds_as_precise(ratio, seeds)
        assert width(ratio, found) <= width(1, seeds) * (1 + 1e-9)
        assert found == 2 or width(ratio, found - 1) > width(1, seeds)
    assert seeds_as_precise(1.0, 8) == 8
    assert seeds_as_precise(1e-9, 8) == 2


def test_weights_are_worse_if_one_activation_scores_lower_with_them() -> None:
    a, b = np.array([0.8, 0.83, 0.78, 0.85]), np.array([0.7, 0.75, 0.71, 0.69])
    level = compared((a, b - [0.03, 0.031, 0.029, 0.03]), (a, b))
    assert level.worse
    assert not compared((a + np.array([0.01, -0.01, 0.01, -0.01]), b), (a, b)).worse
    assert level.difference.value == pytest.approx((a - b).mean() + 0.03)


def drawn(accuracy: float) -> Counts:
    """Confusion matrices of ten images in which this fraction of each class is correct."""
    row = np.where(np.eye(3) > 0, accuracy, (1 - accuracy) / 2)
    return np.tile(np.vstack([np.round(10_000 * row), np.zeros(3)]).astype(np.int64), (10, 1, 1))


def write_scored(study: Path, seeds: int, scale: float, lower: float = 0.0) -> None:
    """Runs whose averaged weights have `scale` times the noise of the best ones, and are lower by so much."""
    generator = np.random.default_rng(0)
    for name, mean in (("relu", 0.7), ("mish", 0.75)):
        for seed in range(seeds):
            noise = 0.03 * generator.normal(size=2)
            folder = write_run(study, name, seed, counts=drawn(mean + noise[0]))
            ema = drawn(mean - lower + scale * noise[1])
            with np.load(folder / CONFUSIONS_FILE) as file:
                arrays = dict(file)
            np.savez_compressed(folder / CONFUSIONS_FILE, **arrays, confusions_ema=ema)
            record = read_record(folder)
            assert record is not None
            record.results |= other_scores({"ema": ema})
            record.write(folder)


def test_the_report_says_which_weights_would_have_needed_fewer_seeds(tmp_path: Path) -> None:
    write_scored(tmp_path / "study", 6, 0.2)
    conditions, problems = read_study(tmp_path / "study")
    findings = compare_study("study", conditions, problems, [])
    ((contrast, *_),) = (findings.contrasts(condition) for condition in findings.main)
    ema = contrast.other_weights["ema"]
    assert set(contrast.other_weights) == {"ema"}, "the last ones were not scored"
    assert ema.quieter
    assert ema.deviation < 0.5 * contrast.paired.deviation
    sentence = f"{contrast.pair} on surfaces {100 * ema.deviation:.2f} in the place of"
    (noise,) = [each for each in findings.summary if each.startswith("Less noise")]
    assert sentence in noise
    assert noise.endswith("A new study can declare evaluation.weights=ema.")
    report = (make_report(tmp_path / "study", ReportOptions()) / "report.md").read_text()
    assert noise in report
    assert f"| {contrast.pair} | ema | " in report


def test_weights_that_cost_an_activation_something_are_not_recommended(tmp_path: Path) -> None:
    write_scored(tmp_path / "study", 6, 0.2, lower=0.1)
    conditions, problems = read_study(tmp_path / "study")
    findings = compare_study("study", conditions, problems, [])
    ((contrast, *_),) = (findings.contrasts(condition) for condition in findings.main)
    assert contrast.other_weights["ema"].quieter
    assert contrast.other_weights["ema"].worse
    assert noise_sentence([("surfaces", contrast)]) == ""


def test_runs_of_earlier_versions_have_no_other_weights(tmp_path: Path) -> None:
    for name in ("relu", "mish"):
        for seed in range(3):
            write_run(tmp_path / "study", name, seed)
    conditions, problems = read_study(tmp_path / "study")
    findings = compare_study("study", conditions, problems, [])
    assert all(not each.other_weights for _, contrasts in findings.compared for each in contrasts)
    assert not [each for each in findings.summary if each.startswith("Less noise")]
