"""Two factors: combinations as arms, and whether the effect of one depends on the other."""

from pathlib import Path
from typing import Any

import pytest

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.results import read_study
from activation_study.errors import BadInput
from fake_runs import write_run

FACTOR = ["activation", "optimizer"]
INTERACTION = ["mish/sgd − relu/sgd", "mish/adam − relu/adam"]
SEEDS = range(6)
# Mish gains 0.05 with SGD, and nothing with Adam.
ACCURACY = {("relu", "adam"): 0.8, ("mish", "adam"): 0.8, ("relu", "sgd"): 0.75, ("mish", "sgd"): 0.8}


def compared(study: Path, contrasts: Any = (), asked: Any = (), seeds: Any = SEEDS) -> Findings:
    for cell, ((activation, optimizer), accuracy) in enumerate(ACCURACY.items()):
        for seed in seeds:
            options = {"name": optimizer, "learning_rate": 1e-3}
            comparison = {"factor": FACTOR, "contrasts": list(contrasts)}
            write_run(
                study, activation, seed, accuracy, config={"optimizer": options}, comparison=comparison, started=cell
            )
    conditions, problems = read_study(study)
    return compare_study("s", conditions, problems, asked)


def primary(findings: Findings) -> dict[str, Contrast]:
    return {each.pair: each for each in findings.contrasts(findings.main[0]) if each.primary}


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return compared(tmp_path_factory.mktemp("s"))


def test_the_combinations_are_the_arms_of_one_condition(findings: Findings) -> None:
    (condition,) = findings.conditions
    assert {arm.name for arm in condition.arms} == {"/".join(cell) for cell in ACCURACY}
    assert findings.factor.title == "activation and optimizer"
    assert list(primary(findings)) == [
        "Mish/Adam − ReLU/Adam",
        "Mish/SGD − ReLU/SGD",
        "(Mish/SGD − ReLU/SGD) − (Mish/Adam − ReLU/Adam)",
    ]


def test_an_interaction_is_the_difference_of_the_differences(findings: Findings) -> None:
    adam, sgd, change = primary(findings).values()
    value = sgd.paired.difference.value - adam.paired.difference.value
    assert change.paired.difference.value == pytest.approx(value, abs=1e-12)
    arms = {arm.name: arm.metric("test/mean_iou") for arm in findings.main[0].arms}
    by_seed = arms["mish/sgd"] - arms["relu/sgd"] - (arms["mish/adam"] - arms["relu/adam"])
    assert change.paired.deviation == pytest.approx(by_seed.std(ddof=1))
    assert change.new_images is not None
    assert change.new_images.difference.value == pytest.approx(value, abs=1e-12)
    assert adam.new_images is not None
    assert change.new_images.difference.high - change.new_images.difference.low > 0


def test_an_interaction_belongs_to_the_family_and_is_told_in_words(findings: Findings) -> None:
    contrasts = primary(findings)
    assert {each.family for each in contrasts.values()} == {3}
    assert findings.contrasts(findings.main[0])[2].answer == "above"
    (sentence, *_) = findings.summary
    assert "(Mish/SGD − ReLU/SGD) is above (Mish/Adam − ReLU/Adam) by " in sentence


def test_only_what_is_declared_is_compared(tmp_path: Path) -> None:
    assert list(primary(compared(tmp_path, [INTERACTION]))) == ["(Mish/SGD − ReLU/SGD) − (Mish/Adam − ReLU/Adam)"]


def test_an_interaction_can_be_asked_afterwards(tmp_path: Path) -> None:
    found = primary(compared(tmp_path, [["mish/sgd", "relu/sgd"]], [INTERACTION]))
    assert [each.afterwards for each in found.values()] == [False, True]


def test_an_interaction_in_another_order_is_the_same_question(tmp_path: Path) -> None:
    other_order = ["mish/sgd − mish/adam", "relu/sgd − relu/adam"]
    found = primary(compared(tmp_path, [INTERACTION], [other_order, INTERACTION]))
    assert [(pair, each.afterwards) for pair, each in found.items()] == [
        ("(Mish/SGD − Mish/Adam) − (ReLU/SGD − ReLU/Adam)", False)
    ]


def test_an_unknown_combination_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no runs of mish/lion on surfaces; expected combinations of activation and"):
        compared(tmp_path, [["mish/lion − relu/sgd", "mish/adam − relu/adam"]])
