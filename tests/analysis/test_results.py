"""Runs' folders → blocks and arms; what cannot be compared is refused and named; the answer in words and tables."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.analysis.conclusions import conclusion
from activation_study.analysis.contrasts import compare_block
from activation_study.analysis.formatting import format_interval, format_points
from activation_study.analysis.results import read_study
from activation_study.errors import BadInput
from activation_study.metrics import mean_iou
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import CLASSES, write_run


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for seed in range(4):
        write_run(folder, "relu", seed, 0.80, started=1.0)
        write_run(folder, "mish", seed, 0.90, started=2.0)
        write_run(folder, "frelu", seed, 0.80, started=3.0)
    return folder


def test_arms_stand_in_the_order_of_their_first_runs_and_runs_in_that_of_their_seeds(study: Path) -> None:
    (block,), problems = read_study(study)
    assert problems == []
    assert [arm.name for arm in block.arms] == ["relu", "mish", "frelu"]
    for arm in block.arms:
        assert arm.seeds == (0, 1, 2, 3)
        assert arm.confusions.shape == (4, 10, 4, 3)
        np.testing.assert_allclose(mean_iou(arm.confusions.sum(axis=1)), arm.metric("test/mean_iou"))


def test_label_types_and_other_deciding_keys_make_blocks_and_those_of_an_activation_arms(study: Path) -> None:
    for seed in range(4):
        write_run(study, "relu", seed, label_type="regions", kernel_size=None)
        write_run(study, "relu", seed, learning_rate=3e-3)
        write_run(study, "frelu", seed, kernel_size=5, started=9.0)
    blocks, _ = read_study(study)
    assert {block.title: [arm.name for arm in block.arms] for block in blocks} == {
        "regions": ["relu"],  # it has no such key
        "surfaces, optimizer.learning_rate=0.003": ["relu"],
        "surfaces": ["relu", "mish", "frelu", "frelu kernel_size=5"],
    }


def test_a_missing_seed_and_an_unfinished_run_are_named_and_may_be_allowed(study: Path) -> None:
    write_run(study, "relu", 4)
    write_run(study, "mish", 4, status="FAILED")
    with pytest.raises(BadInput) as refused:
        read_study(study)
    for problem in ("surfaces-mish-seed4-13: FAILED", "mish: no seed 4", "frelu: no seed 4", "allow_incomplete=true"):
        assert problem in str(refused.value)
    (block,), problems = read_study(study, allow_incomplete=True)
    assert len(problems) == 3
    assert {arm.seeds for arm in block.arms} == {(0, 1, 2, 3)}


@pytest.mark.parametrize(
    ("changes", "told"), [({"data": "e"}, "scenes: contents d"), ({"protocol": 2}, "protocol versions 1, 2")]
)
def test_mixtures_are_refused_even_if_incomplete_ones_are_allowed(
    study: Path, changes: dict[str, Any], told: str
) -> None:
    write_run(study, "relu", 4, **changes)
    with pytest.raises(BadInput, match=told):
        read_study(study, allow_incomplete=True)


def test_nothing_to_compare_is_said(study: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no finished runs"):
        read_study(tmp_path / "none")
    single = tmp_path / "single"
    write_run(single, "relu", 0)
    write_run(single, "mish", 0)
    (block,), _ = read_study(single)
    with pytest.raises(BadInput, match="1 seed in common"):
        compare_block(block, [], 0)
    (block,), _ = read_study(study)
    with pytest.raises(BadInput, match="gelu: no runs of surfaces; it has relu, mish, frelu"):
        compare_block(block, [["gelu", "relu"]], 0)


def test_the_answer_says_what_is_decided_and_what_is_not(study: Path) -> None:
    (block,), _ = read_study(study)
    contrasts = compare_block(block, [], 0)
    assert [(each.metric, each.a, each.b) for each in contrasts] == [
        ("mean_iou", "mish", "relu"), ("mean_iou", "frelu", "relu"),
        ("article_mean_iou", "mish", "relu"), ("article_mean_iou", "frelu", "relu"),
    ]  # fmt: skip
    mish, frelu = contrasts[:2]
    assert mish.decided
    assert not frelu.decided
    assert mish.p_holm == pytest.approx(2 * mish.paired.p)
    assert set(mish.classes) == set(CLASSES)
    said = conclusion(block, contrasts)
    assert said.startswith("On surfaces (scenes, 4 seeds): Mish is above ReLU by ")
    assert "; for FReLU against ReLU the data do not decide (" in said
    (turned, *_) = compare_block(block, [["relu", "mish"]], 0)
    assert "ReLU is below Mish by " in conclusion(block, [turned])
    assert turned.paired.difference.value == pytest.approx(-mish.paired.difference.value)


def test_what_only_the_correction_leaves_open_is_said_with_its_p(study: Path) -> None:
    (block,), _ = read_study(study)
    mish, frelu, *_ = compare_block(block, [], 0)
    assert mish.paired.difference.low > 0
    undecided = replace(mish, p_holm=0.1234)
    text = conclusion(block, [undecided, frelu])
    numbers = format_interval(mish.paired.difference, signed=True)
    assert f"for Mish against ReLU the data do not decide ({numbers} points; p = 0.123 after correction for 2" in text
    assert conclusion(block, [mish, frelu]).count("after correction") == 0


def test_one_seed_gives_one_answer_and_another_other_draws(study: Path) -> None:
    (block,), _ = read_study(study)
    first, again, other = (compare_block(block, [], seed)[0].new_images for seed in (0, 0, 1))
    assert first == again
    assert first != other


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
    (block,), _ = read_study(study)
    for line, contrast in zip(tables["differences"], compare_block(block, [], 0), strict=True):
        assert (line["a"], line["b"], line["metric"]) == (contrast.a, contrast.b, contrast.metric)
        assert float(line["difference"]) == contrast.paired.difference.value
        assert float(line["p"]) == contrast.paired.p
        assert float(line["p_holm"]) == contrast.p_holm
        assert float(line["probability_a_above_b"]) == contrast.paired.probability
        assert (line["new_images_low"] == "") == (contrast.metric != "mean_iou")
    assert len(tables["per_class"]) == 3 * 3 + 2 * 3
    said = capsys.readouterr().out
    for text in ("mish − relu", "p, Holm", "Mish is above ReLU"):
        assert text in said


def test_the_page_needs_nothing_else_and_says_what_the_tables_say(study: Path) -> None:
    folder = make_report(study, ReportOptions())
    text = (folder / "index.html").read_text(encoding="utf-8")
    (block,), _ = read_study(study)
    contrasts = compare_block(block, [], 0)
    assert text.index(conclusion(block, contrasts)) < text.index("<table>"), "the answer comes first"
    for contrast in contrasts:
        assert format_interval(contrast.paired.difference, signed=True) in text
    assert text.count("<svg ") == text.count("<figcaption>") == 6
    assert "#123456" not in text, "figures take the page's ink"
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}, "names only, nothing is fetched"
    assert not re.search(r"<script|<link[^>]*stylesheet|<img|url\((?!#)", text)
    assert make_report(study, ReportOptions()).joinpath("index.html").read_text(encoding="utf-8") == text


def test_an_incomplete_study_warns_on_its_page(study: Path) -> None:
    write_run(study, "relu", 4, status="FAILED")
    folder = make_report(study, ReportOptions(allow_incomplete=True))
    assert 'class="warning"' in (folder / "index.html").read_text(encoding="utf-8")


def test_names_are_text_on_the_page(tmp_path: Path) -> None:
    for seed in range(2):
        for name in ("relu", "<b>x"):
            write_run(tmp_path / "s", name, seed)
    assert "<b>x" not in (make_report(tmp_path / "s", ReportOptions()) / "index.html").read_text(encoding="utf-8")


def test_declared_contrasts_come_from_the_runs_unless_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "study"
    for seed, name in np.ndindex(3, 3):
        write_run(folder, ("relu", "mish", "frelu")[name], seed, contrasts=[["frelu", "mish"]], started=float(name))
    make_report(folder, ReportOptions())
    assert "frelu − mish" in capsys.readouterr().out
    make_report(folder, ReportOptions([["mish", "frelu"]]))
    assert "mish − frelu" in capsys.readouterr().out


def test_one_seed_twice_in_an_arm_is_refused(study: Path) -> None:
    twin = write_run(study, "relu", 2, accuracy=0.6)
    with pytest.raises(BadInput, match=rf"surfaces, relu, seed 2: .*{twin.name}"):
        read_study(study)


def test_an_option_that_only_some_runs_of_an_activation_have_sets_them_apart(tmp_path: Path) -> None:
    for seed in range(3):
        write_run(tmp_path / "s", "relu", seed, kernel_size=None)
        write_run(tmp_path / "s", "mish", seed, kernel_size=None, started=1.0)
        write_run(tmp_path / "s", "relu", seed, kernel_size=6, started=2.0)
    (block,), _ = read_study(tmp_path / "s")
    assert [arm.name for arm in block.arms] == ["relu kernel_size=None", "mish", "relu kernel_size=6"]


def test_two_data_sets_have_figures_of_their_own(tmp_path: Path) -> None:
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
def test_a_point_is_written_whole_and_a_zero_without_a_sign(value: float, signed: bool, text: str) -> None:
    assert format_points(value, signed) == text
