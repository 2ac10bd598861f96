"""A study whose seeds were added at planned looks, and one with seeds added without a plan."""

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.finished_runs import read_kept_looks, read_planned
from activation_study.analysis.packed.pack import pack_study
from activation_study.analysis.results import read_study
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.looks import LOOKS_FILE, keep_look, read_looks
from activation_study.records.planned_runs import PLANNED_FILE, PlannedRun
from activation_study.records.record import read_record, run_folders
from activation_study.records.source_code import MANIFESTS_FOLDER
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run

PLAN = {"contrasts": [["mish", "relu"], ["frelu", "relu"]], "looks": [3, 5, 7], "margin": 0.1, "futility": 0.0}


def write_planned(study: Path, plan: dict[str, object] | None = None, **seeds: int) -> None:
    """Runs of each activation; Mish is far above ReLU, FReLU is not."""
    for number, (name, accuracy) in enumerate((("relu", 0.7), ("mish", 0.9), ("frelu", 0.7))):
        for seed in range(seeds[name]):
            write_run(study, name, seed, accuracy, started=float(number), comparison=plan or PLAN)


def compared(study: Path) -> Findings:
    return compare_study(study.name, *read_study(study), [])


def test_each_contrast_is_compared_at_its_own_look(tmp_path: Path) -> None:
    write_planned(tmp_path / "s", relu=7, mish=3, frelu=7)
    result = compared(tmp_path / "s")
    (condition,) = result.conditions
    mish, frelu = (each for each in result.contrasts(condition) if each.primary)
    assert (mish.seeds, mish.answer, [look.seeds for look in mish.looks]) == (3, "above", [3])
    assert (frelu.seeds, frelu.answer, [look.seeds for look in frelu.looks]) == (7, "open", [3, 5, 7])
    assert condition.seeds == "3 to 7 seeds"
    assert mish.p_holm == pytest.approx(2 * mish.looks[-1].p)
    assert mish.looks[-1].p > mish.paired.p, "the sequential p takes the other looks into account"
    assert mish.paired.difference == pytest.approx(mish.looks[-1].difference)
    new = mish.new_images
    assert new is not None
    assert new.difference.low <= mish.paired.difference.low + 1e-12, "never narrower than on this test set"
    assert "with 3 seeds" in result.summary[0]
    assert "with 7 seeds" in result.summary[0]
    assert "Seeds were added at planned looks (3, 5 and 7 seeds)" in result.summary[1]
    assert "run the same command again" not in result.summary[1]


def test_seeds_beyond_the_last_look_of_a_contrast_are_left_out(tmp_path: Path) -> None:
    """Of a look whose runs are not all there."""
    write_planned(tmp_path / "s", relu=6, mish=3, frelu=6)
    result = compared(tmp_path / "s")
    frelu = [each for each in result.contrasts(result.main[0]) if each.primary][1]
    assert frelu.seeds == 5
    assert "1 contrast will be looked at again with 7 seeds: run the same command again" in result.summary[1]


def test_the_articles_metric_has_the_looks_of_the_primary_one(tmp_path: Path) -> None:
    write_planned(tmp_path / "s", relu=7, mish=3, frelu=7)
    result = compared(tmp_path / "s")
    article = [each for each in result.contrasts(result.main[0]) if not each.primary]
    assert [(each.seeds, len(each.looks)) for each in article] == [(3, 1), (7, 3)]


def test_runs_without_planned_looks_beside_planned_ones_are_refused(tmp_path: Path) -> None:
    write_planned(tmp_path / "s", relu=5, mish=5, frelu=5)
    run = write_run(tmp_path / "s", "mish", 5, started=9.0)
    with pytest.raises(BadInput, match=rf"{run.name}: no planned looks\n.*A plan holds for all runs of a study"):
        compared(tmp_path / "s")


