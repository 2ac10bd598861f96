"""Which images belong together: patterns and CSV files."""

from pathlib import Path

import pytest

from activation_study.data.splitting.groups import (
    describe_groups,
    divided_groups,
    group_counts,
    groups_by_file,
    groups_by_pattern,
    groups_digest,
    read_groups,
)
from activation_study.data.splitting.splits import split
from activation_study.errors import BadInput

NAMES = ("Seq05VD_f00000", "Seq05VD_f00030", "0001TP_006690", "berlin/12")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def by_file(names: tuple[str, ...], path: Path) -> tuple[str, ...]:
    return groups_by_file(names, path, groups_digest(read_groups(path)))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^([^_/]+)[_/]", ("Seq05VD", "Seq05VD", "0001TP", "berlin")),
        ("^[^_/]+", ("Seq05VD", "Seq05VD", "0001TP", "berlin")),
        (r"(\d)\d*$", ("0", "0", "0", "1")),
    ],
)
def test_the_group_is_the_patterns_first_group_or_the_whole_match(pattern: str, expected: tuple[str, ...]) -> None:
    assert groups_by_pattern(NAMES, pattern) == expected


@pytest.mark.parametrize("pattern", ["^([^_]+)_", "^(?:(.*)_|berlin)", "(x?)"])
def test_images_that_the_pattern_does_not_match_are_named(pattern: str) -> None:
    with pytest.raises(BadInput, match=r"berlin/12 (is|are) not matched, of 4 images; expected .*data.groups='"):
        groups_by_pattern(NAMES, pattern)


def test_many_unmatched_images_are_summed_up() -> None:
    with pytest.raises(BadInput, match="a0, a1, a2, a3, a4 and 995 more are not matched, of 1,000 images"):
        groups_by_pattern([f"a{number}" for number in range(1000)], "^b")


def test_a_file_names_images_with_or_without_suffix_and_others_too(tmp_path: Path) -> None:
    rows = "a.jpg,one\nb.v2,two\n\nsub/c.png,one\nelsewhere,three\n"
    path = write(tmp_path / "groups.csv", f"\ufeffimage,group\n{rows}")
    assert by_file(("a", "b.v2", "sub/c"), path) == ("one", "two", "one")
    for text in (
        f"group;note;Image\n{'three;;elsewhere'}\none;x;a\ntwo;y;b.v2\none;z;sub/c\n",
        "image\tgroup\r\na\tone\r\nb.v2\ttwo\r\nsub/c\tone\r\n",
    ):
        assert by_file(("a", "b.v2", "sub/c"), write(path, text)) == ("one", "two", "one")


def test_a_file_may_name_images_with_the_suffix_that_their_names_do_not_have(tmp_path: Path) -> None:
    path = write(tmp_path / "groups.csv", "image,group\na_img.png,one\nb_img,two\nc,one\n")
    digest = groups_digest(read_groups(path))
    assert groups_by_file(("a", "b", "c"), path, digest, "_img") == ("one", "two", "one")


def test_the_digest_depends_on_the_rows_and_not_on_their_order(tmp_path: Path) -> None:
    one = read_groups(write(tmp_path / "one.csv", "image,group\na,x\nb,y\n"))
    other = read_groups(write(tmp_path / "other.csv", "group,image\ny,b\nx,a\n"))
    moved = read_groups(write(tmp_path / "moved.csv", "image,group\na,x\nb,x\n"))
    assert groups_digest(one) == groups_digest(other) != groups_digest(moved)
    with pytest.raises(BadInput, match="the file was changed since the run was configured"):
        groups_by_file(("a", "b"), tmp_path / "moved.csv", groups_digest(one))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no column image and group in its first line. Expected a first line `image,group`"),
        ("a,x\nb,y\n", "no column image and group"),
        ("image,film\na,x\n", "no column group"),
        ("image,group\na,x\na,y\n", "line 3: a is in y, but already in x"),
        ("image,group\na,\n,x\nb", "(3 found):\n  line 2: no group\n  line 3: no image\n  line 4: no group"),
        ("image,group\na,x\n", "b, c are missing, of 3 images"),
        ("image,group\na,x\na.png,y\nb,y\nc,y\n", "a.png is in y, but without its suffix in x"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BadInput) as error:
        by_file(("a", "b", "c"), write(tmp_path / "groups.csv", text))
    assert problem in str(error.value)
    assert str(tmp_path / "groups.csv") in str(error.value)


def test_an_open_quote_is_refused_with_its_line(tmp_path: Path) -> None:
    rows = "".join(f"image{number:05},film with a long name\n" for number in range(6000))
    path = write(tmp_path / "groups.csv", f'image,group\na,"b\n{rows}')
    with pytest.raises(BadInput, match=r"groups\.csv: line \d+: field larger than field limit .*is a quote left open"):
        read_groups(path)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_groups(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="utf-8"):
        read_groups(tmp_path / "binary.csv")


def test_groups_are_counted_and_described_and_divided_ones_are_named() -> None:
    groups = ("a", "a", "b", "b", "c", "d", "d", "e", "e", "e")
    parts = split(10, "sorted")  # 6 + 2 + 2
    assert group_counts(parts, groups) == {"train": 4, "validation": 2, "test": 1}
    assert divided_groups(parts, groups) == ["d: 1 train, 1 validation", "e: 1 validation, 2 test"]
    assert describe_groups({"train": 2, "validation": 1, "test": 1}) == "4 groups: 2 train, 1 validation, 1 test"
