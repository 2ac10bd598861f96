"""`hydra/launcher=slurm` on a real Slurm of this machine: `.ci/slurm start FOLDER`, SLURM_CONF=FOLDER/slurm.conf."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from cli_runner import ROOT, TINY, command


def slurm_available() -> bool:
    return bool(which("sbatch")) and subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not slurm_available(), reason="no Slurm here: .ci/slurm start FOLDER, and SLURM_CONF"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
SWEEP = [override for override in TINY if override != "threads=1"]
LONG = ["training.epochs=400", "training.early_stopping.patience=400", "training.checkpoint_minutes=60"]
SLURM = [
    "hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1",
    "hydra.launcher.timeout_min=30", "hydra.launcher.signal_delay_s=30",
]  # fmt: skip


def records(folder: Path) -> list[dict[str, Any]]:
    """Sorted by learning rate and seed."""
    runs = [json.loads(path.read_text()) for path in folder.glob("multirun/tiny/*/run.json")]
    return sorted(runs, key=lambda run: (run["config"]["optimizer"]["learning_rate"], run["config"]["seed"]))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, subprocess.run(["squeue"], capture_output=True, check=False).stdout
        time.sleep(0.1)


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Starts the sweep; returns its process and the number of its array."""
    command_line = [sys.executable, "-u", str(ROOT / "train.py"), "-m", *SWEEP, *LONG, *SLURM, *arguments]
    with open(folder / "output", "w") as output:
        process = subprocess.Popen(command_line, stdout=output, stderr=subprocess.STDOUT, text=True, cwd=folder)
    pattern = re.compile(r"Slurm array (\d+) submitted")
    wait_for(lambda: bool(pattern.search((folder / "output").read_text())), process)
    match = pattern.search((folder / "output").read_text())
    assert match is not None
    return process, match[1]


def test_a_warned_job_is_queued_again_and_a_failed_one_is_listed(tmp_path: Path) -> None:
    process, array = start(tmp_path, "training.learning_rate=1e-3,1e30", "seed=0,1")
    wait_for(lambda: bool(records(tmp_path)) and len(records(tmp_path)[0]["epochs"]) > 5, process)
    signals = []  # scancel keeps retrying, since the job ends before it is done
    for name in ("TERM", "USR2"):  # as in a preemption; the state is saved before the second arrives
        signals.append(subprocess.Popen(["scancel", f"--signal={name}", f"{array}_0"], stderr=subprocess.DEVNULL))
        time.sleep(2)
    wait_for(lambda: records(tmp_path)[0]["status"] == "KILLED", process)
    for sender in signals:
        sender.kill()
        sender.wait()
    assert process.wait(timeout=400) == 1, "two runs failed, although all four Slurm jobs completed"
    output = (tmp_path / "output").read_text()
    assert "2 of 4 runs failed; run the same command to try again:" in output
    warned, other, *failed = records(tmp_path)
    assert [warned["status"], other["status"]] == ["FINISHED", "FINISHED"]
    assert [run["status"] for run in failed] == ["FAILED", "FAILED"]
    assert len(warned["resumed"]) == 1
    assert warned["resumed"][0]["epoch"] > 5, "it resumed where it was warned"
    assert {run["environment"]["threads"] for run in (warned, other)} == {1}
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    assert command(undisturbed, "train.py", *SWEEP, *LONG, "threads=1").returncode == 0
    assert warned["digests"]["weights"] == records(undisturbed)[0]["digests"]["weights"]


def test_a_cancelled_job_is_listed_and_the_same_command_resumes(tmp_path: Path) -> None:
    process, array = start(tmp_path, "seed=0,1")
    wait_for(lambda: bool(records(tmp_path)) and len(records(tmp_path)[0]["epochs"]) > 5, process)
    subprocess.run(["scancel", f"{array}_0"], check=True)
    assert process.wait(timeout=300) == 1
    output = (tmp_path / "output").read_text()
    assert "1 of 2 runs failed" in output
    assert "it was stopped and saved its state" in output
    assert [run["status"] for run in records(tmp_path)] == ["KILLED", "FINISHED"]
    process, _ = start(tmp_path, "seed=0,1")
    assert process.wait(timeout=300) == 0
    assert "1 done, 1 resume" in (tmp_path / "output").read_text()
    assert [run["status"] for run in records(tmp_path)] == ["FINISHED", "FINISHED"]
    assert len(records(tmp_path)[0]["resumed"]) == 1


def test_jobs_rejected_by_sbatch_give_one_message(tmp_path: Path) -> None:
    result = command(tmp_path, "train.py", "-m", *SWEEP, *SLURM, "seed=0,1", "hydra.launcher.partition=nowhere")
    assert result.returncode == 2
    assert "hydra/launcher=slurm: sbatch rejected the jobs" in result.stderr
    assert "invalid partition" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_search_makes_the_same_trials_on_slurm_as_without(tmp_path: Path) -> None:
    tuned = ["tuning=learning_rate", "tuning.trials=4", "tuning.batch=2", "seed=0", "tracking=off"]
    found = []
    for name, launcher in (("slurm", SLURM), ("basic", ["threads=1"])):
        (tmp_path / name).mkdir()
        result = command(tmp_path / name, "train.py", "-m", *SWEEP, *tuned, *launcher)
        assert result.returncode == 0, result.stderr + result.stdout
        found.append(records(tmp_path / name))
    assert [len(each) for each in found] == [5, 5]
    assert [_without_times(run) for run in found[0]] == [_without_times(run) for run in found[1]]


def _without_times(run: dict[str, Any]) -> tuple[Any, ...]:
    config = run["config"]
    losses = [epoch["train/loss"] for epoch in run["epochs"]]
    return config["optimizer"]["learning_rate"], config["tuning"]["trial"], run["status"], losses
