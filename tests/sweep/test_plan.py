"""The status of runs, and the plan of a sweep."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from omegaconf import DictConfig

import hydra_compose
from activation_study.config.identity import identity
from activation_study.config.schema import resolved
from activation_study.config.scored_weights import WEIGHTS, weights_file
from activation_study.errors import BadInput
from activation_study.records.consistency import Contradiction
from activation_study.records.lock import run_lock
from activation_study.records.record import Record, Status, read_record
from activation_study.records.source_code import code_digest
from activation_study.runs.execute import run
from activation_study.sweep.plan import Job, make_job, make_plan
from activation_study.sweep.plan_table import show_plan
from activation_study.sweep.status import RunStatus, mark_stale_runs
from activation_study.validation import from_hydra


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def composed(overrides: Sequence[str]) -> DictConfig:
    return hydra_compose.composed(["data=scenes", "data.count=6", "training.epochs=10", *overrides])


def write_run(status: Status, *overrides: str, epochs: int = 5) -> Path:
    """Writes a run folder as a process would have left it."""
    config = from_hydra(composed(overrides))
    digests = {"code": code_digest(), "data": "d"}
    record = Record(config.run_name, config.study, identity(resolved(config)), resolved(config), [], [], {}, digests)
    record.results = {"test/mean_iou": 0.5, "evaluation_seconds": 20.0}
    record.epochs = [{"epoch_seconds": 60.0, "time": 1000.0 + n} for n in range(epochs)]
    record.status = status
    record.write(config.run_folder)
    return config.run_folder


def job(*overrides: str) -> Job:
    return make_job(overrides, from_hydra(composed(overrides)))


def test_the_status_comes_from_the_run_folder_and_its_lock() -> None:
    for number, status in enumerate(("FINISHED", "FAILED", "KILLED", "RUNNING")):
        write_run(status, f"seed={number}")  # type: ignore[arg-type]
    statuses = [job(f"seed={seed}").status for seed in range(5)]
    assert statuses == [RunStatus.DONE, RunStatus.FAILED, RunStatus.RESUMABLE, RunStatus.RESUMABLE, RunStatus.NEW]
    with run_lock(from_hydra(composed(["seed=3"])).run_folder):
        assert job("seed=3").status == RunStatus.RUNNING


def test_a_folder_with_the_record_of_another_run_is_refused() -> None:
    folder = write_run("KILLED", "seed=0")
    other = from_hydra(composed(["seed=0", "training.learning_rate=0.01"]))
    folder.rename(other.run_folder)
    with pytest.raises(Contradiction, match=r"the record of another run, [0-9a-f]{8}; this folder is that of"):
        job("seed=0", "training.learning_rate=0.01")
    with pytest.raises(Contradiction, match="the record of another run"):
        run(other, [])
    assert job("seed=0", "training.learning_rate=0.01", "rerun=all").to_do


def test_a_record_with_another_configuration_is_refused() -> None:
    folder = write_run("KILLED", "seed=0")
    content = json.loads((folder / "run.json").read_text())
    content["config"]["optimizer"]["learning_rate"] = 0.01
    (folder / "run.json").write_text(json.dumps(content))
    with pytest.raises(Contradiction, match="the record of another run"):
        job("seed=0")


@pytest.mark.parametrize(
    ("rerun", "launched"),
    [("failed", {1, 2, 3}), ("none", {2, 3}), ("all", {0, 1, 2, 3})],
)
def test_rerun_affects_only_ended_runs(rerun: str, launched: set[int]) -> None:
    for number, status in enumerate(("FINISHED", "FAILED", "KILLED")):
        write_run(status, f"seed={number}")  # type: ignore[arg-type]
    assert {seed for seed in range(4) if job(f"seed={seed}", f"rerun={rerun}").to_do} == launched


def test_the_plan_counts_runs_and_estimates_time_and_disk(capsys: pytest.CaptureFixture[str]) -> None:
    write_run("FINISHED", "seed=0", epochs=8)
    write_run("KILLED", "seed=1", epochs=3)
    show_plan(
        make_plan([[f"activation={name}", f"seed={seed}"] for name in ("relu", "mish") for seed in (0, 1)], composed)
    )
    output = capsys.readouterr().out
    assert "4 runs of multirun/default: 1 done, 1 resume, 2 new" in output
    rows = {line.split("│")[3].strip(): line.split("│") for line in output.splitlines() if "│" in line}
    relu, mish = ([cell.strip() for cell in rows[name]] for name in ("relu", "mish"))
    assert relu[4:8] == ["1", "1", "", "5 min"]  # 5 epochs of 60 s are left, plus 20 s of evaluation
    assert mish[4:8] == ["", "", "2", "17 min"]  # twice 8 epochs, as many as the other activation took
    assert "resumes from its last checkpoint, at or before epoch 3" in output
    assert relu[8] == "630 MB"  # 39.4 million float32 weights, three times in the run folder and once in MLflow


@pytest.mark.parametrize(("at_once", "duration"), [(2, "8 min"), (4, "5 min")])
def test_the_plan_tells_when_runs_at_once_have_finished(
    at_once: int, duration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run("FINISHED", "seed=0")  # 5 epochs of 60 s, 20 s of evaluation
    show_plan(make_plan([[f"seed={seed}"] for seed in range(4)], composed), at_once)
    told = f"With {min(at_once, 3)} runs at once, all of them take about {duration}."
    assert told in capsys.readouterr().out  # not less than one run takes


def test_one_run_at_a_time_needs_no_further_line(capsys: pytest.CaptureFixture[str]) -> None:
    write_run("FINISHED", "seed=0")
    show_plan(make_plan([["seed=0"], ["seed=1"]], composed))
    assert "at once" not in capsys.readouterr().out


def test_runs_of_different_code_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run("FINISHED", "seed=0")
    write_run("FINISHED", "seed=1")
    values = json.loads((folder / "run.json").read_text())
    values["digests"]["code"] = "another"
    (folder / "run.json").write_text(json.dumps(values))
    show_plan(make_plan([["seed=0"], ["seed=1"]], composed))
    assert f"note: 1 run used different code: {folder.name}; rerun=all trains them again" in capsys.readouterr().out
    planned = [[f"seed={seed}", "comparison.looks=[3,5]", "seeds=auto"] for seed in (0, 1)]
    show_plan(make_plan(planned, composed))
    told = f"note: 1 run used different code: {folder.name}; deleting their folders trains them again"
    assert told in capsys.readouterr().out


def test_a_run_of_a_dead_process_is_marked_as_killed() -> None:
    dead, alive = write_run("RUNNING", "seed=0"), write_run("RUNNING", "seed=1")
    write_run("FINISHED", "seed=2")
    with run_lock(alive):
        assert mark_stale_runs(dead.parent) == [dead]
        record = read_record(dead)
        assert record is not None
        assert (record.status, record.ended) == ("KILLED", 1004.0)
        assert record.error == "its process died (killed? Ctrl-C twice? out of memory?) after epoch 5"
        other = read_record(alive)
        assert other is not None
        assert other.status == "RUNNING"


def test_a_run_that_reuses_weights_needs_no_training_time(capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run("FINISHED", "seed=0")  # 5 epochs of 60 s, 20 s of evaluation
    jobs = [
        job(f"seed={seed}", f"evaluation.interpolation={name}") for name in ("bilinear", "lanczos4") for seed in (0, 1)
    ]
    for there, minutes in ((False, "11"), (True, "5")):  # one of four trains: one is done, two reuse weights
        for name in WEIGHTS if there else ():
            (folder / weights_file(name)).touch()
        show_plan(jobs)
        total = next(line for line in capsys.readouterr().out.splitlines() if " all " in line)
        assert f"  {minutes} min " in total


def test_trials_of_a_search_are_one_row_and_take_the_time_of_other_rates(capsys: pytest.CaptureFixture[str]) -> None:
    tuned = ["tuning=learning_rate"]
    rates = [f"optimizer.learning_rate={rate}" for rate in (1e-3, 2e-3, 3e-3)]
    trials = [[*tuned, rate, "seed=1000", f"tuning.trial={number}"] for number, rate in enumerate(rates)]
    write_run("FINISHED", *trials[0], epochs=8)
    write_run("PRUNED", *trials[1], epochs=5)
    show_plan(make_plan([*trials, [*tuned, "optimizer.learning_rate=2e-3", "seed=0"]], composed))
    output = capsys.readouterr().out
    assert "4 runs of multirun/default: 1 done, 1 pruned, 2 new" in output
    rows = [[cell.strip() for cell in line.split("│")[3:-1]] for line in output.splitlines() if "│ relu" in line]
    assert [row[:6] for row in rows] == [
        ["relu", "search", "1", "1", "1", "8 min"],
        ["relu", "comparison", "", "", "1", "8 min"],
    ]


def test_arms_may_differ_in_the_tuned_keys_and_in_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    tuned = ["tuning=learning_rate", "seed=0"]
    rates = [["activation=relu", "optimizer.learning_rate=1e-3"], ["activation=mish", "optimizer.learning_rate=3e-3"]]
    show_plan(make_plan([[*tuned, *rate] for rate in rates], composed))
    assert "differ in more" not in capsys.readouterr().out
    sizes = ["training.batch_size=8", "training.batch_size=16"]
    show_plan(make_plan([[*tuned, *rate, size] for rate, size in zip(rates, sizes, strict=True)], composed))
    printed = " ".join(capsys.readouterr().out.split())
    assert "training.batch_size is 8 with relu, 16 with mish." in printed
    assert "learning_rate is" not in printed


def test_seeds_that_nothing_depends_on_are_refused() -> None:
    pinned = ["seeding.weights=0", "seeding.order=0", "seeding.augmentation=0"]
    with pytest.raises(BadInput, match=r"seed=0,1: the same run several times, since seeding\.weights"):
        make_plan([[f"seed={seed}", *pinned] for seed in (0, 1)], composed)
    assert len(make_plan([[f"seed={seed}", *pinned[:2]] for seed in (0, 1)], composed)) == 2
