"""The heartbeat: rare, cheap, gone with its run."""

import json
from pathlib import Path

import pytest

from activation_study.records import heartbeat
from activation_study.records.heartbeat import HEARTBEAT_FILE, INTERVAL, Heartbeat, read_heartbeat


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(heartbeat.time, "monotonic", lambda: self.now)


def test_it_is_written_at_once_and_then_only_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, beats = Clock(monkeypatch), Heartbeat(tmp_path)
    beats.beat("training", epoch=1, step=5, loss=0.5)
    assert read_heartbeat(tmp_path).items() >= {"phase": "training", "epoch": 1, "step": 5, "loss": 0.5}.items()
    assert read_heartbeat(tmp_path).keys() >= {"host", "pid", "time"}
    clock.now += INTERVAL - 1
    beats.beat("training", step=6)
    assert read_heartbeat(tmp_path)["step"] == 5
    clock.now += 1
    beats.beat("training", step=7)
    assert read_heartbeat(tmp_path)["step"] == 7


def test_on_a_slow_file_system_it_is_rarer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, beats = Clock(monkeypatch), Heartbeat(tmp_path)
    dumps = json.dumps

    def slow(content: object) -> str:
        clock.now += 0.1
        return dumps(content)

    monkeypatch.setattr(heartbeat.json, "dumps", slow)
    beats.beat("training", step=1)
    clock.now += 0.1 / heartbeat.MAX_FRACTION - 1
    beats.beat("training", step=2)
    assert read_heartbeat(tmp_path)["step"] == 1
    clock.now += 2
    beats.beat("training", step=3)
    assert read_heartbeat(tmp_path)["step"] == 3


def test_no_failure_to_write_reaches_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Heartbeat(tmp_path / "deleted").beat("training", step=1)
    assert not (tmp_path / "deleted").exists(), "a deleted run folder does not come back"

    def full(*arguments: object, **options: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(heartbeat, "replacing", full)
    Heartbeat(tmp_path).beat("training", step=1)
    assert read_heartbeat(tmp_path) == {}


def test_it_is_removed_and_a_damaged_one_counts_as_none(tmp_path: Path) -> None:
    beats = Heartbeat(tmp_path)
    beats.beat("training", step=1)
    beats.remove()
    beats.remove()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / HEARTBEAT_FILE).write_text("[1, 2")
    assert read_heartbeat(tmp_path) == {}
