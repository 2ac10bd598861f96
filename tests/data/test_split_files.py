"""A given split, read from text files."""

from pathlib import Path

import pytest

from activation_study.data.split_files import read_split_files, split_digest
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
