"""One process a run; the lock dies with its process."""

import subprocess
import sys
from pathlib import Path

import pytest

from activation_study.records.lock import RunLocked, is_locked, run_lock

HOLDER = """
import sys, time
from pathlib import Path
from activation_study.records.lock import taken
with taken(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_second_process_is_told_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "study" / "run"
    assert not is_locked(folder)
    assert not folder.parent.exists(), "looking leaves no trace"
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert is_locked(folder)
    assert not is_locked(tmp_path / "study" / "other")
    with pytest.raises(RunLocked, match="run: another process is at work"), run_lock(folder):
        pass
    process.kill()
    process.communicate()
    assert not is_locked(folder)
    folder.mkdir()
    with run_lock(folder):
        pass
    assert (tmp_path / "study" / ".locks" / "run.lock").exists()


def test_where_no_run_came_of_it_no_trace_is_left(tmp_path: Path) -> None:
    with run_lock(tmp_path / "study" / "run"):
        assert is_locked(tmp_path / "study" / "run")
    assert list(tmp_path.iterdir()) == []


def test_an_error_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(KeyError), run_lock(tmp_path / "run"):
        raise KeyError
    assert not is_locked(tmp_path / "run")
