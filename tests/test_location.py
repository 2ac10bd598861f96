"""Which copy of the program a script runs."""

import sys
from pathlib import Path

import pytest

from activation_study import location


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "train.py")])
    return tmp_path / "train.py"


def test_a_script_of_a_clone_must_run_its_own_code(script: Path, tmp_path: Path) -> None:
    (tmp_path / "src" / "activation_study").mkdir(parents=True)
    message = location.other_copy()
    assert message is not None
    assert f"train.py belongs to the code in {tmp_path}, but this environment runs the copy in" in message
    assert message.endswith(f"In {tmp_path}, run: pip install -e . -c constraints.txt")


def test_a_script_without_code_beside_it_and_the_installed_command_run_any_copy(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert location.other_copy() is None
    (tmp_path / "src" / "activation_study").mkdir(parents=True)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "activation-study")])
    assert location.other_copy() is None
