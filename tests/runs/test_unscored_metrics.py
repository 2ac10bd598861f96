"""Metrics that finished runs were not scored by."""

from types import SimpleNamespace
from typing import Any

import pytest

from activation_study.runs.unscored_metrics import warn_of_unscored_metrics


def run(asked: list[str], scored: list[str] | None) -> Any:
    evaluation = {} if scored is None else {"metrics": scored}
    fixed = {"comparison": SimpleNamespace(looks=[]), "tuning": SimpleNamespace(space=None)}
    return (
        SimpleNamespace(evaluation=SimpleNamespace(metrics=asked), **fixed),
        SimpleNamespace(config={"evaluation": evaluation}),
    )


def test_finished_runs_that_lack_a_metric_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_unscored_metrics([run(["m.A"], ["m.A"]), run(["m.A", "m.B"], ["m.A"]), run(["m.A"], None)])
    printed = capsys.readouterr()
    assert "2 finished runs were scored without m.B, m.A: metrics that are asked for later" in printed.out + printed.err


def test_nothing_is_said_if_none_lacks_any(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_unscored_metrics([run([], None), run(["m.A"], ["m.A", "m.B"])])
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""
