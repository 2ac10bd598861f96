"""`watch`: the table, and when it ends."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from activation_study.config.command_options import Watch
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.records.lock import run_lock
from activation_study.records.sweep_lock import sweep_locks
from activation_study.sweep.status import RunStatus
from activation_study.sweep.watching.run_states import RunState
from activation_study.sweep.watching.states_table import states_table
from activation_study.sweep.watching.watch import watch
from cli_runner import ROOT, TINY
from fake_runs import ELSEWHERE, HERE, write_planned, write_run, write_running

LINE = [sys.executable, "-m", "activation_study", "watch", "study=s"]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **variables}


def test_the_table_has_every_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / "s"
    write_running(study, 0, ELSEWHERE, ago=5, loss=0.7, seconds=45.0)
    write_run(study, "mish", 0)
    write_planned(study, ["surfaces-mish-seed1-0"])
    watch(Watch("s", str(tmp_path), once=True))
    output = capsys.readouterr().out
    assert "1 done, 1 new, 1 running" in " ".join(output.split()), "a long path wraps the line"
    row = next(line for line in output.splitlines() if "surfaces-relu-seed0" in line)
    assert [cell.strip() for cell in row.split("│")[2:-1]] == [
        *("running", "2/10 (75%)", "0.7000", "0.400", "≤ 8 min", "5 s ago", ELSEWHERE)
    ]


def test_it_goes_on_while_a_sweep_may_add_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, over = tmp_path / "s", threading.Event()
    write_run(study, "mish", 0)
    thread = threading.Thread(target=lambda: (watch(Watch("s", str(tmp_path), interval=0.05)), over.set()))
    with sweep_locks([study]):
        thread.start()
        assert not over.wait(0.5)
        write_run(study, "mish", 1)
        assert not over.wait(0.5)
    assert over.wait(10)
    assert "2 done" in capsys.readouterr().out


def test_a_table_of_no_runs_is_empty(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(states_table(tmp_path / "s", [], 80, 24))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_each_run_has_one_line_that_fits(
    width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "s"
    write_running(study, 0, ELSEWHERE, ago=5, loss=0.7, seconds=45.0)
    failed = write_run(study, "mish", 0, status="FAILED")
    record = json.loads((failed / "run.json").read_text())
    write_json(failed / "run.json", {**record, "error": f"out of memory: {'a smaller batch ' * 20}\nmore"})
    write_planned(study, [f"surfaces-relu-lr3e-4-kernel_size5-seed{seed}-0123abcd" for seed in range(1, 30)])
    monkeypatch.setenv("COLUMNS", str(width))
    watch(Watch("s", str(tmp_path), once=True))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines[-33:])) <= width
    assert len([line for line in lines if re.search("seed[0-9]+(-| ).*│ *(running|new|failed)", line)]) == 31
    assert "out of memory" in lines[-1]


def test_a_low_terminal_shows_what_runs_and_fails_and_counts_the_others(tmp_path: Path) -> None:
    states = [
        *(RunState(f"run{number}", tmp_path, RunStatus.NEW) for number in range(30)),
        RunState("broken", tmp_path, RunStatus.FAILED, reason="out of memory"),
        *(RunState(f"done{number}", tmp_path, RunStatus.DONE) for number in range(3)),
        RunState("busy", tmp_path, RunStatus.RUNNING),
    ]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(states_table(Path("s"), states, 80, 24))
    text = console.export_text()
    assert len(text.splitlines()) <= 23
    assert "busy" in text
    assert "broken: out of memory\n… and 19 more: 3 done, 16 new" in text


def test_a_study_without_runs_is_answered_with_those_that_have_some(tmp_path: Path) -> None:
    write_run(tmp_path / "other", "relu", 0)
    with pytest.raises(BadInput, match=r"s: no runs yet; start some with .* study=s`, or watch .*: other"):
        watch(Watch("s", str(tmp_path)))


def test_without_a_terminal_changes_are_printed_until_all_have_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_running(tmp_path / "s", 0, HERE, ago=0)

    def finish() -> None:
        time.sleep(0.3)
        record = json.loads((folder / "run.json").read_text())
        write_json(folder / "run.json", {**record, "status": "FINISHED", "ended": time.time()})

    with run_lock(folder):
        thread = threading.Thread(target=finish)
        thread.start()
        watch(Watch("s", str(tmp_path), interval=0.1))
        thread.join()
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(": ")[2] for line in lines[:2]] == ["running, epoch 2/10 (75%)", "done, epoch 1/10"]
    assert lines[2:] == ["1 done"]


@pytest.mark.integration
def test_in_a_terminal_q_ends_it_and_the_terminal_is_as_before(tmp_path: Path) -> None:
    write_running(tmp_path / "multirun/s", 0, ELSEWHERE, ago=0)
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        LINE, stdin=end, stdout=end, stderr=end, cwd=tmp_path, env=environment(TERM="xterm", COLUMNS="120", LINES="30")
    )
    os.close(end)
    output = b""
    while b"running" not in output:
        output += os.read(terminal, 10000)
    os.write(terminal, b"q")
    with suppress(OSError):  # the other end is closed
        while True:
            output += os.read(terminal, 10000)
    os.close(terminal)
    assert process.wait(timeout=20) == 0
    assert b"Traceback" not in output


@pytest.mark.integration
@pytest.mark.parametrize("arguments", [["--once"], ["once=true"], ["--json"]])
def test_once_is_plain_text_and_starts_without_heavy_imports(arguments: list[str], tmp_path: Path) -> None:
    write_running(tmp_path / "multirun/s", 0, ELSEWHERE, ago=0)
    line = [sys.executable, "-X", "importtime", *LINE[1:], *arguments]
    result = subprocess.run(
        line, capture_output=True, text=True, cwd=tmp_path, env=environment(TERM="dumb"), timeout=60, check=True
    )
    imported = {text.rpartition("|")[2].strip().split(".")[0] for text in result.stderr.splitlines()}
    assert "rich" in imported
    assert not imported & {"tensorflow", "keras", "mlflow", "cv2", "matplotlib", "scipy"}
    assert "\x1b" not in result.stdout
    if arguments == ["--json"]:
        answer = json.loads(result.stdout)
        assert (answer["kind"], answer["counts"]["running"], answer["runs"][0]["host"]) == ("watch", 1, ELSEWHERE)
    else:
        assert "1 running" in result.stdout


@pytest.mark.integration
def test_a_real_sweep_is_followed_to_its_end(tmp_path: Path) -> None:
    sweep = [sys.executable, str(ROOT / "train.py"), "-m", *TINY, "seed=0,1", "study=s", "tracking=off"]
    process = subprocess.Popen(sweep, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "multirun/s/.sweeps/planned.json").exists():
        assert process.poll() is None
        time.sleep(0.1)
    line = [*LINE, "interval=0.1"]
    result = subprocess.run(
        line, capture_output=True, text=True, cwd=tmp_path, env=environment(), timeout=120, check=True
    )
    assert process.wait(timeout=60) == 0
    first, second = (f"surfaces-relu-seed{seed}" for seed in (0, 1))
    for name in (first, second):
        statuses = [line.split(": ")[1].split(",")[0] for line in result.stdout.splitlines() if name in line]
        assert statuses == [*(["new"] if statuses[0] == "new" else []), "running", "done"]
    assert result.stdout.endswith("2 done\n")
    assert not list(tmp_path.rglob(".heartbeat.json")), "heartbeats end with their runs"
