"""Changes of the protocol, a setting selected on validation, declared questions: checked by hand."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.analysis.ablation import ARTICLES
from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.results import read_study
from activation_study.analysis.statistics.paired import mean_over_seeds
from activation_study.errors import BadInput
from activation_study.records.looks import read_looks
from activation_study.report.study_report import ReportOptions, make_report
from activation_study.report.tables import cost_table, selection_table
from fake_runs import write_run


def findings(study: Path, contrasts: Any = ()) -> Findings:
    return compare_study(study.name, *read_study(study), contrasts)


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    """Three learning rates: on validation, the middle one is best for ReLU and the largest for Mish."""
    study, comparison = tmp_path / "rates", {"chosen_on_validation": "optimizer.learning_rate"}
    validation = {"relu": (0.5, 0.7, 0.6), "mish": (0.5, 0.6, 0.7)}
    for rate_index, rate in enumerate((1e-4, 1e-3, 1e-2)):
        for name_index, name in enumerate(("relu", "mish")):
            for seed in range(3):
                write_run(
                    study,
                    name,
                    seed,
                    0.7 + 0.05 * rate_index + 0.02 * name_index,
                    learning_rate=rate,
                    validation=validation[name][rate_index],
                    comparison=comparison,
                    started=float(6 * rate_index + name_index),
                )
    return study


def test_each_activation_is_compared_at_the_learning_rate_that_is_best_for_it_on_validation(rates: Path) -> None:
    result = findings(rates)
    (selection,) = result.selections
    assert {arm.name: arm.records[0].config["optimizer"]["learning_rate"] for arm in selection.condition.arms} == {
        "relu": 1e-3,
        "mish": 1e-2,
    }
    assert selection.scores["relu"] == pytest.approx({"0.0001": 0.5, "0.001": 0.7, "0.01": 0.6})
    assert result.main == (selection.condition,)
    assert "chosen on validation: ReLU 0.001, Mish 0.01 (scenes, 3 seeds): " in result.summary[0]
    contrast = dict(result.compared)[selection.condition][0]
    a, b = (next(arm for arm in selection.condition.arms if arm.name == name) for name in ("mish", "relu"))
    assert contrast.paired.difference.value == pytest.approx(
        np.mean(a.metric("test/mean_iou") - b.metric("test/mean_iou"))
    )
    assert len(result.conditions) == 3, "the selected runs are also in their own conditions"


def test_a_best_value_at_the_edge_of_those_that_were_tried_is_marked(rates: Path) -> None:
    result = findings(rates)
    (selection,) = result.selections
    assert [selection.at_edge(name) for name in ("relu", "mish")] == [False, True]
    edge = "The best optimizer.learning_rate of Mish on surfaces is the smallest or largest that was tried: "
    assert any(sentence.startswith(edge) for sentence in result.summary)
    table = selection_table(selection)
    assert "70.0 ← at the edge" in {row[0]: row for row in table.rows}["Mish"]
    assert edge in table.caption
    few = replace(selection, scores={"mish": {"0.001": 0.5, "0.01": 0.6}, "words": {"a": 0.1, "b": 0.2, "c": 0.3}})
    assert not few.at_edge("mish"), "of two values both are at the edge"
    assert not few.at_edge("words")


def test_runs_that_the_cap_of_epochs_ended_are_counted(tmp_path: Path) -> None:
    for seed in range(3):
        folder = write_run(tmp_path / "s", "relu", seed)
        count = len(json.loads((folder / "run.json").read_text())["epochs"])
        write_run(tmp_path / "t", "relu", seed, config={"training": {"epochs": count}})
    (condition,), _ = read_study(tmp_path / "t")
    table = cost_table(condition)
    assert table.rows[0][2] == f"{count} (3 of 3 at the cap)"
    assert "training.epochs ended the training" in table.caption
    for seed in range(3):
        write_run(tmp_path / "longer", "relu", seed, config={"training": {"epochs": count + 1}})
    (condition,), _ = read_study(tmp_path / "longer")
    assert "at the cap" not in str(cost_table(condition)).lower()


def test_each_change_of_the_protocol_is_paired_by_seed_with_the_usual_protocol(tmp_path: Path) -> None:
    study = tmp_path / "protocol"
    for seed in range(4):
        for index, (name, right) in enumerate({"relu": 0.7, "mish": 0.75}.items()):
            write_run(study, name, seed, right, started=float(index))
            write_run(study, name, seed, right + 0.1, learning_rate=3e-3, started=2.0 + index)
            write_run(study, name, seed, right - 0.2, learning_rate=3e-2, started=4.0 + index)
        write_run(study, "mish", seed, 0.75, started=9.0, label_type="regions")
    result = findings(study)
    (ablations,) = result.ablations
    assert ablations.base.title == "surfaces, optimizer.learning_rate=0.001"  # no value has a majority: the first
    assert [change.variant for change in ablations.changes] == [
        "optimizer.learning_rate=0.003", "optimizer.learning_rate=0.03", ARTICLES,
    ]  # fmt: skip
    arms = {(condition.title, arm.name): arm for condition in result.conditions for arm in condition.arms}
    change = ablations.changes[0]
    for name in ("relu", "mish"):
        changed = arms["surfaces, optimizer.learning_rate=0.003", name].metric("test/mean_iou")
        usual = arms[ablations.base.title, name].metric("test/mean_iou")
        assert change.arms[name] == mean_over_seeds(changed - usual)
        assert change.arms[name].value == pytest.approx(0.12, abs=0.06)
    pair = ("mish", "relu")
    moved = change.changes[pair].value
    assert moved == pytest.approx(change.arms["mish"].value - change.arms["relu"].value)
    assert change.differences[pair].value == pytest.approx(ablations.differences[pair].value + moved)
    effect_of_scoring = ablations.changes[-1].arms["relu"]
    relu = arms[ablations.base.title, "relu"]
    effects = relu.metric("test/article/mean_iou") - relu.metric("test/mean_iou")
    assert effect_of_scoring.value == pytest.approx(np.mean(effects))
    sentence = result.summary[-1]
    assert sentence.startswith(
        "Of 2 changes of the protocol with the same test images, optimizer.learning_rate=0.03 moves ReLU most, by −"
    )
    assert " and optimizer.learning_rate=0.03 moves Mish most, by −" in sentence
    assert ". With and without these changes, the estimate of Mish − ReLU is between " in sentence
    assert [condition.title for condition in result.main] == [
        ablations.base.title,
        "regions, optimizer.learning_rate=0.001",
    ]


def test_a_study_of_one_protocol_has_no_changes(tmp_path: Path) -> None:
    for seed in range(2):
        for name in ("relu", "mish"):
            write_run(tmp_path / "s", name, seed)
    assert findings(tmp_path / "s").ablations == ()


def test_own_data_are_named_in_the_place_of_their_label_type(tmp_path: Path) -> None:
    for activation in ("relu", "mish"):
        for seed in (0, 1):
            write_run(tmp_path / "s", activation, seed, label_type="own", data_name="places")
    result = findings(tmp_path / "s")
    assert [condition.title for condition in result.conditions] == ["places"]
    assert result.summary[0].startswith("On places (2 seeds): ")


def test_each_declared_question_has_an_answer_unless_other_pairs_are_given(tmp_path: Path) -> None:
    comparison = {
        "contrasts": [["deep", "relu"], ["frelu", "deep"]],
        "questions": ["Is depth alone a gain?", "Is shape more than depth?"],
    }
    for seed in range(4):
        for index, (name, right) in enumerate({"relu": 0.7, "deep": 0.9, "frelu": 0.9}.items()):
            write_run(tmp_path / "s", name, seed, right, comparison=comparison, started=float(index))
    (conclusion,) = findings(tmp_path / "s").summary
    lines = conclusion.splitlines()
    assert lines[0] == "On surfaces (scenes, 4 seeds):"
    assert lines[1].startswith("Is depth alone a gain? deep is above ReLU by ")
    assert lines[2].startswith("Is shape more than depth? FReLU vs. deep: inconclusive (")
    (other,) = findings(tmp_path / "s", [["frelu", "relu"]]).summary
    assert "?" not in other


def test_values_with_different_seeds_are_rejected(rates: Path) -> None:
    for name in ("relu", "mish"):
        write_run(rates, name, 3, learning_rate=1e-3, comparison={"chosen_on_validation": "optimizer.learning_rate"})
    with pytest.raises(BadInput, match=r"do not have the same seeds \(.*0\.001: 0, 1, 2, 3"):
        findings(rates)


def test_a_choice_says_that_its_own_runs_are_compared(rates: Path) -> None:
    assert "compared by the runs that selected them, which makes them look better" in " ".join(findings(rates).summary)


def test_a_label_type_without_a_selection_has_a_conclusion_too(rates: Path) -> None:
    for seed in range(3):
        for index, name in enumerate(("relu", "mish")):
            write_run(rates, name, seed, label_type="regions", learning_rate=1e-3, started=20.0 + index,
                      comparison={"chosen_on_validation": "optimizer.learning_rate"})  # fmt: skip
    titles = [condition.label_type for condition in findings(rates).main]
    assert sorted(titles) == ["regions", "surfaces"]


def test_a_protocol_with_one_activation_or_other_seeds_is_not_a_change(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for seed in range(4):
        for index, name in enumerate(("relu", "mish")):
            write_run(study, name, seed, started=float(index))
        write_run(study, "relu", seed, learning_rate=3e-3, started=5.0)
    assert findings(study).ablations == ()
    for seed in (3, 4):
        for index, name in enumerate(("relu", "mish")):
            write_run(study, name, seed, learning_rate=3e-2, started=6.0 + index)
    assert findings(study).ablations == ()


def test_a_change_with_other_test_images_is_marked_and_left_out_of_the_sentence(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for seed in range(3):
        for index, name in enumerate(("relu", "mish")):
            write_run(study, name, seed, started=float(index))
            write_run(study, name, seed, split="shuffled", names="other", started=5.0 + index)
    result = findings(study)
    assert [change.other_images for change in result.ablations[0].changes] == [True, False]
    assert result.summary[-1] == (
        "Each change of the protocol has its own test images; the table gives Mish − ReLU for each."
    )


def test_the_effect_of_a_single_change_is_given_for_each_activation(tmp_path: Path) -> None:
    for seed in range(3):
        for index, name in enumerate(("relu", "mish")):
            write_run(tmp_path / "s", name, seed, 0.7, started=float(index))
            write_run(tmp_path / "s", name, seed, 0.8, learning_rate=3e-3, started=2.0 + index)
    sentence = findings(tmp_path / "s").summary[-1]
    assert sentence.startswith("optimizer.learning_rate=0.003 moves ReLU by +")
    assert " points and Mish by +" in sentence
    assert ". With and without this change, the estimate of Mish − ReLU is between " in sentence


def test_questions_that_are_asked_one_at_a_time_are_corrected_together(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for number, name in enumerate(("relu", "mish", "frelu", "elu")):
        for seed in range(3):
            write_run(study, name, seed, contrasts=[["mish", "relu"]], started=float(number))
    make_report(study, ReportOptions([["frelu", "mish"]], pictures=False))
    make_report(study, ReportOptions([["mish", "frelu"], ["elu", "frelu"]], pictures=False))
    make_report(study, ReportOptions(pictures=False))
    kept = [each for look in read_looks(study)["looks"] for each in look["contrasts"]]
    findings = compare_study("s", *read_study(study), [], kept)
    contrasts = [each for each in findings.contrasts(findings.main[0]) if each.primary]
    assert [(each.pair, each.afterwards, each.family) for each in contrasts] == [
        ("Mish − ReLU", False, 3),
        ("FReLU − Mish", True, 3),
        ("ELU − FReLU", True, 3),
    ]


def test_a_value_that_was_chosen_on_validation_is_no_unfair_difference(rates: Path) -> None:
    assert not any("optimizer.learning_rate is" in sentence for sentence in findings(rates).summary)


def test_an_incomplete_study_answers_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for number, (name, seeds) in enumerate((("relu", 4), ("mish", 4), ("frelu", 1))):
        for seed in range(seeds):
            write_run(study, name, seed, started=float(number))
    result = compare_study("s", *read_study(study, allow_incomplete=True), [])
    assert [each.pair for _, contrasts in result.compared for each in contrasts if each.primary] == ["Mish − ReLU"]
    assert "surfaces: FReLU − ReLU is not compared: fewer than two seeds in common" in result.problems
    make_report(study, ReportOptions(allow_incomplete=True, pictures=False))


def test_a_variant_that_decides_nothing_need_not_have_all_arms(tmp_path: Path) -> None:
    study, declared = tmp_path / "s", {"contrasts": [["mish", "relu"], ["frelu", "relu"]]}
    for number, name in enumerate(("relu", "mish", "frelu")):
        for seed in range(3):
            write_run(study, name, seed, comparison=declared, started=float(number))
            if name != "frelu":
                write_run(study, name, seed, comparison=declared, learning_rate=0.1, started=10.0 + number)
    result = findings(study)
    pairs = {condition.title: {each.pair for each in contrasts} for condition, contrasts in result.compared}
    assert pairs["surfaces"] == {"Mish − ReLU", "FReLU − ReLU"}
    assert pairs["surfaces, optimizer.learning_rate=0.1"] == {"Mish − ReLU"}
    (sentence,) = (each for each in result.summary if "moves" in each)
    assert "the estimate of Mish − ReLU is between" in sentence
    assert "FReLU − ReLU" not in sentence
    make_report(study, ReportOptions(pictures=False))


def test_sentences_on_changes_say_which_label_type_they_are_about(tmp_path: Path) -> None:
    for label_type in ("regions", "surfaces"):
        for name in ("relu", "mish"):
            for seed in range(3):
                for rate in (1e-3, 1e-4):
                    write_run(tmp_path / "s", name, seed, label_type=label_type, learning_rate=rate)
    told = [each for each in findings(tmp_path / "s").summary if "moves" in each]
    assert sorted(each.partition(": ")[0] for each in told) == ["regions", "surfaces"]


def test_two_data_sets_with_one_label_type_are_told_apart(tmp_path: Path) -> None:
    for data in ("north", "south"):
        for name in ("relu", "mish"):
            for seed in range(3):
                write_run(tmp_path / "s", name, seed, data_name=data)
    report = make_report(tmp_path / "s", ReportOptions(pictures=False))
    tables = (report / "tables.tex").read_text()
    assert "north, surfaces" in tables
    assert "south, surfaces" in tables


def test_a_second_factor_alone_is_compared(tmp_path: Path) -> None:
    comparison = {"factor": ["activation", "data.image_size"]}
    for number, size in enumerate((64, 128)):
        for seed in range(3):
            write_run(
                tmp_path / "s", "relu", seed, image_size=[size, size], comparison=comparison, started=float(number)
            )
    ((_, contrasts),) = findings(tmp_path / "s").compared
    assert {(each.a, each.b) for each in contrasts} == {("relu/128", "relu/64")}
    make_report(tmp_path / "s", ReportOptions(pictures=False))


def test_sections_with_long_names_have_figures_of_their_own(tmp_path: Path) -> None:
    changes = [{"split": "shuffled", "learning_rate": 1e-4, "kernel_size": size} for size in (3, 5, 7)]
    for change in changes:
        for seed in range(2):
            write_run(
                tmp_path / "s", "relu", seed, data_name="a_data_set_with_a_name_of_some_forty_signs_", **change,
                config={"training": {"batch_size": change["kernel_size"]}},
            )  # fmt: skip
    report = make_report(tmp_path / "s", ReportOptions(pictures=False))
    shown = [line for line in (report / "report.md").read_text().splitlines() if line.startswith("![")]
    assert len(shown) == len(set(shown)) == len(list((report / "figures").glob("*.svg")))


def test_unequal_effort_in_the_choice_on_validation_is_told(tmp_path: Path) -> None:
    study, comparison = tmp_path / "s", {"chosen_on_validation": "optimizer.learning_rate"}
    for name, rates in (("relu", (1e-3,)), ("mish", (1e-4, 1e-3, 1e-2))):
        for place, rate in enumerate(rates):
            for seed in range(3):
                write_run(study, name, seed, learning_rate=rate, comparison=comparison, started=float(place))
    summary = " ".join(findings(study).summary)
    assert "on surfaces: values of optimizer.learning_rate that were tried: Mish 3 and ReLU 1." in summary
    assert "Unequal effort" not in " ".join(findings(study).questions)


def test_asked_contrasts_leave_the_default_ones_in_the_changes(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for rate in (1e-3, 1e-2):
        for number, name in enumerate(("relu", "mish", "frelu")):
            for seed in range(3):
                write_run(study, name, seed, learning_rate=rate, started=1000 * rate + number)
    (ablations,) = findings(study, [["frelu", "mish"]]).ablations
    assert list(ablations.differences) == [("mish", "relu"), ("frelu", "relu"), ("frelu", "mish")]
