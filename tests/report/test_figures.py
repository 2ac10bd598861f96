"""The figures of a report are legible whatever the names are."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from activation_study.analysis.results import read_study
from activation_study.evaluation.plots import MANY_CLASSES
from activation_study.report.figures import confusion_figure
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run


def test_a_long_change_of_the_protocol_leaves_room_for_the_values(tmp_path: Path) -> None:
    changed = {"learning_rate": 1e-4, "split": "shuffled"}
    for seed in range(3):
        for activation in ("relu", "mish"):
            write_run(tmp_path / "long", activation, seed)
            write_run(tmp_path / "long", activation, seed, **changed)
    report = make_report(tmp_path / "long", ReportOptions(pictures=False))
    assert "data.split=shuffled optimizer.learning_rate=0.0001" in (report / "report.md").read_text()
    figure = next((report / "figures").glob("*-changes.svg")).read_text()
    texts = re.findall(r"<text[^>]*>(.*?)</text>", figure)
    assert "data.split=shuffled" in texts
    assert "optimizer.learning_rate=0.0001" in " ".join(texts)


def test_an_axis_of_iou_shows_only_what_is_possible(tmp_path: Path) -> None:
    for seed, accuracy in enumerate((0.02, 0.99)):  # the interval of two seeds goes far beyond 0 and 100 %
        for activation in ("relu", "mish"):
            write_run(tmp_path / "s", activation, seed, accuracy)
    report = make_report(tmp_path / "s", ReportOptions(pictures=False))
    for name in ("seeds", "classes"):
        figure = next((report / "figures").glob(f"*-{name}.svg")).read_text()
        ticks = [text.replace("−", "-") for text in re.findall(r"<text[^>]*>(.*?)</text>", figure)]
        numbers = [float(text) for text in ticks if re.fullmatch(r"-?[\d.]+", text)]
        assert numbers
        assert min(numbers) >= 0
        assert max(numbers) <= 100


def test_two_factors_have_a_figure_of_the_differences_at_each_value_of_the_second(tmp_path: Path) -> None:
    study = tmp_path / "s"
    accuracy = {("relu", 64): 0.7, ("mish", 64): 0.7, ("relu", 128): 0.7, ("mish", 128): 0.9}
    for cell, ((activation, size), fraction) in enumerate(accuracy.items()):
        for seed in range(3):
            comparison = {"factor": ["activation", "data.image_size"], "contrasts": [["mish/128", "relu/128"]]}
            write_run(study, activation, seed, fraction, image_size=[size, size], comparison=comparison, started=cell)
    report = make_report(study, ReportOptions(pictures=False))
    figure = (report / "figures" / "scenes-surfaces-interaction.svg").read_text()
    texts = re.findall(r"<text[^>]*>(.*?)</text>", figure)
    assert {"64", "128", "image size", "Mish − ReLU"} <= set(texts)
    assert (
        "Difference of pooled mean IoU of each activation to the first one at each image size"
        in (report / "report.md").read_text()
    )


def test_a_study_of_one_factor_has_none(tmp_path: Path) -> None:
    for seed in range(2):
        for activation in ("relu", "mish"):
            write_run(tmp_path / "s", activation, seed)
    report = make_report(tmp_path / "s", ReportOptions(pictures=False))
    assert not list((report / "figures").glob("*-interaction.svg"))


def test_a_confusion_matrix_of_many_classes_has_no_numbers(tmp_path: Path) -> None:
    for seed in range(2):
        for activation in ("relu", "mish"):
            write_run(tmp_path / "s", activation, seed)
    (condition,), _ = read_study(tmp_path / "s")
    many, classes = MANY_CLASSES + 1, tuple(f"class{number}" for number in range(MANY_CLASSES + 1))
    counts = np.ones((2, 10, many + 1, many), np.int64)
    arms = tuple(replace(arm, confusions=counts) for arm in condition.arms)
    svg = confusion_figure(replace(condition, arms=arms, classes=classes, colors=("#000000",) * many))
    assert ">2<" not in svg
    assert svg.count(">class40<") == 4
    few = np.ones((2, 10, 4, 3), np.int64)
    few[:, :, 1] = 0
    figure = confusion_figure(replace(condition, arms=tuple(replace(arm, confusions=few) for arm in condition.arms)))
    assert figure.count(">–<") == 6, "a class without truth has no share"
