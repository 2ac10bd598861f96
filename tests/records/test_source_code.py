"""Digests of files, and changed files."""

from pathlib import Path

import pytest

from activation_study.errors import BadInput
from activation_study.records import source_code


def test_changed_added_and_removed_files_are_listed(project: Path, tmp_path: Path) -> None:
    name = source_code.write_manifest(tmp_path)
    assert source_code.changed_files(tmp_path, name) == []
    (project / "src/activation_study/run/a.py").write_text("A = 2\n")
    (project / "conf/new.yaml").write_text("x: 1\n")  # no run of the sweep names it
    (project / "src/activation_study/run/new.py").write_text("")
    (project / "src/hydra_plugins/study_sweeper.py").unlink()
    assert source_code.changed_files(tmp_path, name) == [
        "src/activation_study/run/a.py",
        "src/activation_study/run/new.py",
        "src/hydra_plugins/study_sweeper.py",
    ]


def test_a_missing_manifest_is_rejected(project: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"0123\.json, the file digests from the start of the sweep, cannot be read"):
        source_code.changed_files(tmp_path, "0123")


def test_a_changed_file_changes_the_code_digest(project: Path) -> None:
    before = source_code.code_digest()
    (project / "src/activation_study/run/a.py").write_text("A = 2\n")
    assert source_code.code_digest() != before
