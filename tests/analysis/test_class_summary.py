"""What stands out in the classes over several runs, counted."""

from pathlib import Path

import numpy as np

from activation_study.analysis.findings import compare_study
from activation_study.analysis.results import read_study
from activation_study.metrics import Counts
from activation_study.records.record import read_record, run_folders
from activation_study.report.study_report import ReportOptions, make_report
from activation_study.sweep.class_account import class_account
from fake_runs import write_run

GOOD = ((90, 5, 5), (5, 90, 5), (5, 5, 90), (0, 0, 0))
NO_VERTICAL = ((90, 10, 0), (5, 95, 0), (50, 50, 0), (0, 0, 0))
ALL_SKY = ((100, 0, 0), (95, 5, 0), (100, 0, 0), (0, 0, 0))


def counts(matrix: tuple[tuple[int, ...], ...]) -> Counts:
    return np.stack([np.array(matrix, np.int64)] * 10)


def findings(study: Path) -> list[str]:
    return compare_study(study.name, *read_study(study), ()).classes


def test_runs_that_never_predict_a_class_are_counted(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path / "s", "relu", seed, counts=counts(GOOD))
        write_run(tmp_path / "s", "frelu", seed, counts=counts(NO_VERTICAL if seed < 2 else GOOD))
    assert findings(tmp_path / "s") == ["FReLU never predicts vertical in 2 of 3 runs"]


def test_a_class_that_no_run_predicts_is_said_once_and_a_collapse_for_each_activation(tmp_path: Path) -> None:
    for seed in range(2):
        write_run(tmp_path / "s", "relu", seed, counts=counts(NO_VERTICAL))
        write_run(tmp_path / "s", "mish", seed, counts=counts(ALL_SKY if seed else NO_VERTICAL))
    assert findings(tmp_path / "s") == [
        "vertical: never predicted in any of 4 runs",
        "Mish: almost everything became sky in 1 of 2 runs",
    ]


def test_classes_without_images_are_named_in_the_report_and_its_first_lines(tmp_path: Path) -> None:
    matrix = ((90, 10, 0), (5, 95, 0), (0, 0, 0), (0, 0, 0))
    pixels = {"sky": 5, "horizontal": 0, "vertical": 7}
    for name in ("relu", "mish"):
        for seed in range(2):
            write_run(tmp_path / "s", name, seed, counts=counts(matrix), training_pixels=pixels, format="folder")
    report = make_report(tmp_path / "s", ReportOptions(pictures=False))
    text = (report / "report.md").read_text()
    first = text.partition("\n## ")[0]
    assert "- vertical: not in the test images\n- horizontal: not in the training images" in first
    assert "| vertical | – | – | – |" in text
    assert "vertical: not in the test images" in (report / "index.html").read_text()


def test_a_sweep_that_cannot_be_compared_yet_counts_them_too(tmp_path: Path) -> None:
    for name, label_type in (("relu", "surfaces"), ("mish", "surfaces"), ("mish", "regions")):
        write_run(
            tmp_path / "s", name, 0, counts=counts(NO_VERTICAL if name == "mish" else GOOD), label_type=label_type
        )
    records = {folder: record for folder in run_folders(tmp_path / "s") if (record := read_record(folder))}
    assert class_account(records) == [
        "regions of scenes: vertical: never predicted in any of 1 run",
        "surfaces of scenes: Mish never predicts vertical in 1 of 1 run",
    ]
