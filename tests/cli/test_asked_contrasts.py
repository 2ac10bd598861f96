"""Contrasts that `compare.py` is asked for: the study keeps them, from folders and packed."""

from pathlib import Path

import pytest

from activation_study.analysis.packed.pack import pack_study
from cli_runner import command
from fake_runs import write_run

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("where", ["folders", "packed"])
def test_the_message_says_what_later_reports_have(where: str, tmp_path: Path) -> None:
    for number, name in enumerate(("relu", "mish", "frelu")):
        for seed in range(3):
            write_run(tmp_path / "folders" / "s", name, seed, started=float(number))
    pack_study(tmp_path / "folders" / "s", tmp_path / "packed" / "s")
    arguments = (f"folder={tmp_path / where}", "study=s", "pictures=false")
    asked = command(tmp_path, "compare.py", *arguments, "contrasts=[[frelu,mish]]")
    assert asked.returncode == 0, asked.stderr
    assert "The report now has these contrasts; the study's later reports have them, too, and correct" in asked.stdout
    later = command(tmp_path, "compare.py", *arguments)
    assert later.returncode == 0, later.stderr
    assert "(asked afterwards)" in later.stdout
