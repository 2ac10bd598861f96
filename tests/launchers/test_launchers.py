"""What the launchers do without their engines: shares, refusals, the look at Slurm's queue."""

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from activation_study.errors import BadInput
from hydra_plugins import study_joblib, study_slurm
from hydra_plugins.study_joblib import StudyJoblibLauncher
from hydra_plugins.study_slurm import LOOKS, Queue, StudySlurmLauncher

SETTING: dict[str, Any] = {"hydra_context": None, "task_function": print, "config": None}


@pytest.mark.parametrize(
    ("cards", "told", "processes", "share"),
    [((), {}, 2, 4), ((), {"processes": 16}, 16, 1), (("0", "1", "2", "3"), {}, 4, 2),
     (("0", "1"), {"jobs_per_gpu": 2}, 4, 2), (("0", "1"), {"processes": 1}, 1, 8)],
)  # fmt: skip
def test_processes_share_cores_and_cards(
    monkeypatch: pytest.MonkeyPatch, cards: tuple[str, ...], told: dict[str, int], processes: int, share: int
) -> None:
    monkeypatch.setattr(study_joblib, "visible_gpus", lambda: cards)
    launcher = StudyJoblibLauncher(**told)
    launcher.setup(**SETTING)
    assert launcher._processes == processes
    assert launcher.threads(8) == share


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"processes": 0}, r"hydra.launcher.processes=0: expected 1 or more"),
        ({"jobs_per_gpu": 0}, r"hydra.launcher.jobs_per_gpu=0: expected 1 or more"),
        ({"processes": 3}, r"hydra.launcher.processes=3: 2 cards have room for 2"),
    ],
)
def test_what_joblib_cannot_do_is_said_before_anything_begins(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, int], message: str
) -> None:
    monkeypatch.setattr(study_joblib, "visible_gpus", lambda: ("0", "1"))
    with pytest.raises(BadInput, match=message):
        StudyJoblibLauncher(**told).setup(**SETTING)


def test_a_launcher_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    basic = study_joblib.BasicLauncher
    monkeypatch.setattr(study_joblib, "JoblibLauncher", basic)
    monkeypatch.setattr(study_slurm, "SlurmLauncher", basic)
    with pytest.raises(BadInput, match=r"pip install -e '\.\[joblib\]'"):
        StudyJoblibLauncher().setup(**SETTING)
    with pytest.raises(BadInput, match=r"pip install -e '\.\[slurm\]'"):
        StudySlurmLauncher(submitit_folder="x").setup(**SETTING)


def test_a_job_is_gone_when_several_answers_of_squeue_lack_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(0, "7_0\n7_1\n"), (0, ""), (1, ""), (0, "7_1\n"), (0, ""), (0, "")]
    asked = iter(answers)

    def squeue(*_: Any, **__: Any) -> Any:
        code, told = next(asked)
        return SimpleNamespace(returncode=code, stdout=told)

    monkeypatch.setattr(study_slurm, "SECONDS", -1.0)  # asks each time
    monkeypatch.setattr(subprocess, "run", squeue)
    Queue.answers.clear()
    found = [Queue.has("7_0") for _ in answers]
    assert LOOKS == 3
    assert found == [True, True, True, True, False, False], "an error is no answer"
