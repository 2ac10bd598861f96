"""Plan, launch and account of a sweep, with jobs that only pretend to train."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

import hydra_compose
from activation_study.config.identity import identity
from activation_study.config.schema import resolved
from activation_study.errors import BadInput
from activation_study.records.record import Record, Status
from activation_study.sweep.plan import make_plan
from activation_study.sweep.run_sweep import run_sweep
from activation_study.validation import from_hydra


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def composed(overrides: Sequence[str]) -> DictConfig:
    return hydra_compose.composed(["data=scenes", "data.count=6", "data.image_size=32", *overrides])


def pretend(overrides: Sequence[str], status: Status = "FINISHED", error: str | None = None) -> None:
    config = from_hydra(composed(overrides))
    results = {"test/mean_iou": 0.5, "test/article/mean_iou": 0.4, "evaluation_seconds": 1.0}
    record = Record(
        config.run_name, "s", identity(resolved(config)), resolved(config), [], [], {}, {"code": "c", "data": "d"}
    )
    record.results, record.epochs = results, [{"epoch_seconds": 2.0, "time": 0.0}]
    record.end(config.run_folder, status, error)


class Launcher:
    """Pretends to run jobs: `fates` by seed, FINISHED if not named."""

    def __init__(self, **fates: str) -> None:
        self.fates, self.launched = fates, list[list[str]]()

    def __call__(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        self.launched = [list(job) for job in jobs]
        returned = []
        for job in jobs:
            fate = next((fate for seed, fate in self.fates.items() if f"seed={seed[1:]}" in job), "FINISHED")
            result = JobReturn(status=JobStatus.COMPLETED)
            if fate == "raises":
                result.status, result.return_value = JobStatus.FAILED, OSError("disk full\nmore")
            elif fate == "refuses":
                result.status, result.return_value = JobStatus.FAILED, BadInput("run: threads then 1, now 2")
            elif fate != "vanishes":
                pretend(job, fate, "ValueError: no" if fate == "FAILED" else None)  # type: ignore[arg-type]
            returned.append(result)
        return returned


JOBS = [["seed=0"], ["seed=1"], ["seed=2"]]


def test_only_what_is_not_finished_is_launched(capsys: pytest.CaptureFixture[str]) -> None:
    pretend(["seed=1"])
    launch = Launcher()
    run_sweep(JOBS, composed, launch)
    assert [job[:2] for job in launch.launched] == [
        ["seed=0", "sweep.position='1 of 2'"],
        ["seed=2", "sweep.position='2 of 2'"],
    ]
    assert "3 runs of multirun/default: 1 done, 2 new" in capsys.readouterr().out


def test_a_failed_run_is_tried_again() -> None:
    pretend(["seed=1"], "FAILED", "ValueError: no")
    launch = Launcher()
    run_sweep(JOBS, composed, launch)
    assert len(launch.launched) == 3


def test_failures_are_listed_with_their_first_line_and_the_exit_code_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_code:
        run_sweep(JOBS, composed, Launcher(s0="FAILED", s1="raises", s2="vanishes"))
    assert exit_code.value.code == 1
    said = capsys.readouterr().out
    for reason in ("3 of 3 runs failed", "ValueError: no", "disk full\n", "ended without a word"):
        assert reason in said
    assert "disk full\nmore" not in said


def test_jobs_that_are_only_refused_end_with_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_code:
        run_sweep(JOBS, composed, Launcher(s1="refuses"))
    assert exit_code.value.code == 2
    assert "1 of 3 runs refused:\n  run: threads then 1, now 2\n" in capsys.readouterr().out


def test_nothing_is_launched_when_one_job_cannot_be_used() -> None:
    launch = Launcher()
    with pytest.raises(BadInput, match="seed=-1"):
        run_sweep([["seed=0"], ["seed=-1"]], composed, launch)
    assert launch.launched == []


def test_two_jobs_that_are_the_same_run_are_refused() -> None:
    with pytest.raises(BadInput, match="threads=1 and threads=2 are the same run"):
        make_plan([["threads=1"], ["threads=2"]], composed)
