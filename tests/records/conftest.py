"""Fixtures of the tests of records."""

from pathlib import Path

import pytest

from activation_study import location
from git_command import git


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
