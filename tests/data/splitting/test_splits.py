"""The split into train, validation and test."""

import numpy as np
import pytest

from activation_study.data.splitting.splits import Split, split, split_by_names, without_duplicates


def parts(result: Split) -> tuple[list[int], list[int], list[int]]:
    return result.train.tolist(), result.validation.tolist(), result.test.tolist()


def test_the_sorted_split_of_715_images_is_the_articles() -> None:
    train, validation, test = parts(split(715, "sorted"))
    assert (train, validation, test) == (list(range(429)), list(range(429, 572)), list(range(572, 715)))
    assert (len(train), len(validation), len(test)) == (429, 143, 143)


@pytest.mark.parametrize("count", range(5, 60))
def test_the_sorted_split_has_the_articles_boundaries(count: int) -> None:
    first = int(0.6 * count)
    second = int((count + first) / 2)
    expected = np.split(np.arange(count), [first, second])
    assert parts(split(count, "sorted")) == tuple(part.tolist() for part in expected)


def test_the_sorted_split_does_not_depend_on_the_seed() -> None:
    assert parts(split(50, "sorted", seed=0)) == parts(split(50, "sorted", seed=1))


@pytest.mark.parametrize("method", ["sorted", "shuffled", "kfold"])
@pytest.mark.parametrize("count", [5, 6, 23, 715])
def test_the_parts_are_sorted_and_disjoint_and_cover_all_images(method: str, count: int) -> None:
    result = parts(split(count, method, seed=3))
    assert sorted(index for part in result for index in part) == list(range(count))
    assert all(part == sorted(part) for part in result)


def test_the_shuffled_split_has_the_sizes_of_the_sorted_one() -> None:
    result = split(715, "shuffled", seed=0)
    assert (len(result.train), len(result.validation), len(result.test)) == (429, 143, 143)


@pytest.mark.parametrize("method", ["shuffled", "kfold"])
def test_a_shuffled_split_is_a_function_of_its_seed(method: str) -> None:
    assert parts(split(100, method, seed=0)) == parts(split(100, method, seed=0))
    assert len({str(parts(split(100, method, seed=seed))) for seed in range(5)}) == 5
    assert parts(split(100, "shuffled", seed=0)) != parts(split(100, "sorted"))


@pytest.mark.parametrize(("count", "folds"), [(715, 5), (23, 5), (10, 3), (11, 10)])
def test_over_all_folds_each_image_is_once_in_test_and_once_in_validation(count: int, folds: int) -> None:
    splits = [split(count, "kfold", seed=2, folds=folds, fold=fold) for fold in range(folds)]
    for name in ("test", "validation"):
        assert sorted(np.concatenate([getattr(result, name) for result in splits])) == list(range(count))
    for fold, result in enumerate(splits):
        assert parts(result)[1] == parts(splits[(fold + 1) % folds])[2]
        assert len(result.train) + len(result.validation) + len(result.test) == count
        assert len(result.test) in (count // folds, count // folds + 1)


@pytest.mark.parametrize("method", ["sorted", "shuffled"])
def test_too_few_images_are_refused(method: str) -> None:
    for count in (0, 1, 2):
        with pytest.raises(ValueError, match="too few"):
            split(count, method)


def test_more_folds_than_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4 images cannot be divided into 5 folds: expected data\.folds=4 or fewer"):
        split(4, "kfold", folds=5, fold=4)


def test_a_duplicated_image_is_kept_in_test_if_it_occurs_there_else_in_validation() -> None:
    full = Split(train=np.arange(4), validation=np.arange(4, 7), test=np.arange(7, 10))
    #              0    1    2    3    4    5    6    7    8    9
    image_hashes = ["a", "b", "c", "c", "d", "a", "e", "e", "b", "e"]
    assert parts(without_duplicates(full, image_hashes)) == ([2], [4, 5], [7, 8])


def test_without_duplicates_the_split_does_not_change() -> None:
    full = split(50, "shuffled", seed=1)
    assert parts(without_duplicates(full, [str(index) for index in range(50)])) == parts(full)


def test_names_of_a_split_are_equal_in_all_unicode_forms() -> None:
    names = ["a\u0308", "\u00e9", "x"]  # of files, decomposed and composed
    given = {"train": ["\u00e4.png"], "validation": ["e\u0301"], "test": ["x"]}
    assert parts(split_by_names(names, given)) == ([0], [1], [2])


def test_a_split_by_names_accepts_names_with_and_without_suffix() -> None:
    names = ["a", "b.v2", "c", "sub/d"]
    result = split_by_names(names, {"train": ["sub/d.png", "a"], "validation": ["b.v2"], "test": ["c.jpg"]})
    assert [part.tolist() for part in vars(result).values()] == [[0, 3], [1], [2]]
    with pytest.raises(ValueError, match=r"names in the split files without an image \(2\): e, x/y"):
        split_by_names(names, {"train": ["a", "e"], "validation": ["x/y"], "test": ["c"]})
    with pytest.raises(ValueError, match="images in two parts of the split files, with and without their suffix: 1"):
        split_by_names(names, {"train": ["a"], "validation": ["c"], "test": ["a.png"]})


def test_only_a_suffix_of_files_is_taken_off_a_name() -> None:
    names = ("scan", "scan2", "scan3.v2")
    lists = {"train": ["scan.PNG"], "validation": ["scan2"], "test": ["scan3.v2.tif"]}
    parts = split_by_names(names, lists)
    assert [part.tolist() for part in vars(parts).values()] == [[0], [1], [2]]
    with pytest.raises(ValueError, match=r"without an image \(1\): scan\.001"):
        split_by_names(names, {**lists, "train": ["scan.001"]})
