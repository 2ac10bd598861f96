"""What earlier looks decided stays in the family, whatever becomes of arms, names and conditions."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.finished_runs import read_kept_looks, read_planned
from activation_study.analysis.results import read_study
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run
from tuned_study import write_tuned

ORDER = {"relu": 0.0, "mish": 1.0, "frelu": 2.0, "elu": 3.0}


def train(study: Path, names: Sequence[str], seeds: Sequence[int] = range(4), **changes: object) -> None:
    for name in names:
        for seed in seeds:
            write_run(study, name, seed, started=ORDER[name] + float(str(changes.get("after", 0))), **changes)


def looked(study: Path, *asked: list[str]) -> Findings:
    """The findings of a look, which is kept."""
    make_report(study, ReportOptions(asked, pictures=False, allow_incomplete=True))
    return found(study, *asked)


def found(study: Path, *asked: list[str]) -> Findings:
    kept = [each for look in read_kept_looks(study)["looks"] for each in look["contrasts"]]
    return compare_study("s", *read_study(study, allow_incomplete=True), asked, kept, read_planned(study))


def of_main(findings: Findings) -> list[Contrast]:
    return [each for condition in findings.main for each in findings.contrasts(condition) if each.primary]


def families(findings: Findings) -> set[int]:
    return {each.family for each in of_main(findings)}


def test_contrasts_whose_arms_lost_their_runs_still_count(tmp_path: Path) -> None:
    study = tmp_path / "s"
    train(study, ORDER)
    assert families(looked(study)) == {3}
    for folder in (*study.glob("*-frelu-*"), *study.glob("*-elu-*")):
        shutil.rmtree(folder)
    result = looked(study)
    (mish,) = of_main(result)
    assert (mish.family, mish.p_holm) == (3, min(1.0, 3 * mish.paired.p))
    assert (
        "The correction also counts 2 contrasts that an earlier look decided and this comparison does not answer: "
        "FReLU − ReLU (surfaces) and ELU − ReLU (surfaces)." in result.summary
    )
    assert families(looked(study)) == {3}, "each counts once"


def test_a_question_stays_where_its_arms_are_if_another_label_type_lacks_them(tmp_path: Path) -> None:
    study = tmp_path / "s"
    train(study, ["relu", "mish", "frelu"])
    assert families(looked(study, ["frelu", "mish"])) == {3}
    train(study, ["relu", "mish"], label_type="regions", after=10)
    contrasts = of_main(looked(study))
    assert [(each.pair, each.afterwards) for each in contrasts] == [
        ("Mish − ReLU", False),
        ("FReLU − ReLU", False),
        ("FReLU − Mish", True),
        ("Mish − ReLU", False),
    ]
    assert {each.family for each in contrasts} == {4}


def test_comparing_twice_gives_the_same_answer_beside_variants_with_other_arms(tmp_path: Path) -> None:
    study = tmp_path / "s"
    train(study, ["relu", "mish", "frelu"])
    train(study, ["mish", "frelu"], learning_rate=0.1, after=10)
    first = of_main(looked(study))
    again = of_main(looked(study))
    assert [(each.pair, each.family, each.p_holm) for each in again] == [
        (each.pair, 2, each.p_holm) for each in first
    ], "the default contrast of the variant is no question of the main condition"


def test_an_arm_that_is_named_otherwise_is_still_the_same(tmp_path: Path) -> None:
    study = tmp_path / "s"
    train(study, ["relu", "mish"], range(6))
    train(study, ["frelu"], range(3), kernel_size=5)
    looked(study, ["frelu", "mish"])
    train(study, ["frelu"], range(3, 6), kernel_size=5)
    train(study, ["frelu"], range(6), after=10)
    result = found(study)
    assert [(each.a, each.b) for each in of_main(result) if each.afterwards] == [("frelu kernel_size=5", "mish")]
    assert families(result) == {4}
    assert "with 3 and 6 seeds" in result.looks_warning
    assert not result.family_note


def test_what_was_decided_before_a_search_counts_beside_what_the_search_decides(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for name in ("relu", "mish"):
        for seed in range(5):
            write_run(study, name, seed, 0.7, config={"training": {"batch_size": 16}}, started=ORDER[name])
    assert families(looked(study)) == {1}
    write_tuned(study, untuned=False, after=10.0)
    result = found(study)
    (main,) = result.main
    assert main.searches
    assert families(result) == {2}
    assert "1 contrast that an earlier look decided" in result.family_note


def test_a_search_that_was_planned_first_decides_whatever_is_tuned_later(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_tuned(study, untuned=False)
    first = {record.name for arm in found(study).main[0].arms for record in arm.records}
    write_tuned(study, untuned=False, batch_sizes={"relu": 32, "mish": 32}, after=100.0)
    (main,) = found(study).main
    assert {record.name for arm in main.arms for record in arm.records} == first
