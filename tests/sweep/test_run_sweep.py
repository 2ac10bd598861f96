"""Plan, launch and summary of a sweep, with simulated jobs."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig
from PIL import Image

import hydra_compose
from activation_study.config.identity import identity
from activation_study.config.schema import resolved
from activation_study.errors import BadInput
from activation_study.metrics import summary
from activation_study.records.artifacts import write_confusions
from activation_study.records.lock import run_lock
from activation_study.records.record import Record, Status
from activation_study.records.run import Run
from activation_study.records.sweep_lock import is_swept
from activation_study.sweep.describe import describe_sweep
from activation_study.sweep.plan import make_plan
from activation_study.sweep.run_sweep import run_sweep
from activation_study.validation import from_hydra


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def composed(overrides: Sequence[str]) -> DictConfig:
    return hydra_compose.composed(["data=scenes", "data.count=6", "data.image_size=32", *overrides])


def write_run(
    overrides: Sequence[str], status: Status = "FINISHED", error: str | None = None, evaluated: bool = True
) -> None:
    config = from_hydra(composed(overrides))
    classes, counts = ["sky"], np.ones((1, 2, 1), np.int64)
    record = Record(
        config.run_name, "s", identity(resolved(config)), resolved(config), [], classes, {}, {"code": "c", "data": "d"}
    )
    record.results = {**summary(counts, classes), "evaluation_seconds": 1.0, "best_epoch": 1.0}
    record.epochs = [{"epoch_seconds": 2.0, "time": 0.0}]
    if evaluated:
        write_confusions(Run(record, config.run_folder, counts, ("a",), ("h",)))
    record.end(config.run_folder, status, error)


class Launcher:
    """Simulates jobs: `outcomes` by seed, FINISHED for all others."""

    def __init__(self, **outcomes: str) -> None:
        self.outcomes, self.launched = outcomes, list[list[str]]()

    def __call__(self, jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        self.launched = [list(job) for job in jobs]
        returned = []
        for job in jobs:
            outcome = next(
                (outcome for seed, outcome in self.outcomes.items() if f"seed={seed[1:]}" in job), "FINISHED"
            )
            result = JobReturn(status=JobStatus.COMPLETED)
            if outcome == "raises":
                result.status, result.return_value = JobStatus.FAILED, OSError("disk full\nmore")
            elif outcome == "rejects":
                result.status, result.return_value = JobStatus.FAILED, BadInput("run: threads were 1, now 2")
            elif outcome != "dies":
                error = "ValueError: no" if outcome == "FAILED" else None
                write_run(job, outcome, error, evaluated=False)  # type: ignore[arg-type]
            returned.append(result)
        return returned


JOBS = [["seed=0"], ["seed=1"], ["seed=2"]]


def test_only_unfinished_runs_are_launched(capsys: pytest.CaptureFixture[str]) -> None:
    write_run(["seed=1"])
    launch = Launcher()
    run_sweep(JOBS, composed, launch)
    assert [job[:2] for job in launch.launched] == [
        ["seed=0", "sweep.position='1 of 2'"],
        ["seed=2", "sweep.position='2 of 2'"],
    ]
    assert "3 runs of multirun/default: 1 done, 2 new" in capsys.readouterr().out


def test_a_failed_run_is_launched_again() -> None:
    write_run(["seed=1"], "FAILED", "ValueError: no")
    launch = Launcher()
    run_sweep(JOBS, composed, launch)
    assert len(launch.launched) == 3


def test_failures_are_listed_with_their_first_line_and_the_exit_code_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_code:
        run_sweep(JOBS, composed, Launcher(s0="FAILED", s1="raises", s2="dies"))
    assert exit_code.value.code == 1
    output = capsys.readouterr().out
    for message in (
        "3 of 3 runs failed; run the same command to try again:",
        "ValueError: no",
        "disk full\n",
        "it was not started, or its process died (killed? Ctrl-C twice? out of memory?)",
    ):
        assert message in output
    assert "disk full\nmore" not in output


def test_rejected_runs_alone_give_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_code:
        run_sweep(JOBS, composed, Launcher(s1="rejects"))
    assert exit_code.value.code == 2
    assert "1 of 3 runs rejected:\n  run: threads were 1, now 2\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rerun", "hint"),
    [
        ("failed", "run the same command to try again:"),
        ("all", "run the same command without rerun=all to try again:"),
        ("none", "run the same command with rerun=failed to try again:"),
    ],
)
def test_the_hint_after_a_failure_repeats_the_failed_runs_alone(
    rerun: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run_sweep([[*job, f"rerun={rerun}"] for job in JOBS], composed, Launcher(s0="FAILED"))
    assert f"1 of 3 runs failed; {hint}" in capsys.readouterr().out


def folder_of(overrides: Sequence[str]) -> Path:
    return from_hydra(composed(overrides)).run_folder


def test_a_finished_run_is_done_while_another_process_copies_it() -> None:
    write_run(JOBS[0])
    launch = Launcher()
    with run_lock(folder_of(JOBS[0])):
        run_sweep(JOBS, composed, launch)
    assert [job[0] for job in launch.launched] == ["seed=1", "seed=2"]


def test_a_run_that_finished_is_not_told_as_running_while_another_process_copies_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with ExitStack() as copying:

        def launch(jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
            returned = Launcher()(jobs)
            copying.enter_context(run_lock(folder_of(JOBS[1])))
            return returned

        run_sweep(JOBS, composed, launch)
    assert "another process" not in capsys.readouterr().out


def test_each_job_knows_when_its_run_had_ended() -> None:
    write_run(JOBS[0])
    launch = Launcher()
    run_sweep([[*job, "rerun=all"] for job in JOBS[:2]], composed, launch)
    record = next(job for job in launch.launched if "seed=0" in job)
    (ended,) = [key.partition("=")[2] for key in record if key.startswith("sweep.ended=")]
    assert from_hydra(composed(record)).sweep.ended == float(ended) > 1e9
    assert "sweep.ended=null" in launch.launched[1]


def test_watch_sees_a_sweep_that_goes_on() -> None:
    study, seen = folder_of(JOBS[0]).parent, []

    def launch(jobs: Sequence[Sequence[str]]) -> list[JobReturn]:
        seen.append(is_swept(study))
        return Launcher()(jobs)

    run_sweep(JOBS, composed, launch)
    assert seen == [True]
    assert not is_swept(study)


def test_an_existing_report_is_shown_unless_a_run_of_another_command_is_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Path]()
    monkeypatch.setattr(
        "activation_study.sweep.sweep_report._report_study", lambda study_dir, _: made.append(study_dir)
    )
    for job in JOBS:
        write_run(job)
    page = folder_of(JOBS[0]).parent / "report" / "index.html"
    page.parent.mkdir()
    page.touch()
    run_sweep(JOBS, composed, Launcher())
    assert made == []
    write_run(["seed=3"])
    run_sweep(JOBS, composed, Launcher())
    assert made == [page.parents[1]]


def test_programs_read_the_status_that_the_record_has() -> None:
    (job,) = make_plan([JOBS[0]], composed)
    write_run(JOBS[0], "FAILED", "ValueError: no")
    (run,) = describe_sweep([job], [], [])["runs"]
    assert (run["status"], run["reason"]) == ("failed", "ValueError: no")


def test_nothing_is_launched_if_one_configuration_is_invalid() -> None:
    launch = Launcher()
    with pytest.raises(BadInput, match="seed=-1"):
        run_sweep([["seed=0"], ["seed=-1"]], composed, launch)
    assert launch.launched == []


def test_a_dry_run_finds_labels_that_the_classes_do_not_declare(tmp_path: Path) -> None:
    for part, value in (("images", 9), ("labels", 7)):
        (tmp_path / part).mkdir()
        for number in range(5):
            Image.new("L", (40, 40), value).save(tmp_path / part / f"{number}.png")
    (tmp_path / "classes.yaml").write_text("classes: [{name: a, id: 0}, {name: b, id: 1}]")
    own = ["data=folder", "data.images=images", "data.labels=labels", "data.classes=classes.yaml", "dry_run=true"]
    with pytest.raises(BadInput, match=r"undeclared ids, .* of all pixels, in 5 of 5 labels:\s+7: 8,000 pixels"):
        run_sweep([own], lambda given: hydra_compose.composed(["data.image_size=32", *given]), Launcher())


def test_a_choice_on_validation_over_several_folds_is_refused_before_the_first_run() -> None:
    chosen, launch = ["data.split=kfold", "comparison.chosen_on_validation=optimizer.learning_rate"], Launcher()
    with pytest.raises(BadInput, match="each fold is validated on the test images of another fold"):
        run_sweep([[*chosen, f"data.fold={fold}"] for fold in (0, 1)], composed, launch)
    assert launch.launched == []


def test_two_combinations_of_the_same_run_are_rejected() -> None:
    with pytest.raises(BadInput, match="threads=1 and threads=2 are the same run"):
        make_plan([["threads=1"], ["threads=2"]], composed)
