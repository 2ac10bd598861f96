"""A forked script does what a new interpreter does."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli_runner import TINY, command
from warm_start import can_fork

pytestmark = pytest.mark.integration
RUN = (*TINY, "tracking=off")


def record(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("multirun/tiny/*/run.json")
    return json.loads(path.read_text())


def test_a_forked_run_is_recorded_with_the_bits_and_environment_of_a_new_interpreter(tmp_path: Path) -> None:
    forked, started = tmp_path / "forked", tmp_path / "started"
    for folder in (forked, started):
        folder.mkdir()
    assert command(forked, "train.py", *RUN).returncode == 0
    assert command(started, "train.py", *RUN, fork=False).returncode == 0
    ours, theirs = record(forked), record(started)
    assert ours["digests"] == theirs["digests"]
    assert ours["environment"] == theirs["environment"]


def test_exit_code_output_and_errors_come_back(tmp_path: Path) -> None:
    refused = command(tmp_path, "train.py", "activation=rely")
    assert refused.returncode == 2
    assert "rely" in refused.stderr
    assert not refused.stdout
    assert command(tmp_path, "compare.py", "--help").stdout.startswith("Compare the finished runs")


def test_a_script_that_needs_another_environment_is_not_forked() -> None:
    assert can_fork({"COLUMNS": "250"})
    assert not can_fork({"KERAS_BACKEND": "jax"})
