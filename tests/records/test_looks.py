"""What is kept of the looks at a study's results."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from activation_study.errors import BadInput
from activation_study.records.looks import keep_look, read_looks


def look(seeds: int) -> dict[str, Any]:
    return {"at": 1.0 + seeds, "contrasts": [{"a": "mish", "b": "relu", "seeds": seeds}]}


def test_looks_of_several_processes_are_all_kept(tmp_path: Path) -> None:
    def keep(first: int) -> None:
        for seeds in range(first, first + 10):
            keep_look(tmp_path, look(seeds))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(keep, (100, 200, 300, 300)))
    kept = [each["contrasts"][0]["seeds"] for each in read_looks(tmp_path)["looks"]]
    assert sorted(kept) == [*range(100, 110), *range(200, 210), *range(300, 310)]


def test_a_look_that_is_kept_writes_nothing(tmp_path: Path) -> None:
    keep_look(tmp_path, look(5))
    (tmp_path / ".locks").rename(tmp_path / "moved")
    before = (tmp_path / "looks.json").stat().st_mtime_ns
    keep_look(tmp_path, {**look(5), "at": 9.0})
    assert (tmp_path / "looks.json").stat().st_mtime_ns == before
    assert not (tmp_path / ".locks").exists()


def test_a_look_at_other_runs_is_another_one(tmp_path: Path) -> None:
    def at_runs(runs: list[str]) -> dict[str, Any]:
        return {"at": 1.0, "contrasts": [{**look(3)["contrasts"][0], "runs": runs}]}

    for runs in (["a0", "b0"], ["a1", "b1"], ["a0", "b0"]):
        keep_look(tmp_path, at_runs(runs))
    assert [each["contrasts"][0]["runs"] for each in read_looks(tmp_path)["looks"]] == [["a0", "b0"], ["a1", "b1"]]


def test_a_process_that_never_ends_its_change_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from activation_study.records import lock

    monkeypatch.setattr(lock, "_CHANGE_TIMEOUT", 0.1)
    with (
        lock.changing(tmp_path / "looks.json"),
        pytest.raises(BadInput, match=r"looks\.json: another process has been"),
    ):
        keep_look(tmp_path, look(5))
