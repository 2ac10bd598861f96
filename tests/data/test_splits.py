"""Which pictures train, validate and test."""

import numpy as np
import pytest

from activation_study.data.splits import Split, split, split_by_names, without_duplicates


def parts(of: Split) -> tuple[list[int], list[int], list[int]]:
    return of.train.tolist(), of.validation.tolist(), of.test.tolist()


def test_the_sorted_split_of_715_pictures_is_the_articles() -> None:
    train, validation, test = parts(split(715, "sorted"))
    assert (train, validation, test) == (list(range(429)), list(range(429, 572)), list(range(572, 715)))
    assert (len(train), len(validation), len(test)) == (429, 143, 143)


@pytest.mark.parametrize("count", range(5, 60))
def test_the_sorted_split_has_the_articles_borders(count: int) -> None:
    first = int(0.6 * count)
    second = int((count + first) / 2)
    expected = np.split(np.arange(count), [first, second])
    assert parts(split(count, "sorted")) == tuple(part.tolist() for part in expected)


def test_the_sorted_split_knows_no_seed() -> None:
    assert parts(split(50, "sorted", seed=0)) == parts(split(50, "sorted", seed=1))


@pytest.mark.parametrize("how", ["sorted", "shuffled", "kfold"])
@pytest.mark.parametrize("count", [5, 6, 23, 715])
def test_the_parts_are_disjoint_sorted_and_together_all(how: str, count: int) -> None:
    found = parts(split(count, how, seed=3))
    assert sorted(index for part in found for index in part) == list(range(count))
    assert all(part == sorted(part) for part in found)


def test_the_shuffled_split_has_the_sizes_of_the_sorted_one() -> None:
    found = split(715, "shuffled", seed=0)
    assert (len(found.train), len(found.validation), len(found.test)) == (429, 143, 143)


@pytest.mark.parametrize("how", ["shuffled", "kfold"])
def test_a_shuffled_split_is_a_function_of_its_seed(how: str) -> None:
    assert parts(split(100, how, seed=0)) == parts(split(100, how, seed=0))
    assert len({str(parts(split(100, how, seed=seed))) for seed in range(5)}) == 5
    assert parts(split(100, "shuffled", seed=0)) != parts(split(100, "sorted"))


@pytest.mark.parametrize(("count", "folds"), [(715, 5), (23, 5), (10, 3), (11, 10)])
def test_over_all_folds_each_picture_is_tested_once_and_validated_once(count: int, folds: int) -> None:
    found = [split(count, "kfold", seed=2, folds=folds, fold=fold) for fold in range(folds)]
    for name in ("test", "validation"):
        assert sorted(np.concatenate([getattr(each, name) for each in found])) == list(range(count))
    for fold, each in enumerate(found):
        assert parts(each)[1] == parts(found[(fold + 1) % folds])[2]
        assert len(each.train) + len(each.validation) + len(each.test) == count
        assert len(each.test) in (count // folds, count // folds + 1)


@pytest.mark.parametrize("how", ["sorted", "shuffled"])
def test_too_few_pictures_are_refused(how: str) -> None:
    for count in (0, 1, 2):
        with pytest.raises(ValueError, match=f"{count} pictures are too few"):
            split(count, how)


def test_more_folds_than_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="4 pictures are too few"):
        split(4, "kfold", folds=5, fold=4)


def test_a_photograph_that_occurs_again_stays_in_the_test_split_else_in_the_validation_split() -> None:
    found = Split(train=np.arange(4), validation=np.arange(4, 7), test=np.arange(7, 10))
    #              0    1    2    3    4    5    6    7    8    9
    image_hashes = ["a", "b", "c", "c", "d", "a", "e", "e", "b", "e"]
    assert parts(without_duplicates(found, image_hashes)) == ([2], [4, 5], [7, 8])


def test_photographs_that_all_differ_leave_the_split_as_it_is() -> None:
    found = split(50, "shuffled", seed=1)
    assert parts(without_duplicates(found, [str(index) for index in range(50)])) == parts(found)


def test_a_split_by_names_takes_them_with_and_without_a_suffix() -> None:
    names = ["a", "b.v2", "c", "sub/d"]
    found = split_by_names(names, {"train": ["sub/d.png", "a"], "validation": ["b.v2"], "test": ["c.jpg"]})
    assert [part.tolist() for part in vars(found).values()] == [[0, 3], [1], [2]]
    with pytest.raises(ValueError, match="2 names of the split's files have no picture: e, x/y"):
        split_by_names(names, {"train": ["a", "e"], "validation": ["x/y"], "test": ["c"]})
    with pytest.raises(ValueError, match="1 pictures are in two parts"):
        split_by_names(names, {"train": ["a"], "validation": ["c"], "test": ["a.png"]})
