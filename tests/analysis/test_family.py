"""Which contrasts decide: one family of the main conditions, declared before the runs."""

from pathlib import Path

import pytest

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.results import read_study
from activation_study.analysis.statistics.paired import holm
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run

ORDER = {"relu": 0.0, "mish": 1.0, "frelu": 2.0}  # of the first runs, and so of the arms


def compared(study: Path, *asked: list[str]) -> Findings:
    return compare_study(study.name, *read_study(study), asked)


def primary(result: Findings) -> list[Contrast]:
    return [each for _, contrasts in result.compared for each in contrasts if each.primary]


@pytest.fixture
def two_label_types(tmp_path: Path) -> Path:
    for label_type in ("surfaces", "regions"):
        for seed in range(5):
            for name, accuracy in (("relu", 0.7), ("mish", 0.71), ("frelu", 0.72)):
                write_run(tmp_path / "s", name, seed, accuracy, label_type=label_type, started=ORDER[name])
    return tmp_path / "s"


def test_the_contrasts_of_all_label_types_are_corrected_together(two_label_types: Path) -> None:
    contrasts = primary(compared(two_label_types))
    assert len(contrasts) == 4
    assert [each.p_holm for each in contrasts] == holm([each.paired.p for each in contrasts])
    assert {each.family for each in contrasts} == {4}


def test_other_protocols_show_intervals_and_decide_nothing(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for seed in range(4):
        for name, accuracy in (("relu", 0.6), ("mish", 0.8)):
            write_run(study, name, seed, accuracy, started=ORDER[name])
            write_run(study, name, seed, accuracy, learning_rate=1e-2, started=10 + ORDER[name])
            write_run(study, name, 10 + seed, accuracy, started=20 + ORDER[name])  # most runs have the usual rate
    result = compared(study)
    (main, of_main), (_, of_others) = result.compared
    assert result.main == (main,)
    assert of_main[0].answer == "above"
    assert (of_others[0].answer, of_others[0].p_holm, of_others[0].family) == (None, None, 0)
    assert "shown without a decision" in result.conclusion(result.compared[1][0])


def test_a_pair_that_is_asked_afterwards_is_marked_and_makes_the_family_larger(
    two_label_types: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = compared(two_label_types, ["frelu", "mish"])
    contrasts = primary(result)
    assert [(each.a, each.b, each.afterwards) for each in contrasts[:3]] == [
        ("mish", "relu", False), ("frelu", "relu", False), ("frelu", "mish", True),
    ]  # fmt: skip
    assert {each.family for each in contrasts} == {6}
    assert result.summary[0].count("(asked afterwards)") == 1
    report = make_report(two_label_types, ReportOptions(contrasts=[["frelu", "mish"]], pictures=False))
    assert "FReLU − Mish (asked afterwards)" in (report / "report.md").read_text()
    assert "FReLU − Mish (asked" in " ".join(capsys.readouterr().out.split())
    assert ",True,6," in (report / "differences.csv").read_text()


def test_a_pair_that_only_later_runs_declare_is_asked_afterwards(tmp_path: Path) -> None:
    for seed in range(3):
        for name, accuracy in (("relu", 0.7), ("mish", 0.71), ("frelu", 0.72)):
            pairs = [["mish", "relu"], *([["frelu", "mish"]] if name == "frelu" else [])]
            write_run(tmp_path / "s", name, seed, accuracy, contrasts=pairs, started=ORDER[name])
    contrasts = primary(compared(tmp_path / "s"))
    assert [(each.a, each.b, each.afterwards) for each in contrasts] == [
        ("mish", "relu", False), ("frelu", "mish", True),
    ]  # fmt: skip


def test_a_declared_pair_in_the_other_order_is_not_asked_afterwards(two_label_types: Path) -> None:
    contrasts = primary(compared(two_label_types, ["relu", "mish"]))
    assert [(each.a, each.b, each.afterwards) for each in contrasts[:2]] == [
        ("frelu", "relu", False), ("relu", "mish", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("accuracies", "answer", "words"),
    [
        ((0.7, 0.8), "above", "Mish is above ReLU by "),
        ((0.8, 0.7), "below", "Mish is below ReLU by "),
        ((0.7, 0.7), "equivalent", "Mish and ReLU are equivalent within ±5 points ("),
    ],
)
def test_a_declared_margin_makes_equivalence_an_answer(
    accuracies: tuple[float, float], answer: str, words: str, tmp_path: Path
) -> None:
    comparison = {"contrasts": [], "margin": 5.0}
    for seed in range(6):
        for name, accuracy in zip(("relu", "mish"), accuracies, strict=True):
            write_run(tmp_path / "s", name, seed, accuracy, comparison=comparison, started=ORDER[name])
    result = compared(tmp_path / "s")
    assert primary(result)[0].answer == answer
    assert words in result.summary[0]


def test_without_a_margin_nothing_is_equivalent_and_a_difference_within_it_says_so(tmp_path: Path) -> None:
    for study, margin in (("none", None), ("wide", 20.0)):
        for seed in range(6):
            for name, accuracy in (("relu", 0.7), ("mish", 0.8)):
                comparison = {"contrasts": [], "margin": margin}
                write_run(tmp_path / study, name, seed, accuracy, comparison=comparison, started=ORDER[name])
    none, wide = (primary(compared(tmp_path / study))[0] for study in ("none", "wide"))
    assert (none.margin, none.p_equivalence, none.answer) == (None, None, "above")
    assert wide.answer == "above"
    assert wide.equivalent
    assert ", which is within ±20 points" in compared(tmp_path / "wide").summary[0]
