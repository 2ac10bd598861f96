"""Columns of the CSV tables hold one thing each."""

import csv
from pathlib import Path

import numpy as np

from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with open(folder / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_what_sets_runs_apart_has_a_column_of_its_own(tmp_path: Path) -> None:
    study = tmp_path / "rates"
    for seed in range(2):
        for rate in (1e-3, 3e-4, 3e-3):
            for activation in ("relu", "mish"):
                write_run(study, activation, seed, learning_rate=rate, started=float(seed))
    report = make_report(study, ReportOptions(pictures=False))
    for name in ("runs", "differences", "per_class", "changes"):
        lines = table(report, name)
        assert {line["label_type"] for line in lines} <= {"surfaces"}
    variants = {f"optimizer.learning_rate={rate}" for rate in (0.001, 0.0003, 0.003)}
    assert {line["variant"] for line in table(report, "runs")} == variants
    assert {line["variant"] for line in table(report, "differences")} == variants
    assert {line["variant"] for line in table(report, "per_class")} == variants


def test_an_option_of_an_activation_is_no_part_of_its_name(tmp_path: Path) -> None:
    study = tmp_path / "kernels"
    for seed in range(2):
        for size in (3, 5):
            write_run(study, "frelu", seed, kernel_size=size, started=float(seed))
    report = make_report(study, ReportOptions(pictures=False))
    lines = table(report, "runs")
    assert {line["activation"] for line in lines} == {"frelu"}
    assert {line["variant"] for line in lines} == {line["arm"].removeprefix("frelu ") for line in lines}
    arms = {line["arm"] for line in lines}
    assert arms == {"frelu kernel_size=3", "frelu kernel_size=5"}
    assert {name for line in table(report, "differences") for name in (line["a"], line["b"])} == arms


def test_own_data_with_an_absent_class_have_no_article_score(tmp_path: Path) -> None:
    counts = np.stack([np.array([[90, 10, 0], [5, 95, 0], [0, 0, 0], [0, 0, 0]], np.int64)] * 10)
    for seed in range(2):
        for activation in ("relu", "mish"):
            write_run(tmp_path / "own", activation, seed, counts=counts, format="folder", article=seed == 0)
    report = make_report(tmp_path / "own", ReportOptions(pictures=False))
    assert {line["article_mean_iou"] for line in table(report, "runs")} == {""}
    assert {line["metric"] for line in table(report, "differences")} == {"mean_iou"}
    assert "article's protocol" not in (report / "report.md").read_text()
