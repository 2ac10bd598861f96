"""A cross-validation: one answer from all folds, in which seeds and folds vary."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.results import read_study
from activation_study.analysis.statistics.crossed import crossed
from activation_study.errors import BadInput
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run

MARGIN = {"contrasts": [], "margin": 20.0}


def write_folds(
    study: Path, seeds: int = 3, folds: int = 4, skipped: tuple[int, int] | None = None, **comparison: Any
) -> None:
    for fold in range(folds):
        for number, (name, accuracy) in enumerate((("relu", 0.7), ("mish", 0.75))):
            for seed in range(seeds):
                if (seed, fold) != skipped:
                    write_run(
                        study, name, seed, accuracy + 0.02 * fold, split="kfold", fold=fold, names=f"fold{fold}-",
                        started=10.0 * fold + number, comparison={**MARGIN, **comparison},
                    )  # fmt: skip


def compared(study: Path, allow_incomplete: bool = False) -> Findings:
    return compare_study(study.name, *read_study(study, allow_incomplete), [])


def test_nothing_is_chosen_on_the_validation_images_of_several_folds(tmp_path: Path) -> None:
    write_folds(tmp_path / "s", chosen_on_validation="optimizer.learning_rate")
    with pytest.raises(BadInput, match="each fold is validated on the test images of another fold"):
        compared(tmp_path / "s")


def test_all_folds_are_one_condition_with_one_answer(tmp_path: Path) -> None:
    write_folds(tmp_path / "s")
    result = compared(tmp_path / "s")
    (condition,) = result.conditions
    assert (condition.seeds, condition.variant, len(condition.images)) == ("3 seeds × 4 folds", (), 40)
    relu, mish = condition.arms
    assert relu.of_folds("test/mean_iou").shape == (3, 4)
    assert relu.metric("test/mean_iou") == pytest.approx(relu.of_folds("test/mean_iou").mean(axis=1))
    expected = crossed(mish.of_folds("test/mean_iou") - relu.of_folds("test/mean_iou"))
    contrast = result.contrasts(condition)[0]
    assert expected is not None
    assert contrast.over_folds == expected
    assert contrast.paired.difference == expected.interval()
    assert (contrast.p_holm, contrast.p_equivalence) == (expected.p(), expected.p_equivalence(0.2))
    assert contrast.new_images is not None
    assert (contrast.new_images.difference, contrast.new_images.units) == (expected.interval(), 4)
    assert (contrast.family, contrast.seeds_to_settle) == (1, None)
    assert "(scenes, 3 seeds × 4 folds)" in result.summary[0]
    assert "Seeds and folds both vary; the folds' training sets overlap" in result.summary[0]
    assert result.ablations == (), "folds are no changes of the protocol"


def test_each_seed_of_an_arm_keeps_the_runs_of_its_folds(tmp_path: Path) -> None:
    write_folds(tmp_path / "s")
    (condition,) = compared(tmp_path / "s").conditions
    runs = [(seed, record.config["data"]["fold"]) for seed, record, _ in condition.arms[0].runs]
    assert runs == [(seed, fold) for seed in range(3) for fold in range(4)]
    later = condition.arms[0].at([2])
    assert [record.config["seed"] for record in later.records] == [2] * 4
    assert later.metric("test/mean_iou") == condition.arms[0].metric("test/mean_iou")[2:]


def test_a_seed_counts_if_it_has_all_folds(tmp_path: Path) -> None:
    write_folds(tmp_path / "s", skipped=(1, 2))
    (condition,) = compared(tmp_path / "s", allow_incomplete=True).conditions
    assert {arm.seeds for arm in condition.arms} == {(0, 2)}


def test_the_report_has_one_section_and_every_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_folds(tmp_path / "s")
    report = make_report(tmp_path / "s", ReportOptions(pictures=True))
    with open(report / "runs.csv", encoding="utf-8") as file:
        runs = list(csv.DictReader(file))
    assert len({run["folder"] for run in runs}) == 24
    text = (report / "report.md").read_text(encoding="utf-8")
    assert text.count("## surfaces") == 1
    assert "No sample images of surfaces: each fold has its own test images" in capsys.readouterr().out


def test_a_variant_beside_the_folds_stays_a_condition_of_its_own(tmp_path: Path) -> None:
    write_folds(tmp_path / "s")
    for name in ("relu", "mish"):
        for seed in range(3):
            write_run(tmp_path / "s", name, seed, started=99.0)
    result = compared(tmp_path / "s")
    assert sorted(condition.folds for condition in result.conditions) == [1, 4]
    assert all(np.isfinite(contrast.paired.p) for _, contrasts in result.compared for contrast in contrasts)


def test_what_folds_lack_of_each_other_is_told(tmp_path: Path) -> None:
    write_folds(tmp_path / "s", skipped=(1, 2))
    with pytest.raises(BadInput, match="relu: no seed 1 of fold 2"):
        read_study(tmp_path / "s")


def test_further_metrics_leave_the_folds_aside_and_so_are_left_out(tmp_path: Path) -> None:
    write_folds(tmp_path / "s")
    result = compared(tmp_path / "s")
    assert result.contrasts(result.main[0])[0].other_metrics == {}


def test_arms_that_are_alike_in_each_fold_do_not_differ(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_folds(study)
    for path in study.glob("*/run.json"):
        record = json.loads(path.read_text())
        record["environment"] = {"device": f"GPU {record['config']['data']['fold']}"}
        path.write_text(json.dumps(record))
    assert not any("The arms differ in" in sentence for sentence in compared(study).summary)
    record["environment"] = {"device": "another"}
    path.write_text(json.dumps(record))
    assert any("The arms differ in device for 1 of 3 seeds" in sentence for sentence in compared(study).summary)


def test_a_class_is_untrained_only_if_no_fold_has_it(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_folds(study)
    for path in study.glob("*/run.json"):
        record = json.loads(path.read_text())
        fold = record["config"]["data"]["fold"]
        record["training_pixels"] = {"sky": 0, "horizontal": 0 if fold == 0 else 9, "vertical": 9}
        path.write_text(json.dumps(record))
    assert "sky: not in the training images" in compared(study).classes


def test_the_captions_say_what_a_dot_is(tmp_path: Path) -> None:
    write_folds(tmp_path / "s")
    report = (make_report(tmp_path / "s", ReportOptions(pictures=False)) / "report.md").read_text()
    assert "each dot is one of 3 seeds, each the mean over 4 folds" in report
    assert "95 % interval of the mean over seeds and folds" in report


def test_changes_of_the_protocol_vary_over_seeds_and_folds(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for rate in (1e-3, 1e-2):
        for fold in range(4):
            for number, (name, accuracy) in enumerate((("relu", 0.7), ("mish", 0.7 + 10 * rate * (fold - 1)))):
                for seed in range(3):
                    write_run(
                        study, name, seed, accuracy, split="kfold", fold=fold, names=f"fold{fold}-",
                        learning_rate=rate, started=1e4 * rate + 10.0 * fold + number,
                    )  # fmt: skip
    result = compared(study)
    (ablations,) = result.ablations
    first, second = result.conditions
    key = "test/mean_iou"
    (relu, mish), (other_relu, other_mish) = first.arms, second.arms
    change = (other_mish.of_folds(key) - mish.of_folds(key)) - (other_relu.of_folds(key) - relu.of_folds(key))
    expected = crossed(change)
    assert expected is not None
    assert ablations.changes[0].changes["mish", "relu"] == expected.interval()
