"""Output to a broken pipe or a full disk does not end the process; progress bars."""

import subprocess
import sys
import time

import pytest
from rich.console import Console

from activation_study import console
from activation_study.console import announced_wait, shows_bars, track_progress

PROGRAM = """
import sys
from activation_study.console import ignore_broken_pipes
ignore_broken_pipes()
for number in range(20000):
    print("a line", number)
    print("an error", number, file=sys.stderr)
sys.stdout.flush()
open(sys.argv[1], "w").write("reached the end")
"""


def test_a_broken_pipe_does_not_stop_the_process(tmp_path) -> None:
    output = tmp_path / "output"
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(output)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "a line 0\n"
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert output.read_text() == "reached the end"


def test_a_full_disk_does_not_stop_the_process(tmp_path) -> None:
    output = tmp_path / "output"
    with open("/dev/full", "w") as full:
        result = subprocess.run([sys.executable, "-c", PROGRAM, str(output)], stdout=full, stderr=full, timeout=60)
    assert result.returncode == 0
    assert output.read_text() == "reached the end"


def test_progress_yields_all_items() -> None:
    assert list(track_progress([1, 2, 3], "items")) == [1, 2, 3]


def test_bars_need_a_terminal_with_a_cursor() -> None:
    assert shows_bars(Console(force_terminal=True, _environ={"TERM": "xterm"}))
    assert not shows_bars(Console(force_terminal=True, _environ={"TERM": "dumb"}))
    assert not shows_bars(Console(force_terminal=False))


def test_without_bars_progress_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(console, "FIRST_LINE", 0.0)
    assert list(track_progress(range(1000), "images")) == list(range(1000))
    assert capsys.readouterr().out == "  images: 1 of 1,000\n"  # the next one would be due after a minute


def test_a_long_wait_is_announced_and_a_short_one_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with announced_wait("extracting"):
        pass
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(console, "FIRST_LINE", 0.0)
    monkeypatch.setattr(console, "LINE_INTERVAL", 0.05)
    with announced_wait("extracting"):
        time.sleep(0.5)
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert (first, second) == ("  extracting …", "  extracting: 0 s so far")