def test_a_look_has_all_seeds_before_it(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_planned(study, relu=7, mish=3, frelu=7)
    (lost,) = study.glob("*-frelu-seed3-*")
    shutil.rmtree(lost)
    with pytest.raises(BadInput, match="scenes surfaces, frelu: no seed 3"):
        compared(study)
    found = compare_study("s", *read_study(study, allow_incomplete=True), [])
    frelu = [each for each in found.contrasts(found.main[0]) if each.primary][1]
    assert frelu.seeds == 3, "the look at 5 would be one at other seeds"


def test_a_plan_before_its_first_look_cannot_be_compared(tmp_path: Path) -> None:
    write_planned(tmp_path / "s", relu=2, mish=1, frelu=2)
    with pytest.raises(BadInput, match="mish and relu have 1"):
        compared(tmp_path / "s")


def test_a_contrast_without_its_first_look_is_open_whatever_its_plain_p(tmp_path: Path) -> None:
    write_planned(tmp_path / "s", {**PLAN, "looks": [5, 7]}, relu=4, mish=4, frelu=4)
    result = compared(tmp_path / "s")
    mish = next(each for each in result.contrasts(result.main[0]) if each.primary)
    assert mish.paired.p < 0.001
    assert (mish.answer, mish.p_holm, mish.looks) == ("open", 1.0, ())
    assert "Mish vs. ReLU: not looked at yet; the first planned look is at 5 seeds" in result.summary[0]


def test_a_pair_asked_afterwards_is_looked_at_as_far_as_there_are_seeds(tmp_path: Path) -> None:
    write_planned(tmp_path / "s", relu=7, mish=3, frelu=7)
    result = compare_study("s", *read_study(tmp_path / "s"), [["frelu", "mish"]])
    looks = {each.pair: len(each.looks) for each in result.contrasts(result.main[0]) if each.primary}
    assert looks == {"Mish − ReLU": 1, "FReLU − ReLU": 3, "FReLU − Mish": 1}
    assert "run the same command again" not in " ".join(result.summary)


def test_report_and_tables_show_the_path(tmp_path: Path) -> None:
    write_planned(tmp_path / "s", relu=7, mish=3, frelu=7)
    report = make_report(tmp_path / "s", ReportOptions(pictures=False))
    with open(report / "looks.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["a"], row["seeds"], row["answer"]) for row in rows] == [
        ("mish", "3", "above"), ("frelu", "3", "open"), ("frelu", "5", "open"), ("frelu", "7", "open"),
    ]  # fmt: skip
    assert [float(row["chance"]) <= 1 for row in rows if row["chance"]] == [True, True]
    page = (report / "index.html").read_text(encoding="utf-8")
    assert "chance to settle" in page
    assert "Looks" in page
    assert not (tmp_path / "s" / LOOKS_FILE).exists(), "the sweep keeps the looks of a plan"


def compare_with(study: Path, *seeds: int) -> list[str]:
    for name, accuracy in (("relu", 0.7), ("mish", 0.71)):
        for seed in seeds:
            write_run(study, name, seed, accuracy, started=0.0 if name == "relu" else 1.0)
    make_report(study, ReportOptions(pictures=False))
    return (study / "report" / "report.md").read_text(encoding="utf-8").splitlines()


def test_seeds_added_after_a_look_are_told_with_what_they_do_to_the_error(tmp_path: Path) -> None:
    study = tmp_path / "s"
    assert not any("Seeds were added" in line for line in compare_with(study, 0, 1, 2))
    assert not any("Seeds were added" in line for line in compare_with(study)), "looking twice adds no seeds"
    assert [look["contrasts"][0]["seeds"] for look in read_looks(study)["looks"]] == [3]
    (warning,) = (line for line in compare_with(study, 3, 4) if "Seeds were added" in line)
    assert "with 3 and 5 seeds" in warning
    assert "finds a difference in 9 % of the studies without one, instead of 5 %" in warning
    packed = tmp_path / "packed" / "s"
    pack_study(study, packed)
    for folder in study.iterdir():
        if folder.is_dir():
            (folder / "run.json").unlink(missing_ok=True)
    make_report(packed, ReportOptions(pictures=False))
    assert warning in (packed / "report" / "report.md").read_text(encoding="utf-8"), "kept in the packed file"


def test_an_incomplete_comparison_is_a_look_at_the_seeds_that_it_shows(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_run(study, "relu", 9)
    write_run(study, "mish", 8)
    for seed in (0, 1):
        write_run(study, "relu", seed, started=0.0)
        write_run(study, "mish", seed, started=1.0)
    make_report(study, ReportOptions(pictures=False, allow_incomplete=True))
    assert [look["contrasts"][0]["seed_list"] for look in read_looks(study)["looks"]] == [[0, 1]]


def plan(study: Path, seeds: Sequence[int]) -> None:
    """A sweep has planned these seeds of the two arms."""
    runs = {}
    for folder in run_folders(study):
        record = read_record(folder)
        assert record is not None
        for seed in seeds:
            run = PlannedRun(f"{record.arm_identity}-{seed}", 0.0, record.arm_identity, seed, 10)
            runs[run.name] = asdict(run)
    write_json(study / MANIFESTS_FOLDER / PLANNED_FILE, runs)


def train(study: Path, seeds: Sequence[int]) -> None:
    for number, name in enumerate(("relu", "mish")):
        for seed in seeds:
            write_run(study, name, seed, started=float(number))


def test_a_look_at_a_running_sweep_does_not_count_when_the_sweep_has_ended(tmp_path: Path) -> None:
    study = tmp_path / "s"
    train(study, range(3))
    plan(study, range(6))
    assert looked(study).startswith("3 of 6 planned seeds have finished. Training the others only if p is not below")
    train(study, range(3, 5))
    assert "Seeds were added after the results had been looked at, with 3 and 5 seeds" in looked(study)
    train(study, [5])
    assert looked(study) == ""


def test_a_look_at_a_sweep_counts_if_seeds_are_added_to_those_of_its_plan(tmp_path: Path) -> None:
    study = tmp_path / "s"
    train(study, range(3))
    plan(study, range(5))
    looked(study)
    train(study, range(3, 8))
    plan(study, range(8))
    assert "with 3 and 8 seeds" in looked(study)


def test_a_sweep_that_was_ended_early_is_told_with_what_that_does_to_the_error(tmp_path: Path) -> None:
    study = tmp_path / "s"
    train(study, range(5))
    plan(study, range(10))
    warning = looked(study)
    assert warning == (
        "5 of 10 planned seeds have finished. Training the others only if p is not below 0.05 now finds a difference "
        "in 9 % of the studies without one, instead of 5 %."
    )
    pack_study(study, tmp_path / "packed" / "s")
    kept = [each for look in read_kept_looks(tmp_path / "packed" / "s")["looks"] for each in look["contrasts"]]
    assert compare_study("s", *read_study(tmp_path / "packed" / "s"), [], kept).looks_warning == warning


def test_the_first_arm_is_the_one_that_was_planned_first(tmp_path: Path) -> None:
    study = tmp_path / "s"
    for seed in range(3):
        write_run(study, "relu", seed, started=20.0, planned=1.0)
        write_run(study, "mish", seed, started=10.0, planned=2.0)
    findings = compare_study("s", *read_study(study), [])
    assert [contrast.pair for contrast in findings.contrasts(findings.main[0]) if contrast.primary] == ["Mish − ReLU"]


def test_other_data_sets_are_other_contrasts(tmp_path: Path) -> None:
    for data, seeds in (("one", 5), ("two", 3)):
        for number, name in enumerate(("relu", "mish")):
            for seed in range(seeds):
                write_run(tmp_path / "s", name, seed, data_name=data, started=float(number))
    for _ in range(2):
        report = make_report(tmp_path / "s", ReportOptions(pictures=False))
        assert "Seeds were added" not in (report / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"looks": [{}], "plan": null}',
        '{"looks": 3, "plan": null}',
        '{"looks": [], "plan": []}',
        '{"looks": []}',
    ],
)
def test_kept_looks_that_cannot_be_read_are_rejected(text: str, tmp_path: Path) -> None:
    (tmp_path / LOOKS_FILE).write_text(text)
    with pytest.raises(BadInput, match=r"looks\.json cannot be read: expected the looks that were kept"):
        read_looks(tmp_path)


