"""What a change of the protocol changes, a setting chosen on validation, declared questions: by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.analysis.ablation import ARTICLES
from activation_study.analysis.findings import Findings, findings
from activation_study.analysis.results import read_study
from activation_study.analysis.statistics import mean_over_seeds
from activation_study.errors import BadInput
from fake_runs import write_run


def found(study: Path, contrasts: Any = ()) -> Findings:
    return findings(study.name, *read_study(study), contrasts, 0)


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    """Three learning rates; on validation the middle one is best for ReLU, the largest for Mish."""
    study, comparison = tmp_path / "rates", {"chosen_on_validation": "optimizer.learning_rate"}
    validation = {"relu": (0.5, 0.7, 0.6), "mish": (0.5, 0.6, 0.7)}
    for place, rate in enumerate((1e-4, 1e-3, 1e-2)):
        for number, name in enumerate(("relu", "mish")):
            for seed in range(3):
                write_run(
                    study,
                    name,
                    seed,
                    0.7 + 0.05 * place + 0.02 * number,
                    learning_rate=rate,
                    validation=validation[name][place],
                    comparison=comparison,
                    started=float(6 * place + number),
                )
    return study


def test_a_rate_is_chosen_on_validation_for_each_activation_and_the_choice_is_compared(rates: Path) -> None:
    result = found(rates)
    (choice,) = result.choices
    assert {arm.name: arm.records[0].config["optimizer"]["learning_rate"] for arm in choice.block.arms} == {
        "relu": 1e-3,
        "mish": 1e-2,
    }
    assert choice.scores["relu"] == pytest.approx({"0.0001": 0.5, "0.001": 0.7, "0.01": 0.6})
    assert result.main == [choice.block]
    assert "chosen on validation: ReLU 0.001, Mish 0.01 (scenes, 3 seeds): " in result.summary[0]
    contrast = dict(result.answered)[choice.block][0]
    a, b = (next(arm for arm in choice.block.arms if arm.name == name) for name in ("mish", "relu"))
    assert contrast.paired.difference.value == pytest.approx(
        np.mean(a.metric("test/mean_iou") - b.metric("test/mean_iou"))
    )
    assert len(result.blocks) == 3, "the chosen runs stand in their own blocks"


def test_each_change_of_the_protocol_is_paired_by_seed_with_the_usual_one(tmp_path: Path) -> None:
    study = tmp_path / "protocol"
    for seed in range(4):
        for number, (name, right) in enumerate({"relu": 0.7, "mish": 0.75}.items()):
            write_run(study, name, seed, right, started=float(number))
            write_run(study, name, seed, right + 0.1, learning_rate=3e-3, started=2.0 + number)
            write_run(study, name, seed, right - 0.2, learning_rate=3e-2, started=4.0 + number)
            write_run(study, name, seed, right, started=9.0, label_type="regions") if number else None
    result = found(study)
    (changes,) = result.changes
    assert changes.base.title == "surfaces, optimizer.learning_rate=0.001"  # no value has a majority: the first
    assert [change.variant for change in changes.changes] == [
        "optimizer.learning_rate=0.003", "optimizer.learning_rate=0.03", ARTICLES,
    ]  # fmt: skip
    arms = {(block.title, arm.name): arm for block in result.blocks for arm in block.arms}
    raised = changes.changes[0]
    for name in ("relu", "mish"):
        here = arms["surfaces, optimizer.learning_rate=0.003", name].metric("test/mean_iou")
        there = arms[changes.base.title, name].metric("test/mean_iou")
        assert raised.arms[name] == mean_over_seeds(here - there)
        assert raised.arms[name].value == pytest.approx(0.12, abs=0.06)
    assert raised.change.value == pytest.approx(raised.arms["mish"].value - raised.arms["relu"].value)
    assert raised.difference.value == pytest.approx(changes.difference.value + raised.change.value)
    scored = changes.changes[-1].arms["relu"]
    relu = arms[changes.base.title, "relu"]
    assert scored.value == pytest.approx(np.mean(relu.metric("test/article/mean_iou") - relu.metric("test/mean_iou")))
    told = "Of 2 changes of the protocol with the same test images, optimizer.learning_rate=0.03 moves ReLU most, by −"
    assert result.summary[-1].startswith(told)
    assert [block.title for block in result.main] == [changes.base.title, "regions, optimizer.learning_rate=0.001"]


def test_one_protocol_alone_has_no_changes(tmp_path: Path) -> None:
    for seed in range(2):
        for name in ("relu", "mish"):
            write_run(tmp_path / "s", name, seed)
    assert found(tmp_path / "s").changes == ()


def test_declared_questions_are_asked_one_by_one_unless_other_pairs_are_given(tmp_path: Path) -> None:
    comparison = {
        "contrasts": [["deep", "relu"], ["frelu", "deep"]],
        "questions": ["Is depth alone a gain?", "Is shape more than depth?"],
    }
    for seed in range(4):
        for place, (name, right) in enumerate({"relu": 0.7, "deep": 0.9, "frelu": 0.9}.items()):
            write_run(tmp_path / "s", name, seed, right, comparison=comparison, started=float(place))
    (lead,) = found(tmp_path / "s").summary
    lines = lead.splitlines()
    assert lines[0] == "On surfaces (scenes, 4 seeds):"
    assert lines[1].startswith("Is depth alone a gain? deep is above ReLU by ")
    assert lines[2].startswith("Is shape more than depth? For FReLU against deep the data do not decide")
    (other,) = found(tmp_path / "s", [["frelu", "relu"]]).summary
    assert "?" not in other


def test_settings_with_other_seeds_are_no_choice(rates: Path) -> None:
    for name in ("relu", "mish"):
        write_run(rates, name, 3, learning_rate=1e-3, comparison={"chosen_on_validation": "optimizer.learning_rate"})
    with pytest.raises(BadInput, match=r"do not have the same seeds \(.*0\.001: 0, 1, 2, 3"):
        found(rates)


def test_a_label_type_without_a_choice_still_has_its_answer(rates: Path) -> None:
    for seed in range(3):
        for place, name in enumerate(("relu", "mish")):
            write_run(rates, name, seed, label_type="regions", learning_rate=1e-3, started=20.0 + place,
                      comparison={"chosen_on_validation": "optimizer.learning_rate"})  # fmt: skip
    titles = [block.label_type for block in found(rates).main]
    assert sorted(titles) == ["regions", "surfaces"]


def test_a_protocol_with_one_activation_or_other_seeds_is_left_out_of_the_changes(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for seed in range(4):
        for place, name in enumerate(("relu", "mish")):
            write_run(study, name, seed, started=float(place))
        write_run(study, "relu", seed, learning_rate=3e-3, started=5.0)
    assert found(study).changes == ()
    for seed in (3, 4):
        for place, name in enumerate(("relu", "mish")):
            write_run(study, name, seed, learning_rate=3e-2, started=6.0 + place)
    assert found(study).changes == ()


def test_a_change_with_other_test_images_is_marked_and_not_in_the_sentence(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for seed in range(3):
        for place, name in enumerate(("relu", "mish")):
            write_run(study, name, seed, started=float(place))
            write_run(study, name, seed, split="shuffled", names="other", started=5.0 + place)
    result = found(study)
    assert [change.other_images for change in result.changes[0].changes] == [True, False]
    assert "test images of their own" in result.summary[-1]


def test_one_change_alone_is_said_of_each_activation(tmp_path: Path) -> None:
    for seed in range(3):
        for place, name in enumerate(("relu", "mish")):
            write_run(tmp_path / "s", name, seed, 0.7, started=float(place))
            write_run(tmp_path / "s", name, seed, 0.8, learning_rate=3e-3, started=2.0 + place)
    lead = found(tmp_path / "s").summary[-1]
    assert lead.startswith("optimizer.learning_rate=0.003 moves ReLU by +")
    assert " points and Mish by +" in lead
