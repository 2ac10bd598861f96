"""Groups that names or equal scenes suggest."""

from pathlib import Path

import pytest

from activation_study.data.splitting.group_proposal import check_new_file, group_pattern, joined_groups, write_groups
from activation_study.data.splitting.groups import groups_by_pattern, read_groups
from activation_study.errors import BadInput


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["berlin/1", "berlin/2", "paris/1", "paris/2"], ["berlin", "berlin", "paris", "paris"]),
        (["0001TP_1", "0001TP_2", "Seq-1", "Seq-2"], ["0001TP", "0001TP", "Seq", "Seq"]),
        (["cat12", "cat13", "dog1", "dog2"], ["cat", "cat", "dog", "dog"]),
        (["6000001", "6000002", "9000001", "9000002"], ["6", "6", "9", "9"]),
        (["6410001", "6700002", "9200001", "9800002"], None),
        (
            ["city-north_1", "city-north_2", "Old Town_7", "Old Town_8"],
            ["city-north", "city-north", "Old Town", "Old Town"],
        ),
        (["a-1", "a-2", "b-1", "b-2"], ["a", "a", "b", "b"]),
        (["img_a_1", "img_a_2", "img_b_1", "img_b_2"], ["img_a_", "img_a_", "img_b_", "img_b_"]),
        (["train/1", "train/2", "val/3", "val/4", "test/5", "test/6"], None),
        (["train/a_1", "train/a_2", "val/b_1", "test/b_2"], ["a", "a", "b", "b"]),
        (["train/a/1", "train/a/2", "val/b/1", "test/b/2"], ["a", "a", "b", "b"]),
        (["1", "2", "10", "20"], None),
        (["100", "2000", "101", "2001"], None),
        (["a", "b", "c", "d"], None),
        (["x_1", "x_2", "x_3", "x_4"], None),
        (["x_1", "x_2", "y_3", "y"], None),
    ],
)
def test_a_pattern_that_can_be_used_is_guessed_from_names(names: list[str], expected: list[str] | None) -> None:
    pattern = group_pattern(names)
    assert (None if pattern is None else list(groups_by_pattern(names, pattern))) == expected


def test_images_that_are_connected_by_pairs_or_groups_are_in_one_group(tmp_path: Path) -> None:
    names = tuple("abcdefg")
    assert joined_groups(names, [(1, 3), (3, 5), (0, 2)]) == tuple("ababebg")
    given = ("x", "y", "x", "z", "z", "y", "w")
    assert joined_groups(names, [(5, 6)], given) == ("x", "w+y", "x", "z", "z", "w+y", "w+y")
    assert joined_groups(names, [], given) == given
    given = ("x", "y", "x", "w+y", "w+y", "y", "w")
    assert joined_groups(names, [(5, 6)], given) == ("x", "w+y+", "x", "w+y", "w+y", "w+y+", "w+y+")
    write_groups(tmp_path / "groups.csv", ("a", 'sub/b, "c"'), ("a", "a"))
    assert read_groups(tmp_path / "groups.csv") == {"a": "a", 'sub/b, "c"': "a"}


def test_a_file_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    check_new_file(tmp_path / "groups.csv")
    (tmp_path / "groups.csv").touch()
    with pytest.raises(BadInput, match="exists already and is not overwritten"):
        check_new_file(tmp_path / "groups.csv")
    with pytest.raises(BadInput, match=r"expected a file name that ends in \.csv"):
        check_new_file(tmp_path / "groups.txt")