def test_a_look_with_the_seeds_of_the_last_one_is_kept_once(tmp_path: Path) -> None:
    look = {"at": 1.0, "contrasts": [{"label_type": "surfaces", "a": "mish", "b": "relu", "seeds": 3}]}
    keep_look(tmp_path, look)
    keep_look(tmp_path, {**look, "at": 2.0})
    assert json.loads((tmp_path / LOOKS_FILE).read_text())["looks"] == [look]


def looked(study: Path) -> str:
    make_report(study, ReportOptions(pictures=False))
    kept = [each for look in read_looks(study)["looks"] for each in look["contrasts"]]
    return compare_study("s", *read_study(study), [], kept, read_planned(study)).looks_warning


def test_added_seeds_are_seen_whatever_their_condition_is_called(tmp_path: Path) -> None:
    study = tmp_path / "s"

    def train(seeds: range, batch_size: int) -> None:
        for number, name in enumerate(("relu", "mish")):
            for seed in seeds:
                config = {"training": {"batch_size": batch_size}}
                write_run(study, name, seed, config=config, started=batch_size + number / 2)

    train(range(3), 8)
    assert looked(study) == ""
    train(range(3), 16)  # the first condition is now called "training.batch_size=8"
    assert looked(study) == ""
    train(range(3, 6), 16)  # and the other one decides
    assert "with 3 and 6 seeds" in looked(study)


def test_added_seeds_are_seen_although_an_old_one_was_dropped(tmp_path: Path) -> None:
    study = tmp_path / "s"
    folders = [write_run(study, name, seed) for name in ("relu", "mish") for seed in range(5)]
    looked(study)
    for name in ("relu", "mish"):
        for seed in range(5, 9):
            write_run(study, name, seed)
    for folder in folders:
        if "-seed2-" in folder.name:
            shutil.rmtree(folder)
    assert "with 5 and 8 seeds" in looked(study)
