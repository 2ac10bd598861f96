"""The launchers without joblib and Slurm: processes and threads, rejected options, polling of Slurm's queue."""

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from activation_study.errors import BadInput
from hydra_plugins import study_joblib, study_slurm
from hydra_plugins.study_joblib import StudyJoblibLauncher
from hydra_plugins.study_slurm import POLLS, Queue, StudySlurmLauncher

SETTING: dict[str, Any] = {"hydra_context": None, "task_function": print, "config": OmegaConf.create()}


@pytest.mark.parametrize(
    ("gpus", "options", "processes", "threads"),
    [((), {}, 2, 4), ((), {"processes": 16}, 16, 1), (("0", "1", "2", "3"), {}, 4, 2),
     (("0", "1"), {"jobs_per_gpu": 2}, 4, 2), (("0", "1"), {"processes": 1}, 1, 8)],
)  # fmt: skip
def test_processes_share_cores_and_gpus(
    monkeypatch: pytest.MonkeyPatch, gpus: tuple[str, ...], options: dict[str, int], processes: int, threads: int
) -> None:
    monkeypatch.setattr(study_joblib, "visible_gpus", lambda: gpus)
    launcher = StudyJoblibLauncher(**options)
    launcher.setup(**SETTING)
    assert launcher._processes == processes
    assert launcher.threads(8) == threads


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"processes": 0}, r"hydra.launcher.processes=0: expected 1 or more"),
        ({"jobs_per_gpu": 0}, r"hydra.launcher.jobs_per_gpu=0: expected 1 or more"),
        ({"processes": 3}, r"hydra.launcher.processes=3: expected 2 or fewer with 2 GPUs; .*jobs_per_gpu=2$"),
        ({"processes": 6}, r"hydra.launcher.processes=6: expected 2 or fewer with 2 GPUs; .*jobs_per_gpu=3$"),
    ],
)
def test_invalid_joblib_options_are_rejected_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, int], message: str
) -> None:
    monkeypatch.setattr(study_joblib, "visible_gpus", lambda: ("0", "1"))
    with pytest.raises(BadInput, match=message):
        StudyJoblibLauncher(**options).setup(**SETTING)


@pytest.mark.parametrize(("processes", "jobs", "workers"), [(1, 3, 1), (4, 1, 2), (4, 3, 3), (2, 5, 2)])
def test_a_single_job_runs_in_a_worker_too_so_that_the_sweep_itself_takes_no_gpu(
    processes: int, jobs: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    launcher, given = StudyJoblibLauncher(processes=processes), list[dict[str, Any]]()
    monkeypatch.setattr(StudyJoblibLauncher.__base__, "launch", lambda self, *_: given.append(self.joblib) or [])
    launcher.launch([[f"seed={seed}"] for seed in range(jobs)], 0)
    assert [each["n_jobs"] for each in given] == [workers]


def test_a_launcher_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    basic = study_joblib.Launcher
    monkeypatch.setattr(study_joblib, "JoblibLauncher", basic)
    monkeypatch.setattr(study_slurm, "SlurmLauncher", basic)
    with pytest.raises(BadInput, match=r"pip install -e '\.\[joblib\]'"):
        StudyJoblibLauncher().setup(**SETTING)
    with pytest.raises(BadInput, match=r"pip install -e '\.\[slurm\]'"):
        StudySlurmLauncher(submitit_folder="x").setup(**SETTING)


def test_a_job_has_ended_when_it_is_missing_from_several_answers_of_squeue(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(0, "7_0\n7_1\n"), (0, ""), (1, ""), (0, "7_1\n"), (0, ""), (0, "")]
    remaining = iter(answers)

    def squeue(*_: Any, **__: Any) -> Any:
        code, output = next(remaining)
        return SimpleNamespace(returncode=code, stdout=output)

    monkeypatch.setattr(study_slurm, "POLL_SECONDS", -1.0)  # polls at every call
    monkeypatch.setattr(subprocess, "run", squeue)
    Queue.answers.clear()
    queued = [Queue.has("7_0") for _ in answers]
    assert POLLS == 3
    assert queued == [True, True, True, True, False, False], "a failed call does not count"


def test_slurm_rejects_a_password_on_the_command_line_because_submitit_stores_it() -> None:
    pytest.importorskip("submitit")
    launcher = StudySlurmLauncher(cpus_per_task=1)
    with pytest.raises(BadInput, match="stores the command line in files, and it has a password"):
        launcher.launch([["seed=0", "tracking.uri=http://ada:hunter2@host"]], 0)
