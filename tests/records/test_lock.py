"""One process at a time works on a run; its lock is released when it ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from activation_study.records.lock import RunLocked, is_locked, run_lock

PROGRAM = """
import sys, time
from pathlib import Path
from activation_study.records.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_a_second_process_is_rejected_and_a_killed_one_releases_the_lock(tmp_path: Path) -> None:
    folder = tmp_path / "study" / "run"
    assert not is_locked(folder)
    assert not folder.parent.exists(), "testing the lock leaves no trace"
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    assert is_locked(folder)
    assert not is_locked(tmp_path / "study" / "other")
    with (
        pytest.raises(RunLocked, match="run: another process is already running this run; skipping it"),
        run_lock(folder),
    ):
        pass
    process.kill()
    process.communicate()
    assert not is_locked(folder)
    folder.mkdir()
    with run_lock(folder):
        pass
    assert (tmp_path / "study" / ".locks" / "run.lock").exists()


def test_without_a_run_folder_no_trace_is_left(tmp_path: Path) -> None:
    with run_lock(tmp_path / "study" / "run"):
        assert is_locked(tmp_path / "study" / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_exception_inside_the_block_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(KeyError), run_lock(tmp_path / "run"):
        raise KeyError
    assert not is_locked(tmp_path / "run")


def test_a_run_has_one_lock_whatever_its_readable_name(tmp_path: Path) -> None:
    alone, swept = (tmp_path / "study" / f"surfaces-relu-{part}-1b2c3d4e" for part in ("seed0", "lr3e-4-seed0"))
    with run_lock(alone):
        assert is_locked(swept)
        with pytest.raises(RunLocked), run_lock(swept):
            pass
        assert not is_locked(swept.with_name(f"{swept.name}-again1"))
        swept.mkdir()
    assert (tmp_path / "study" / ".locks" / "1b2c3d4e.lock").exists()
