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


def there() -> bool:
    return bool(which("sbatch")) and subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(not there(), reason="no Slurm here: .ci/slurm start FOLDER, and SLURM_CONF"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
SWEEP = [each for each in TINY if each != "threads=1"]
LONG = ["training.epochs=400", "training.early_stopping.patience=400", "training.checkpoint_minutes=60"]
SLURM = [
    "hydra/launcher=slurm", "hydra.launcher.cpus_per_task=1", "hydra.launcher.mem_gb=1",
    "hydra.launcher.timeout_min=30", "hydra.launcher.signal_delay_s=30",
]  # fmt: skip


def records(folder: Path) -> list[dict[str, Any]]:
    """By learning rate and seed."""
    found = [json.loads(path.read_text()) for path in folder.glob("multirun/tiny/*/run.json")]
    return sorted(found, key=lambda each: (each["config"]["training"]["learning_rate"], each["config"]["seed"]))


def wait_for(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 180
    while not true():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, subprocess.run(["squeue"], capture_output=True, check=False).stdout
        time.sleep(0.1)


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """The sweep, and the number of its array."""
    line = [sys.executable, "-u", str(ROOT / "train.py"), "-m", *SWEEP, *LONG, *SLURM, *arguments]
    with open(folder / "output", "w") as output:
        process = subprocess.Popen(line, stdout=output, stderr=subprocess.STDOUT, text=True, cwd=folder)
    pattern = re.compile(r"Slurm's array (\d+)")
    wait_for(lambda: bool(pattern.search((folder / "output").read_text())), process)
    found = pattern.search((folder / "output").read_text())
    assert found is not None
    return process, found[1]


def test_a_warned_job_is_queued_again_and_a_failed_one_told(tmp_path: Path) -> None:
    process, array = start(tmp_path, "training.learning_rate=1e-3,1e30", "seed=0,1")
    wait_for(lambda: bool(records(tmp_path)) and len(records(tmp_path)[0]["epochs"]) > 5, process)
    signals = []  # scancel asks again and again, since the job is gone too soon
    for name in ("TERM", "USR2"):  # as Slurm makes room; the state is saved before the second comes
        signals.append(subprocess.Popen(["scancel", f"--signal={name}", f"{array}_0"], stderr=subprocess.DEVNULL))
        time.sleep(2)
    wait_for(lambda: records(tmp_path)[0]["status"] == "KILLED", process)
    for each in signals:
        each.kill()
        each.wait()
    assert process.wait(timeout=400) == 1, "two of its runs failed, though Slurm saw four jobs end well"
    output = (tmp_path / "output").read_text()
    assert "2 of 4 runs failed; the same command tries them again:" in output
    warned, other, *failed = records(tmp_path)
    assert [warned["status"], other["status"]] == ["FINISHED", "FINISHED"]
    assert [each["status"] for each in failed] == ["FAILED", "FAILED"]
    assert len(warned["resumed"]) == 1
    assert warned["resumed"][0]["epoch"] > 5, "it went on from where it was warned"
    assert {each["environment"]["threads"] for each in (warned, other)} == {1}
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    assert command(undisturbed, "train.py", *SWEEP, *LONG, "threads=1").returncode == 0
    assert warned["digests"]["weights"] == records(undisturbed)[0]["digests"]["weights"]


def test_a_cancelled_job_is_told_and_the_same_command_goes_on(tmp_path: Path) -> None:
    process, array = start(tmp_path, "seed=0,1")
    wait_for(lambda: bool(records(tmp_path)) and len(records(tmp_path)[0]["epochs"]) > 5, process)
    subprocess.run(["scancel", f"{array}_0"], check=True)
    assert process.wait(timeout=300) == 1
    output = (tmp_path / "output").read_text()
    assert "1 of 2 runs failed" in output
    assert "it was stopped, and has saved what it had" in output
    assert [each["status"] for each in records(tmp_path)] == ["KILLED", "FINISHED"]
    process, _ = start(tmp_path, "seed=0,1")
    assert process.wait(timeout=300) == 0
    assert "1 done, 1 resume" in (tmp_path / "output").read_text()
    assert [each["status"] for each in records(tmp_path)] == ["FINISHED", "FINISHED"]
    assert len(records(tmp_path)[0]["resumed"]) == 1


def test_what_sbatch_refuses_is_said(tmp_path: Path) -> None:
    result = command(tmp_path, "train.py", "-m", *SWEEP, *SLURM, "seed=0,1", "hydra.launcher.partition=nowhere")
    assert result.returncode == 2
    assert "hydra/launcher=slurm: sbatch refuses the jobs" in result.stderr
    assert "invalid partition" in result.stderr
    assert "Traceback" not in result.stderr
