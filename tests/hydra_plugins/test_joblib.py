"""`hydra/launcher=joblib`: the same results and summary as without it; stopped and killed processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli_runner import ROOT, TINY, command

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
SWEEP = [override for override in TINY if override != "threads=1"]
JOBLIB = ["-m", *SWEEP, "hydra/launcher=joblib"]
LONG = [
    "training.epochs=20000",
    "training.early_stopping.patience=20000",
    "training.checkpoint_minutes=60",
    "tracking=off",
]


def records(folder: Path) -> dict[str, dict[str, Any]]:
    runs = [json.loads(path.read_text()) for path in folder.glob("multirun/tiny/*/run.json")]
    return {run["name"].rpartition("-")[0]: run for run in runs}


def weights(folder: Path) -> dict[str, str]:
    return {name: run["digests"]["weights"] for name, run in records(folder).items()}


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command_line = [sys.executable, str(ROOT / "train.py"), *JOBLIB, *arguments]
    return subprocess.Popen(command_line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)


def wait_until_both_train(folder: Path) -> None:
    deadline = time.monotonic() + 120
    while sum(len(run["epochs"]) > 1 for run in records(folder).values()) < 2:
        assert time.monotonic() < deadline, records(folder)
        time.sleep(0.05)


def test_a_sweep_in_two_processes_gives_the_weights_of_a_sweep_in_one(tmp_path: Path) -> None:
    together, alone = tmp_path / "together", tmp_path / "alone"
    for folder in (together, alone):
        folder.mkdir()
    grid = ("activation=relu,frelu", "seed=0,1")
    first = command(together, "train.py", *JOBLIB, *grid)
    assert first.returncode == 0, first.stdout + first.stderr
    cores = len(os.sched_getaffinity(0))
    assert {run["environment"]["threads"] for run in records(together).values()} == {max(1, cores // 2)}
    assert {run["status"] for run in records(together).values()} == {"FINISHED"}
    for position in range(1, 5):
        assert f"[{position}] surfaces-" in first.stdout
        assert f"[{position}]   test mean IoU" in first.stdout
    assert "Report:               multirun/tiny/report/index.html" in first.stdout
    again = command(together, "train.py", *JOBLIB, *grid)
    assert "4 done" in again.stdout
    one = command(alone, "train.py", "-m", *SWEEP, *grid, f"threads={max(1, cores // 2)}")
    assert one.returncode == 0, one.stderr
    assert weights(alone) == weights(together)


def test_a_failed_run_stops_no_other_and_is_listed_in_the_summary(tmp_path: Path) -> None:
    result = command(tmp_path, "train.py", *JOBLIB, "training.learning_rate=1e30,1e-3", "seed=0,1", "tracking=off")
    assert result.returncode == 1
    assert "2 of 4 runs failed; run the same command to try again:" in result.stdout
    assert result.stdout.count("the training loss is") >= 2
    status = [json.loads(path.read_text())["status"] for path in tmp_path.glob("multirun/tiny/*/run.json")]
    assert sorted(status) == ["FAILED", "FAILED", "FINISHED", "FINISHED"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_stopped_processes_save_their_state_and_the_same_command_resumes(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    process = start(tmp_path, "seed=0,1,2", *LONG)
    wait_until_both_train(tmp_path)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code, output
    assert {run["status"] for run in records(tmp_path).values()} == {"KILLED"}
    assert len(records(tmp_path)) == 2, "the third was not started"
    assert all(run["resumed"] == [] for run in records(tmp_path).values())
    saves = list(tmp_path.glob("multirun/tiny/*/.checkpoint/*.npz"))
    assert len(saves) == 2, "each process saved because it was stopped, not after checkpoint_minutes"
    plan = command(tmp_path, "train.py", *JOBLIB, "seed=0,1,2", *LONG, "dry_run=true")
    assert "2 resume, 1 new" in plan.stdout


def test_a_killed_process_is_reported_and_loses_no_finished_run(tmp_path: Path) -> None:
    process = start(tmp_path, "seed=0,1,2", *LONG)
    wait_until_both_train(tmp_path)
    busy = [child for child in psutil.Process(process.pid).children() if child.memory_info().rss > 4e8]
    busy[0].kill()
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1, output
    assert "a process was killed, which ended the others too" in output
    assert "3 of 3 runs failed" in output
    summary = output.partition("3 of 3 runs failed")[2]
    assert summary.count("its process died (killed? Ctrl-C twice? out of memory?)") == 3
    assert "it was not started" in summary
