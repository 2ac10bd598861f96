"""`seeds=auto` on the command line: the experiment's seeds give way to the planned looks."""

from pathlib import Path

import pytest

from mistyped import Line, answer  # in benchmarks/


def test_the_plan_has_the_runs_of_the_first_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = answer(Line("train", ("experiment=demo", "seeds=auto", "dry_run=true")))
    assert given.code == 0, given.error
    output = " ".join(given.output.split())
    assert "15 runs of multirun/demo: 15 new" in output
    looks = "Planned looks at 5, 7, 9, 11, 13, 16 and 20 seeds, 2 contrasts: 15 runs up to the first look, at most 60."
    assert looks in output
    assert not (tmp_path / "multirun").exists()


def test_looks_of_the_command_line_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = ("-m", "data=scenes", "label_type=surfaces", "activation=relu,mish", "seeds=auto")
    given = answer(Line("train", (*sweep, "comparison.looks=[3,4]", "dry_run=true")))
    assert given.code == 0, given.error
    looks = "Planned looks at 3 and 4 seeds, 1 contrast: 6 runs up to the first look, at most 8."
    assert looks in " ".join(given.output.split())
