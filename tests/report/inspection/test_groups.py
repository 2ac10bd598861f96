"""What the inspection says about images that belong together."""

from dataclasses import replace

import numpy as np
import pytest

from activation_study.config.schema import Data
from activation_study.data.audit import DatasetAudit
from activation_study.data.near_duplicates import NearDuplicates
from activation_study.data.same_scene import ScenePair
from activation_study.report.inspection.groups import (
    group_sentences,
    groups_table,
    scene_note,
    scene_sentences,
    scenes_table,
)

DATA = Data(split="shuffled")
AUDIT = DatasetAudit(
    names=("x_1", "x_2", "y_1", "y_2", "z_1", "z_2"),
    part_of=("train", "train", "train", "validation", "test", "left out"),
    sizes=((2, 2),) * 6,
    counts=np.ones((6, 3), np.int64),
    groups=tuple("xxyyzz"),
    pattern="^(.)",
    duplicates=NearDuplicates((), 0, 0, 0, 0, tuple(range(6))),
    scenes=None,
    suspicious=(),
)


def test_guessed_groups_that_the_split_divides_are_named_with_the_fix() -> None:
    assert list(group_sentences(AUDIT, DATA)) == [
        "Judging by their names, the images are of 3 groups, and the split divides 1 of them: y. If a group belongs "
        "together (a film, a patient, a place), data.groups='^(.)' keeps it whole."
    ]
    whole = replace(AUDIT, part_of=("train", "train", "validation", "validation", "test", "left out"))
    assert list(group_sentences(whole, DATA)) == []
    assert list(group_sentences(replace(AUDIT, pattern=None), DATA)) == []
    assert list(group_sentences(replace(AUDIT, groups=None, pattern=None), DATA)) == []
    assert list(group_sentences(replace(AUDIT, pattern="^([0-9])"), DATA)) == [], "a source is no group"


def test_two_groups_cannot_be_kept_whole() -> None:
    (sentence,) = group_sentences(replace(AUDIT, groups=tuple("xxyyyy")), DATA)
    assert sentence.endswith("of 2 groups, and the split divides 1 of them: y.")


@pytest.mark.parametrize("split", ["files", "folders"])
def test_a_given_split_is_replaced_since_groups_cannot_be_kept_whole_by_it(split: str) -> None:
    (sentence,) = group_sentences(AUDIT, replace(DATA, split=split))
    assert sentence.endswith("data.groups='^(.)' data.split=shuffled keeps it whole.")
    audit = replace(AUDIT, scenes=(ScenePair(0, 3, 40),))
    _, fix = scene_sentences(audit, replace(DATA, split=split))
    assert fix.endswith("then use data.groups=groups.csv data.split=shuffled.")


def test_folds_need_as_many_groups() -> None:
    (sentence,) = group_sentences(AUDIT, replace(DATA, split="kfold", folds=5))
    assert sentence.endswith("the split divides 1 of them: y.")


def test_the_table_has_each_group_or_their_numbers() -> None:
    table = groups_table(AUDIT)
    assert table is not None
    assert table.head == ("group", "train", "validation", "test", "left out")
    assert table.rows == (("x", "2", "0", "0", "0"), ("y", "1", "1", "0", "0"), ("z", "0", "0", "1", "1"))
    many = replace(
        AUDIT,
        groups=tuple(f"g{number // 2}" for number in range(100)),
        part_of=("train",) * 61 + ("validation",) * 19 + ("test",) * 20,
        pattern=None,
    )
    table = groups_table(many)
    assert table is not None
    assert table.rows == (("groups", "31", "10", "10"),)
    assert table.caption == "Groups in each part of the split, as data.groups says: 50."
    assert groups_table(replace(AUDIT, groups=None)) is None


def test_images_of_the_same_scene_across_the_split_are_counted() -> None:
    scenes = (ScenePair(0, 3, 40), ScenePair(0, 1, 30), ScenePair(2, 4, 12), ScenePair(0, 5, 12))
    audit = replace(AUDIT, scenes=scenes)
    sentence, fix = scene_sentences(audit, DATA)
    assert sentence == (
        "2 pairs of images that seem to show the same scene in different parts of the split, 1 with a test image: "
        "see them on the page."
    )
    assert "write_groups=groups.csv" in fix
    assert list(scene_sentences(replace(audit, scenes=scenes[1:2]), DATA)) == []
    table = scenes_table(audit, list(scenes[:2]))
    assert table.rows == (("x_1", "train", "y_2", "validation", "40"), ("x_1", "train", "x_2", "train", "30"))
    assert table.caption.startswith("4 pairs of images that seem to show the same scene, 2 of them in different parts")
    assert list(scene_note(audit)) == []


def test_near_duplicates_across_the_split_can_be_kept_together_identical_ones_be_removed() -> None:
    similar = NearDuplicates((), 3, 3, with_test=2, identical_with_test=1, group_of=(0,) * 6)
    (fix,) = scene_sentences(replace(AUDIT, duplicates=similar), DATA)
    assert fix.endswith(
        "inspect_data.py … write_groups=groups.csv` writes groups of near duplicates and of images of the same scene; "
        "then use data.groups=groups.csv."
    )
    identical = replace(similar, identical_with_test=2)
    assert list(scene_sentences(replace(AUDIT, duplicates=identical), DATA)) == []


def test_it_is_said_that_scenes_were_not_compared() -> None:
    (note,) = scene_note(AUDIT)
    assert note == "Images of the same scene were not looked for (same_scene=false); same_scene=true looks for them."
    (note,) = scene_note(replace(AUDIT, names=("x",) * 5001))
    assert "(more than 5,000 images)" in note
