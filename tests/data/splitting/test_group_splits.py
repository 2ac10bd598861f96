"""Splits that keep groups whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation_study.data.splitting.group_splits import draw, split_groups
from activation_study.data.splitting.groups import divided_groups
from activation_study.data.splitting.splits import Split, article_sizes, split, without_duplicates

CAMVID = ("0001TP",) * 124 + ("0006R0",) * 101 + ("0016E5",) * 305 + ("Seq05VD",) * 171
FOLDS = 3

labels = st.lists(st.integers(0, 12).map(str), min_size=3, max_size=80).filter(lambda groups: len(set(groups)) >= FOLDS)
methods = st.sampled_from(["sorted", "shuffled", "kfold"])


def parts(result: Split) -> list[list[int]]:
    return [part.tolist() for part in vars(result).values()]


def sizes(result: Split) -> list[int]:
    return [len(part) for part in vars(result).values()]


@given(labels, methods, st.integers(0, 100), st.integers(0, FOLDS - 1))
def test_no_group_is_divided_no_part_is_empty_and_each_image_is_in_one(
    groups: list[str], method: str, seed: int, fold: int
) -> None:
    result = split_groups(groups, method, seed, FOLDS, fold)
    assert divided_groups(result, groups) == []
    assert all(sizes(result))
    assert sorted(index for part in parts(result) for index in part) == list(range(len(groups)))
    assert all(part == sorted(part) for part in parts(result))


@given(labels, st.sampled_from(["sorted", "shuffled"]), st.integers(0, 100))
def test_the_names_of_the_groups_do_not_matter(groups: list[str], method: str, seed: int) -> None:
    renamed = [f"group {99 - int(group)}" for group in groups]
    assert parts(split_groups(groups, method, seed)) == parts(split_groups(renamed, method, seed))


@given(st.lists(st.integers(1, 30), min_size=6, max_size=40), st.integers(0, 100))
def test_sizes_are_off_by_less_than_the_largest_group(group_sizes: list[int], seed: int) -> None:
    groups = [str(group) for group, size in enumerate(group_sizes) for _ in range(size)]
    for wanted, found in zip(article_sizes(len(groups)), sizes(split_groups(groups, "shuffled", seed)), strict=True):
        assert found - wanted < max(group_sizes)


@settings(max_examples=30)
@given(st.integers(5, 60), st.integers(0, 100))
def test_images_that_are_groups_of_their_own_give_the_articles_split(count: int, seed: int) -> None:
    alone = [str(index) for index in range(count)]
    assert parts(split_groups(alone, "sorted")) == parts(split(count, "sorted"))
    assert tuple(sizes(split_groups(alone, "shuffled", seed))) == article_sizes(count)
    tested = [len(split_groups(alone, "kfold", seed, 5, fold).test) for fold in range(5)]
    assert tested == [len(split(count, "kfold", seed, 5, fold).test) for fold in range(5)]


def test_the_sorted_split_cuts_at_the_borders_nearest_to_the_articles_cuts() -> None:
    groups = ["a"] * 5 + ["b"] * 2 + ["c"] * 2 + ["d"]  # the article's: 6 + 2 + 2; borders 5, 7, 9
    assert sizes(split_groups(groups, "sorted")) == [5, 2, 3]
    interleaved = ["b", "a", "b", "c", "a", "d", "b"]  # 4 + 1 + 2; groups by first name: b (3), a (2), c (1), d (1)
    assert parts(split_groups(interleaved, "sorted")) == [[0, 2, 6], [1, 4], [3, 5]]
    assert sizes(split_groups(CAMVID, "sorted")) == [225, 305, 171]


def test_of_camvids_films_two_are_for_training_and_the_seed_chooses_between_the_others() -> None:
    splits = [split_groups(CAMVID, "shuffled", seed) for seed in range(20)]
    assert {tuple(sizes(each)) for each in splits} == {(406, 171, 124), (406, 124, 171)}
    assert parts(splits[0]) == parts(split_groups(CAMVID, "shuffled", 0))


@pytest.mark.parametrize("method", ["shuffled", "kfold"])
def test_the_seed_varies_the_split(method: str) -> None:
    groups = [str(group) for group in range(12) for _ in range(group + 3)]
    assert len({str(parts(split_groups(groups, method, seed))) for seed in range(10)}) == 10


def test_over_all_folds_each_group_is_tested_once() -> None:
    groups = [str(group) for group in range(11) for _ in range(group % 4 + 1)]
    splits = [split_groups(groups, "kfold", 1, 5, fold) for fold in range(5)]
    assert sorted(np.concatenate([each.test for each in splits])) == list(range(len(groups)))
    for fold, each in enumerate(splits):
        assert each.validation.tolist() == splits[(fold + 1) % 5].test.tolist()
        assert abs(len(each.test) - len(groups) / 5) < 4


def test_beside_a_group_that_is_too_large_the_others_are_balanced() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        drawn = draw([90, *[1] * 10], (60, 20, 20), generator)
        assert drawn[0] == 0
        assert np.bincount(drawn[1:], minlength=3).tolist() == [0, 5, 5]


def test_too_few_groups_are_refused_with_the_fix() -> None:
    for groups, found in ((["a"] * 9, "1 group is"), (["a", "b"] * 5, "2 groups are")):
        for method in ("sorted", "shuffled", "kfold"):
            with pytest.raises(
                ValueError, match=f"{found} too few for training.*expected 3 or more groups, or data.gr"
            ):
                split_groups(groups, method)
    with pytest.raises(ValueError, match=r"data\.folds=5 with 4 groups: .*expected data\.folds=4 or fewer"):
        split_groups(CAMVID, "kfold")
    assert len(split_groups(CAMVID, "kfold", folds=4).test)


def test_removing_duplicates_leaves_groups_whole() -> None:
    groups = ["a", "a", "a", "b", "b", "c", "c"]
    full = split_groups(groups, "sorted")
    assert parts(full) == [[0, 1, 2], [3, 4], [5, 6]]
    hashes = ["0", "1", "6", "3", "4", "5", "6"]  # image 2 of group a is image 6 of group c
    cleaned = without_duplicates(full, hashes)
    assert parts(cleaned) == [[0, 1], [3, 4], [5, 6]]
    assert divided_groups(cleaned, groups) == []
