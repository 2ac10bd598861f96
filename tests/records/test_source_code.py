"""Digests of files, changed files, and the patch between the git commit and the code that runs."""

import subprocess
from pathlib import Path

import pytest

from activation_study import location
from activation_study.errors import BadInput
from activation_study.records import source_code


def git(folder: Path, *arguments: str) -> bytes:
    author = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in its own git repository with one commit."""
    root = tmp_path / "project"
    package = root / "src" / "activation_study"
    (package / "run").mkdir(parents=True)
    (package / "run" / "a.py").write_text("A = 1\n")
    (root / "src" / "hydra_plugins").mkdir()
    (root / "src" / "hydra_plugins" / "study_sweeper.py").write_text("S = 1\n")
    (root / "pyproject.toml").touch()
    (root / "conf").mkdir()
    (root / "conf" / "config.yaml").write_text("seed: 0\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    monkeypatch.setattr(location, "PACKAGE", package)
    monkeypatch.setattr(location, "CLONE", root)
    return root


def test_changed_added_and_removed_files_are_listed(project: Path, tmp_path: Path) -> None:
    name = source_code.write_manifest(tmp_path)
    assert source_code.changed_files(tmp_path, name) == []
    (project / "src/activation_study/run/a.py").write_text("A = 2\n")
    (project / "conf/new.yaml").write_text("x: 1\n")
    (project / "src/hydra_plugins/study_sweeper.py").unlink()
    assert source_code.changed_files(tmp_path, name) == [
        "conf/new.yaml",
        "src/activation_study/run/a.py",
        "src/hydra_plugins/study_sweeper.py",
    ]


def test_a_missing_manifest_is_rejected(project: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"0123\.json, the file digests from the start of the sweep, cannot be read"):
        source_code.changed_files(tmp_path, "0123")


def test_a_changed_file_changes_the_code_digest(project: Path) -> None:
    before = source_code.code_digest()
    (project / "src/activation_study/run/a.py").write_text("A = 2\n")
    assert source_code.code_digest() != before


def test_applying_the_patch_to_the_commit_gives_the_code(project: Path, tmp_path: Path) -> None:
    assert source_code.git_state()["clean"] is True
    assert source_code.patch() == b""
    (project / "src/activation_study/run/a.py").write_text("A = 'ä'\n")
    (project / "conf/new.yaml").write_bytes(b"# \xe4: not UTF-8\r\nx: 1\n")
    state = source_code.git_state()
    assert state["clean"] is False
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(project), str(clone))
    (tmp_path / "changes.patch").write_bytes(source_code.patch())
    git(clone, "checkout", "-q", state["commit"])
    git(clone, "apply", str(tmp_path / "changes.patch"))
    assert (clone / "src/activation_study/run/a.py").read_text() == "A = 'ä'\n"
    assert (clone / "conf/new.yaml").read_bytes() == b"# \xe4: not UTF-8\r\nx: 1\n"


def test_outside_of_git_there_is_no_commit_and_no_patch(project: Path) -> None:
    subprocess.run(["rm", "-rf", str(project / ".git")], check=True)
    assert source_code.git_state() == {"commit": None, "clean": None}
    assert source_code.patch() == b""


def test_an_installed_package_comes_from_no_commit_of_a_repository_around_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert source_code.git_state()["commit"] is not None
    package = project / ".venv" / "lib" / "activation_study"
    package.mkdir(parents=True)
    monkeypatch.setattr(location, "PACKAGE", package)
    monkeypatch.setattr(location, "CLONE", package.parents[1])
    assert source_code.git_state() == {"commit": None, "clean": None}
