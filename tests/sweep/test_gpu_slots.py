"""Each of several processes gets a GPU."""

import subprocess
import sys
from pathlib import Path

import pytest

from activation_study.sweep import gpu_slots

HOLD_SCRIPT = """
import os, sys
from pathlib import Path
from activation_study.sweep.gpu_slots import acquire_gpu
acquire_gpu(sys.argv[2].split(","), int(sys.argv[3]), Path(sys.argv[1]))
print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
sys.stdin.read()
"""


def start_holders(lock_folder: Path, gpus: str, jobs_per_gpu: int, count: int) -> list[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD_SCRIPT, str(lock_folder), gpus, str(jobs_per_gpu)]
    return [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)]


def test_each_process_has_one_gpu_until_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_slots, "_held", [])
    processes = start_holders(tmp_path, "3,5", 2, 4)
    taken = sorted(process.stdout.readline().strip() for process in processes if process.stdout)
    assert taken == ["3", "3", "5", "5"]
    assert not gpu_slots.acquire_gpu(["3", "5"], 2, tmp_path)
    for process in processes:
        process.communicate()
    (again,) = start_holders(tmp_path, "3,5", 1, 1)
    assert again.communicate()[0].strip() == "3"


def test_only_visible_gpus_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu_slots, "gpu_capabilities", lambda: (9.0, 9.0))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpu_slots.visible_gpus() == ("0", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    assert gpu_slots.visible_gpus() == ("GPU-a", "GPU-b")


def test_without_gpus_nothing_is_locked(tmp_path: Path) -> None:
    assert gpu_slots.acquire_gpu([], 1, tmp_path / "none")
    assert not (tmp_path / "none").exists()
