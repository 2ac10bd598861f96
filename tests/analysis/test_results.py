"""Run folders become conditions and arms, incomparable runs are rejected, and the report gives the conclusions."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.analysis.conclusions import conclusion
from activation_study.analysis.contrasts import Contrast, compare_condition
from activation_study.analysis.family import corrected
from activation_study.analysis.formatting import format_interval, format_p, format_points
from activation_study.analysis.results import Condition, read_study
from activation_study.analysis.statistics.paired import Interval
from activation_study.errors import BadInput
from activation_study.metrics import mean_iou
from activation_study.records.lock import run_lock
from activation_study.records.record import read_record
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import CLASSES, HERE, write_run, write_running


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for seed in range(4):
        write_run(folder, "relu", seed, 0.80, started=1.0)
        write_run(folder, "mish", seed, 0.90, started=2.0)
        write_run(folder, "frelu", seed, 0.80, started=3.0)
    return folder


def test_arms_are_ordered_by_their_first_runs_and_runs_by_their_seeds(study: Path) -> None:
    (condition,), problems = read_study(study)
    assert problems == []
    assert [arm.name for arm in condition.arms] == ["relu", "mish", "frelu"]
    for arm in condition.arms:
        assert arm.seeds == (0, 1, 2, 3)
        assert arm.confusions.shape == (4, 10, 4, 3)
        np.testing.assert_allclose(mean_iou(arm.confusions.sum(axis=1)), arm.metric("test/mean_iou"))


def test_label_types_and_other_keys_make_conditions_and_options_of_an_activation_make_arms(study: Path) -> None:
    for seed in range(4):
        write_run(study, "relu", seed, label_type="regions", kernel_size=None)
        write_run(study, "relu", seed, learning_rate=3e-3)
        write_run(study, "frelu", seed, kernel_size=5, started=9.0)
    conditions, _ = read_study(study)
    assert {condition.title: [arm.name for arm in condition.arms] for condition in conditions} == {
        "regions": ["relu"],  # its runs have no such key
        "surfaces, optimizer.learning_rate=0.003": ["relu"],
        "surfaces": ["relu", "mish", "frelu", "frelu kernel_size=5"],
    }


def test_missing_seeds_and_unfinished_runs_are_rejected_unless_allowed(study: Path) -> None:
    write_run(study, "relu", 4)
    write_run(study, "mish", 4, status="FAILED")
    with pytest.raises(BadInput) as rejected:
        read_study(study)
    for text in (
        "is incomplete (3 found):",
        "surfaces-mish-seed4-13: FAILED",
        "mish: no seed 4",
        "frelu: no seed 4",
        "Complete it with a sweep over all activations and seeds, or use allow_incomplete=true.",
    ):
        assert text in str(rejected.value)
    (condition,), problems = read_study(study, allow_incomplete=True)
    assert len(problems) == 3
    assert {arm.name: len(arm.seeds) for arm in condition.arms} == {"relu": 5, "mish": 4, "frelu": 4}
    assert condition.seeds == "4 to 5 seeds"
    assert [contrast.seeds for contrast in compare_condition(condition, [])] == [4, 4] * 2  # those of both arms


def test_of_a_study_that_is_still_running_it_is_said_so(study: Path, tmp_path: Path) -> None:
    for folder in (study, tmp_path / "new"):
        running = write_running(folder, 9, HERE, ago=0)
        with run_lock(running), pytest.raises(BadInput) as rejected:
            read_study(folder)
        assert f"{running.name}: RUNNING" in str(rejected.value)
        shown = f"`activation-study watch study={folder.name} folder={tmp_path}` shows them"
        assert f"when its runs have ended ({shown})" in str(rejected.value)
        assert "Complete it" not in str(rejected.value)
        assert "train some" not in str(rejected.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "e"}, "scenes: different contents, SHA-256 dddddddddddd, eeeeeeeeeeee"),
        ({"protocol": 2}, "different protocol versions: 1, 2"),
        (
            {"algorithms": {"nearest_labels": 1}},
            "surfaces-relu-seed4-13: nearest_labels, version 1; others have version 2\n.*: delete their folders",
        ),
        ({"names": "other"}, r"data.name=scenes, data.split=sorted, .*: different test images"),
    ],
)
def test_runs_that_cannot_be_compared_are_rejected_even_if_incomplete_studies_are_allowed(
    study: Path, changes: dict[str, Any], message: str
) -> None:
    if "algorithms" in changes:
        write_run(study, "mish", 4, algorithms={"nearest_labels": 2})
    write_run(study, "relu", 4, **changes)
    with pytest.raises(BadInput, match=message) as rejected:
        read_study(study, allow_incomplete=True)
    assert "has runs that cannot be compared:" in str(rejected.value)


def test_a_record_from_before_an_algorithm_had_versions_used_the_first(tmp_path: Path) -> None:
    own = {"activation": {"name": "snake", "layer": {"_target_": "mine.Snake"}, "scope": "all"}}
    for seed, algorithms in enumerate(({}, {"own_layers": 2})):
        write_run(tmp_path / "s", "snake", seed, config=own, algorithms=algorithms)
        write_run(tmp_path / "s", "relu", seed)
    with pytest.raises(BadInput, match=r"surfaces-snake-seed0-\d+: own_layers, version 1; others have version 2"):
        read_study(tmp_path / "s")


def test_runs_with_other_split_files_are_compared_separately(study: Path) -> None:
    for digest, names in (("a" * 16, "one"), ("b" * 16, "two")):
        for seed in range(3):
            write_run(study, "relu", seed, split="files", names=names, split_digest=digest)
    conditions, _ = read_study(study)
    splits = {next((part for part in condition.variant if "split_digest" in part), "") for condition in conditions}
    assert {f"data.split_digest={'a' * 16}", f"data.split_digest={'b' * 16}"} <= splits
    assert {condition.images[0] for condition in conditions} == {"image0", "one0", "two0"}


def test_a_study_without_enough_runs_to_compare_is_rejected(study: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no such folder"):
        read_study(tmp_path / "none")
    single = tmp_path / "single"
    write_run(single, "relu", 0)
    write_run(single, "mish", 0)
    (condition,), _ = read_study(single)
    with pytest.raises(BadInput, match="surfaces: expected two or more seeds in common; relu and mish have 1"):
        compare_condition(condition, [])
    (condition,), _ = read_study(study)
    with pytest.raises(BadInput, match="no runs of gelu on surfaces; expected activations among relu, mish, frelu"):
        compare_condition(condition, [["gelu", "relu"]])


def decided(condition: Condition, declared: list[list[str]], margin: float | None = None) -> tuple[Contrast, ...]:
    """The contrasts of a study with one condition."""
    ((_, contrasts),) = corrected([(condition, tuple(compare_condition(condition, declared)))], [condition], margin)
    return contrasts


def test_the_conclusion_says_what_is_decided_and_what_is_inconclusive(study: Path) -> None:
    (condition,), _ = read_study(study)
    contrasts = decided(condition, [])
    assert [(contrast.metric, contrast.a, contrast.b) for contrast in contrasts] == [
        ("mean_iou", "mish", "relu"), ("mean_iou", "frelu", "relu"),
        ("article_mean_iou", "mish", "relu"), ("article_mean_iou", "frelu", "relu"),
    ]  # fmt: skip
    mish, frelu = contrasts[:2]
    assert mish.decided
    assert not frelu.decided
    assert mish.p_holm == pytest.approx(2 * mish.paired.p)
    assert set(mish.class_differences) == set(CLASSES)
    size = format_interval(mish.paired.difference, unit=" points")
    difference = format_interval(frelu.paired.difference, signed=True, unit=" points")
    assert conclusion(condition, contrasts) == (
        f"On surfaces (scenes, 4 seeds): Mish is above ReLU by {size}; FReLU vs. ReLU: inconclusive ({difference}; a "
        f"new study of {frelu.seeds_to_settle} seeds would probably settle it)."
    )
    (reversed_pair, *_) = decided(condition, [["relu", "mish"]])
    assert "ReLU is below Mish by " in conclusion(condition, [reversed_pair])
    assert reversed_pair.paired.difference.value == pytest.approx(-mish.paired.difference.value)


def test_a_comparison_that_only_the_correction_leaves_undecided_is_given_with_its_p(study: Path) -> None:
    (condition,), _ = read_study(study)
    mish, frelu, *_ = decided(condition, [])
    assert mish.paired.difference.low > 0
    undecided = replace(mish, p_holm=0.1234)
    text = conclusion(condition, [undecided, frelu])
    difference = format_interval(mish.paired.difference, signed=True, unit=" points")
    note = "p = 0.123 after Holm's correction for 2 comparisons"
    assert f"Mish vs. ReLU: inconclusive ({difference}; {note}; a new study of " in text
    assert "correction" not in conclusion(condition, [mish, frelu])


def test_a_decided_comparison_whose_interval_for_new_images_contains_0_may_not_generalise(study: Path) -> None:
    (condition,), _ = read_study(study)
    mish, *_ = decided(condition, [["mish", "relu"]])
    assert mish.new_images is not None
    assert "generalise" not in conclusion(condition, [mish])
    wide = replace(mish, new_images=replace(mish.new_images, difference=Interval(0.1, -0.1, 0.3)))
    size = format_interval(mish.paired.difference, unit=" points")
    assert conclusion(condition, [wide]).endswith(
        f"Mish is above ReLU by {size}, but this may not generalise to new images."
    )


def test_one_activation_alone_is_not_compared(tmp_path: Path) -> None:
    for seed in range(2):
        write_run(tmp_path / "s", "relu", seed)
    (condition,), _ = read_study(tmp_path / "s")
    assert conclusion(condition, decided(condition, [])) == (
        "On surfaces there is only one activation, so there is nothing to compare."
    )


def test_groups_are_the_units_of_new_images_and_one_group_says_nothing_about_others(tmp_path: Path) -> None:
    for groups, study in ((("a",) * 5 + ("b",) * 5, "two"), (("a",) * 10, "one")):
        for seed in range(3):
            for activation, accuracy in (("relu", 0.7), ("mish", 0.8)):
                write_run(tmp_path / study, activation, seed, accuracy, groups=groups)
    (two,), _ = read_study(tmp_path / "two")
    new = decided(two, [])[0].new_images
    assert new is not None
    assert new.units == 2
    (one,), _ = read_study(tmp_path / "one")
    contrasts = decided(one, [])
    assert contrasts[0].new_images is None
    assert "All test images belong to one group, so nothing is known about other groups" in conclusion(one, contrasts)
    assert "belong to one group" not in conclusion(two, decided(two, []))


def test_the_tables_have_a_line_for_each_run_contrast_and_class(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_report(study, ReportOptions())
    tables = {}
    for name in ("runs", "differences", "per_class"):
        with open(folder / f"{name}.csv", newline="") as file:
            tables[name] = list(csv.DictReader(file))
    assert len(tables["runs"]) == 12
    assert tables["runs"][0]["activation"] == "relu"
    record = json.loads((study / Path(tables["runs"][0]["folder"]).name / "run.json").read_text())
    assert float(tables["runs"][0]["mean_iou"]) == record["results"]["test/mean_iou"]
    (condition,), _ = read_study(study)
    for line, contrast in zip(tables["differences"], decided(condition, []), strict=True):
        assert (line["a"], line["b"], line["metric"]) == (contrast.a, contrast.b, contrast.metric)
        assert float(line["difference"]) == contrast.paired.difference.value
        assert float(line["p"]) == contrast.paired.p
        assert float(line["p_holm"]) == contrast.p_holm
        assert float(line["probability_a_above_b"]) == contrast.paired.probability_of_superiority.value
        assert (line["new_images_low"] == "") == (contrast.metric != "mean_iou")
    assert len(tables["per_class"]) == 3 * 3 + 2 * 3
    output = capsys.readouterr().out
    for text in ("Mish − ReLU", "p (Holm)", "Mish is above ReLU"):
        assert text in output


def test_the_page_is_self_contained_and_has_the_numbers_of_the_tables(study: Path) -> None:
    folder = make_report(study, ReportOptions())
    text = (folder / "index.html").read_text(encoding="utf-8")
    (condition,), _ = read_study(study)
    contrasts = decided(condition, [])
    assert text.index(conclusion(condition, contrasts)) < text.index("<table>"), "the conclusion comes first"
    for contrast in contrasts:
        assert format_interval(contrast.paired.difference, signed=True) in text
    assert text.count("<svg ") == text.count("<figcaption>") == 6
    assert "#123456" not in text, "figures use the page's text colour"
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, "namespaces only, no links"
    assert not re.search(r"<script|<link[^>]*stylesheet|<img|url\((?!#)", text)
    assert make_report(study, ReportOptions()).joinpath("index.html").read_text(encoding="utf-8") == text


def test_an_incomplete_study_is_reported_with_a_warning(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run(study, "relu", 4, status="FAILED")
    folder = make_report(study, ReportOptions(allow_incomplete=True))
    page = (folder / "index.html").read_text(encoding="utf-8")
    note = "Each contrast uses the seeds that both of its activations have."
    assert f'<p class="warning">This study is incomplete. {note}' in page
    assert "warning: the study is incomplete:" in capsys.readouterr().out


def test_names_are_escaped_on_the_page(tmp_path: Path) -> None:
    for seed in range(2):
        for name in ("relu", "<b>x"):
            write_run(tmp_path / "s", name, seed)
    assert "<b>x" not in (make_report(tmp_path / "s", ReportOptions()) / "index.html").read_text(encoding="utf-8")


def test_declared_contrasts_come_from_the_runs_unless_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "study"
    for seed, name in np.ndindex(3, 3):
        write_run(folder, ("relu", "mish", "frelu")[name], seed, contrasts=[["frelu", "mish"]], started=float(name))
    make_report(folder, ReportOptions())
    assert "FReLU − Mish" in capsys.readouterr().out
    make_report(folder, ReportOptions([["mish", "frelu"]]))
    assert "Mish − FReLU" in capsys.readouterr().out


def test_two_runs_of_an_arm_with_the_same_seed_are_rejected(study: Path) -> None:
    duplicate = write_run(study, "relu", 2, accuracy=0.6)
    message = rf"has duplicate runs for a seed:\n  scenes surfaces, relu, seed 2: .*{duplicate.name}"
    with pytest.raises(BadInput, match=message):
        read_study(study)


def test_runs_with_the_same_weights_under_several_seeds_are_rejected(study: Path) -> None:
    for folder in study.glob("*-mish-*"):
        record = read_record(folder)
        assert record is not None
        record.digests["weights"] = "same" if record.config["seed"] < 2 else "another"
        record.write(folder)
    with pytest.raises(BadInput, match=r"the same weights under several seeds .*\n  scenes surfaces, mish, seeds 0"):
        read_study(study)


def test_an_option_that_only_some_runs_of_an_activation_have_makes_another_arm(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path / "s", "relu", seed, kernel_size=None)
        write_run(tmp_path / "s", "mish", seed, kernel_size=None, started=1.0)
        write_run(tmp_path / "s", "relu", seed, kernel_size=6, started=2.0)
    (condition,), _ = read_study(tmp_path / "s")
    assert [arm.name for arm in condition.arms] == ["relu kernel_size=None", "mish", "relu kernel_size=6"]


def test_two_data_sets_have_separate_figures(tmp_path: Path) -> None:
    for data in ("scenes", "camvid"):
        for seed in range(2):
            for name in ("relu", "mish"):
                write_run(tmp_path / "s", name, seed, data_name=data)
    folder = make_report(tmp_path / "s", ReportOptions())
    assert len(list((folder / "figures").glob("*.svg"))) == 12
    for name in ("runs", "differences", "per_class"):
        with open(folder / f"{name}.csv", newline="") as file:
            assert {line["data"] for line in csv.DictReader(file)} == {"scenes", "camvid"}


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [(0.5, False, "50.0"), (0.8, False, "80.0"), (-0.1, True, "−10.0"), (0.1, True, "+10.0"), (0.00001, True, "0.0"),
     (-0.0004, True, "0.0"), (0.0, False, "0.0"), (-0.0126, True, "−1.3"), (0.0126, True, "+1.3")],
)  # fmt: skip
def test_points_have_one_decimal_and_zero_has_no_sign(value: float, signed: bool, text: str) -> None:
    assert format_points(value, signed) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0249, "0.025"), (1.0, "1.000"), (0.001, "0.001"), (0.00099, "< 0.001"), (0.0, "< 0.001")],
)
def test_a_p_below_a_thousandth_is_not_written_as_zero(p: float, text: str) -> None:
    assert format_p(p) == text


def test_another_factor_names_arms_tables_and_sentences(tmp_path: Path) -> None:
    study = tmp_path / "study"
    for name, accuracy in (("adam", 0.9), ("sgd", 0.6)):
        for seed in range(4):
            optimizer = {"name": name, "_target_": f"keras.optimizers.{name}", "learning_rate": 1e-3}
            config = {"optimizer": optimizer, "comparison": {"factor": "optimizer"}}
            write_run(study, "mish", seed, accuracy, config=config)
    (condition,), problems = read_study(study)
    assert problems == []
    assert [arm.name for arm in condition.arms] == ["adam", "sgd"]
    assert condition.variant == ()
    folder = make_report(study, ReportOptions())
    report = (folder / "report.md").read_text()
    assert report.startswith("# study: comparison of optimizers")
    assert "SGD is below Adam by" in report
    assert "| optimizer | pooled |" in report
    assert "activation" not in report
    with open(folder / "runs.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["activation"] for line in lines} == {"mish"}
    assert {line["arm"] for line in lines} == {"adam", "sgd"}


def test_options_of_the_factor_make_arms_and_others_conditions(tmp_path: Path) -> None:
    study = tmp_path / "study"
    for seed in range(2):
        for activation in ("relu", "mish"):
            for decay in (None, 0.1):
                optimizer = {"name": "adamw", "learning_rate": 1e-3} | ({"weight_decay": decay} if decay else {})
                config = {"optimizer": optimizer, "comparison": {"factor": "optimizer"}}
                write_run(study, activation, seed, config=config)
    conditions, _ = read_study(study)
    assert {each.variant for each in conditions} == {("activation.name=relu",), ("activation.name=mish",)}
    names = {arm.name for each in conditions for arm in each.arms}
    assert names == {"adamw weight_decay=None", "adamw weight_decay=0.1"}
