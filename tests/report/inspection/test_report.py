"""The inspection of a data set: its sentences, its page, and a file of groups."""

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from activation_study import outcome
from activation_study.cli.commands import COMMANDS, register_schema
from activation_study.config.command_options import Inspect
from activation_study.data.images.image_reader import ImageFacts, ImageReader
from activation_study.data.same_scene import ScenePair
from activation_study.data.splitting.groups import read_groups
from activation_study.errors import BadInput
from activation_study.location import conf_dir
from activation_study.report.inspection.report import inspect_data
from activation_study.report.inspection.summary import range_sentences
from activation_study.validation import from_hydra


def inspect(tmp_path: Path, *overrides: str) -> Path:
    register_schema(COMMANDS["inspect"])
    given = ["data=scenes", "data.count=12", "data.image_size=32", f"data.cache={tmp_path}/cache", *overrides]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = from_hydra(compose("inspect", given), "inspect")
    assert isinstance(config, Inspect)
    return inspect_data(config)


def test_the_groups_of_a_split_are_shown_and_a_file_of_groups_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    page = inspect(tmp_path, "data.groups='(.)$'", "write_groups=groups.csv")
    printed = " ".join(capsys.readouterr().out.split())
    assert "Images of each group, as data.groups says, in each part of the split." in printed
    assert "No problems found." in printed
    assert "Wrote groups.csv: 2 groups of several images, the largest of 2; 10 in all." in printed
    groups = read_groups(tmp_path / "groups.csv")
    assert groups["scene0011"] == groups["scene0001"] == "1"
    assert len(set(groups.values())) == 10
    assert "as data.groups says" in page.read_text()
    result = outcome.plain(outcome._fields)
    assert result["groups_file"] == "groups.csv"
    assert (result["same_scene"], result["group_pattern"]) == ([], None)
    assert {"group": "0", "part": "train", "images": 2} in result["groups"]
    monkeypatch.setattr("activation_study.data.audit.same_scene_pairs", lambda *arguments: [])
    inspect(tmp_path, "write_groups=none.csv")
    assert "No images seem to belong together, so none.csv is not written." in capsys.readouterr().out
    assert not (tmp_path / "none.csv").exists()
    with pytest.raises(BadInput, match="exists already"):
        inspect(tmp_path, "write_groups=groups.csv")
    inspect(tmp_path, "data.groups=groups.csv", "same_scene=false", "data.split=shuffled")
    assert "Images of the same scene were not looked for (same_scene=false)" in capsys.readouterr().out


def test_images_of_the_same_scene_are_shown_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    pairs = [ScenePair(0, 11, 33), ScenePair(0, 1, 12)]
    monkeypatch.setattr("activation_study.data.audit.same_scene_pairs", lambda *arguments: pairs)
    page = inspect(tmp_path, "write_groups=groups.csv").read_text()
    printed = " ".join(capsys.readouterr().out.split())
    assert "1 pair of images that seem to show the same scene in different parts of the split, 1 with a test" in printed
    assert "No problems found" not in printed
    section = page[page.index('id="scenes"') : page.index('id="browse"')]
    assert re.findall(r"train and \w+: \d+ matches", section) == [
        "train and test: 33 matches",
        "train and train: 12 matches",
    ]
    assert section.count("<img") == 8
    groups = read_groups(tmp_path / "groups.csv")
    assert {name for name, group in groups.items() if group == "scene0000"} == {"scene0000", "scene0001", "scene0011"}


def test_a_range_that_hardly_fits_the_images_is_told() -> None:
    facts = [ImageFacts((4, 4), 1, "uint16", 0, 4095)] * 2
    assert range_sentences(facts, ["a", "b"], ImageReader(1, (0, 65535))) == [
        "a and 1 more image: values from 0 to 4095 in data.value_range=[0,65535], so nearly black; "
        "data.value_range=[0,4095] has all values."
    ]
    assert range_sentences(facts, ["a", "b"], ImageReader(1, (0, 4095))) == []
