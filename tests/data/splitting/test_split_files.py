"""A given split, read from text files."""

import subprocess
from pathlib import Path

import pytest

from activation_study.data.splitting.split_files import read_split_files, split_digest, without_suffix
from activation_study.errors import BadInput


def write(folder: Path, **parts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for part, text in parts.items():
        (folder / f"{part}.txt").write_text(text, encoding="utf-8")
    return folder


def test_the_files_have_one_name_per_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "one", train="# made by hand\nb\r\n\n a \n", val="c", test="\ufeffd.png\n")
    names = read_split_files(folder)
    assert names == {"train": ["b", "a"], "validation": ["c"], "test": ["d.png"]}
    other = write(tmp_path / "other", train="a\nb", validation="c", test="d.png")
    assert split_digest(read_split_files(other)) == split_digest(names), "the order of the names does not matter"
    moved = write(tmp_path / "moved", train="a", validation="b\nc", test="d.png")
    assert split_digest(read_split_files(moved)) != split_digest(names)


def test_hidden_files_that_a_listing_of_a_folder_has_are_passed_over(tmp_path: Path) -> None:
    lines = "train/1.jpg\ntrain/.1.jpg\ntrain/.cache/2.jpg\ntrain/Thumbs.db\n./train/2.jpg\n"
    names = read_split_files(write(tmp_path, train=lines, val="c", test="d"))
    assert names["train"] == ["train/1.jpg", "./train/2.jpg"]


def test_all_problems_are_listed(tmp_path: Path) -> None:
    folder = write(tmp_path, train="a\nb\na\n", test="# nothing\n")
    (folder / "val.txt").write_bytes(b"\xff\xff")
    with pytest.raises(BadInput) as error:
        read_split_files(folder)
    message = str(error.value)
    assert "(3 found)" in message
    for problem in ("a: in train, but already in train", "test.txt: contains no names", "val.txt: 'utf-8' codec"):
        assert problem in message
    with pytest.raises(BadInput, match=r"train\.txt: no such file"):
        read_split_files(tmp_path / "none")


def test_without_a_list_of_test_images_the_commands_that_make_a_split_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "lists", train="".join(f"{n}\n" for n in range(25)), val="x\ny\n", trainval="0\n")
    with pytest.raises(BadInput) as error:
        read_split_files(folder)
    *_, make, train, validation, last = str(error.value).splitlines()
    assert last == "Then give data.split_files=split."
    for command in (make, train, validation):
        subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    split = read_split_files(tmp_path / "split")
    assert {part: len(names) for part, names in split.items()} == {"train": 23, "validation": 2, "test": 2}
    assert [*split["train"], *split["validation"]] == [str(number) for number in range(25)]


def test_lines_may_have_the_suffix_of_image_files() -> None:
    lists = {"train": ["a/1_img.png", "a/2_img", "a/3"], "test": ["x.y"]}
    assert without_suffix(lists, "_img") == {"train": ["a/1", "a/2", "a/3"], "test": ["x.y"]}
    assert without_suffix(lists, None) == lists
