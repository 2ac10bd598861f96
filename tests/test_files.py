"""A file is complete or absent."""

import json
from pathlib import Path

import pytest

from activation_study.files import replacing, write_json, write_text


def test_after_a_failure_the_old_file_is_unchanged_and_no_other_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "old")]


def test_json_keeps_unicode_and_rejects_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": 1})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"é": 1}
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"é": 1}


def test_a_temporary_file_keeps_the_suffix(tmp_path: Path) -> None:
    with replacing(tmp_path / "x.npz") as temporary:
        assert temporary.suffix == ".npz"
