"""Which contrasts decide: one family of the main conditions, declared before the runs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.finished_runs import read_kept_looks, read_planned
from activation_study.analysis.packed.pack import pack_study
from activation_study.analysis.results import read_study
from activation_study.analysis.statistics.paired import holm
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.planned_runs import PLANNED_FILE, PlannedRun
from activation_study.records.source_code import MANIFESTS_FOLDER
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


def plan_also(study: Path, label_type: str, names: Sequence[str]) -> None:
    """The last sweep has planned these arms of a label type, too, five seeds each."""
    runs = {
        f"{label_type}{name}{seed}": asdict(
            PlannedRun(f"{label_type}-{name}-seed{seed}", 0.0, name, seed, 10, data="scenes", label_type=label_type)
        )
        for name in names
        for seed in range(5)
    }
    write_json(study / MANIFESTS_FOLDER / PLANNED_FILE, runs)


def test_a_label_type_that_was_planned_and_has_no_run_counts_in_the_family(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for seed in range(5):
        for name, accuracy in (("relu", 0.7), ("mish", 0.71), ("frelu", 0.72)):
            write_run(study, name, seed, accuracy, started=ORDER[name])
    alone = primary(compared(study))
    plan_also(study, "regions", list(ORDER))
    with pytest.raises(BadInput, match=r"is incomplete \(15 found\):\n  regions-relu-seed0: not started"):
        read_study(study)
    result = compare_study("s", *read_study(study, allow_incomplete=True), [], planned_runs=read_planned(study))
    contrasts = primary(result)
    assert [each.family for each in alone] == [2, 2]
    assert [each.family for each in contrasts] == [4, 4]
    assert [each.p_holm for each in contrasts] == holm([*(each.paired.p for each in contrasts), 1, 1])[:2]


@pytest.mark.parametrize("status", ["FAILED", None])
def test_arms_that_were_planned_and_have_no_finished_run_count_in_the_family(
    tmp_path: Path, status: str | None
) -> None:
    study = tmp_path / "s"
    for seed in range(5):
        for name in ("relu", "mish"):
            write_run(study, name, seed, started=ORDER[name])
        if status:
            write_run(study, "frelu", seed, started=ORDER["frelu"], status=status)
    planned = {
        f"{name}{seed}": PlannedRun(
            f"{name}-seed{seed}",
            *(0.0, name, seed, 10),
            data="scenes",
            label_type="surfaces",
            factor=factor,
            value=name,
            trial=False,
        )
        for factor, names in (("activation", (*ORDER, "elu")), ("optimizer", ("adam",)))
        for name in names
        for seed in range(5)
    }
    result = compare_study("s", *read_study(study, allow_incomplete=True), [], planned_runs=planned)
    (mish,) = primary(result)
    assert (mish.family, mish.p_holm) == (3, min(1.0, 3 * mish.paired.p))
    declared = [["mish", "relu"]]
    for folder in study.iterdir():
        record = json.loads((folder / "run.json").read_text())
        record["config"]["comparison"]["contrasts"] = declared
        (folder / "run.json").write_text(json.dumps(record))
    result = compare_study("s", *read_study(study, allow_incomplete=True), [], planned_runs=planned)
    assert [each.family for each in primary(result)] == [1], "declared contrasts name their arms"


def test_contrasts_that_cannot_be_computed_yet_count_in_the_family(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for name, seeds in (("relu", 5), ("mish", 5), ("frelu", 1)):
        for seed in range(seeds):
            write_run(study, name, seed, started=ORDER[name])
    (contrast,) = primary(compare_study("s", *read_study(study, allow_incomplete=True), []))
    assert (contrast.family, contrast.p_holm) == (2, pytest.approx(min(1, 2 * contrast.paired.p)))


def test_what_was_planned_first_decides_whatever_has_more_runs(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for rate, seeds in ((1e-3, 5), (1e-2, 6)):
        for number, name in enumerate(("relu", "mish")):
            for seed in range(seeds):
                write_run(study, name, seed, learning_rate=rate, started=1000 * rate + number)
    (main,) = compared(study).main
    assert main.variant == ("optimizer.learning_rate=0.001",)
    assert {record.config["optimizer"]["learning_rate"] for arm in main.arms for record in arm.records} == {1e-3}


@pytest.mark.parametrize(
    ("names", "seeds"), [(("relu", "mish"), range(6, 11)), (("relu",), range(3)), (("relu", "mish"), range(1))]
)
def test_other_conditions_decide_nothing_and_are_not_refused(
    tmp_path: Path, names: Sequence[str], seeds: range
) -> None:
    study = tmp_path / "s"
    for name in ("relu", "mish"):
        for seed in range(6):
            write_run(study, name, seed, contrasts=[["mish", "relu"]], started=ORDER[name])
    for name in names:
        for seed in seeds:
            write_run(study, name, seed, contrasts=[["mish", "relu"]], learning_rate=0.1, started=10 + ORDER[name])
    result = compare_study("s", *read_study(study, allow_incomplete=True), [])
    assert [condition.variant for condition in result.main] == [()]
    assert [each.family for each in result.contrasts(result.main[0]) if each.primary] == [1]
    others = [each for condition in result.conditions[1:] for each in result.contrasts(condition)]
    assert all(each.answer is None for each in others)


ASKED = (["elu", "relu"], ["frelu", "relu"], ["mish", "relu"])


@pytest.mark.parametrize("where", ["folders", "packed"])
def test_one_question_at_a_time_has_the_family_of_all(tmp_path: Path, where: str) -> None:
    study = tmp_path / "s"
    for number, name in enumerate(("relu", "mish", "frelu", "elu")):
        for seed in range(4):
            write_run(study, name, seed, contrasts=[["frelu", "mish"]], started=float(number))
    for seed in range(4):  # a variant that lacks arms
        write_run(study, "relu", seed, contrasts=[["frelu", "mish"]], learning_rate=0.1, started=10.0)
    if where == "packed":
        pack_study(study, tmp_path / "packed" / "s")
        study = tmp_path / "packed" / "s"
    families = []
    for pair in ASKED:
        make_report(study, ReportOptions([pair], pictures=False))
        kept = [each for look in read_kept_looks(study)["looks"] for each in look["contrasts"]]
        families.append(primary(compare_study("s", *read_study(study), [], kept))[0].family)
    assert families == [2, 3, 4]


def with_margin(study: Path, margins: Sequence[float | None]) -> Findings:
    for number, name in enumerate(("relu", "mish")):
        for seed, margin in enumerate(margins):
            comparison = {"contrasts": [], "margin": margin}
            write_run(study, name, seed, comparison=comparison, started=10.0 * number + seed)
    return compared(study)


def test_the_smallest_margin_holds_and_it_is_said_that_they_differ(tmp_path: Path) -> None:
    result = with_margin(tmp_path / "s", [3.0, 1.0, 1.0])
    assert {each.margin for each in primary(result)} == {0.01}
    assert "The runs declare different margins (1 and 3 points); the smallest holds." in result.summary
    later = with_margin(tmp_path / "later", [None, 1.0, 1.0])
    assert {each.margin for each in primary(later)} == {None}
    assert any("declared by later runs alone" in sentence for sentence in later.summary)
    assert with_margin(tmp_path / "one", [1.0, 1.0, 1.0]).margin_note == ""


def opposed(better: int, seed: int) -> np.ndarray:
    """Ten images, of which an arm predicts one half better and the other worse than another arm does."""
    counts = np.zeros((10, 4, 3), np.int64)
    noise = np.random.default_rng([seed, better]).integers(0, 3)
    for image in range(10):
        right = (900 if (image < 5) == bool(better) else 600) + noise
        for row in range(3):
            counts[image, row] = (1000 - right) // 2
            counts[image, row, row] = right
    return counts


def test_equivalence_on_this_test_set_is_not_claimed_for_new_images(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for number, name in enumerate(("relu", "mish")):
        for seed in range(8):
            comparison = {"contrasts": [], "margin": 1.0}
            write_run(study, name, seed, counts=opposed(number, seed), comparison=comparison, started=float(number))
    result = compared(study)
    (contrast,) = primary(result)
    assert contrast.answer == "equivalent"
    assert contrast.new_images is not None
    assert contrast.new_images.difference.high > 0.01
    assert "are equivalent within ±1 points" in result.summary[0]
    assert "but this may not generalise to new images" in result.summary[0]


def test_an_arm_of_one_run_has_no_interval(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for name, seeds in (("relu", 3), ("mish", 3), ("frelu", 1)):
        for seed in range(seeds):
            write_run(study, name, seed, 0.7, started=ORDER[name])
    folder = make_report(study, ReportOptions(allow_incomplete=True, pictures=False))
    rows = [line for line in (folder / "report.md").read_text().splitlines() if line.startswith("| FReLU |")]
    assert "[" not in rows[0]
    assert "nan" not in rows[0]
