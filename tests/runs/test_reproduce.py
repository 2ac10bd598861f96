"""`reproduce.py` as a command: identical results, other threads, an edited record, a run that only MLflow has."""

import json
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from activation_study.config.command_options import DataLocation, Reproduce
from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.errors import BadInput
from activation_study.records.record import Record
from activation_study.records.run import Run
from activation_study.runs.reproduce import _configuration, reproduce
from activation_study.validation import from_hydra
from cli_runner import TINY, command
from fake_runs import write_run
from hydra_compose import composed
from mlflow_runs import trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A project with one run: the project folder, the run folder and the MLflow run ID."""
    project = tmp_path_factory.mktemp("reproduction")
    result = command(project, "train.py", *TINY, "activation=mish", "tracking.weights=none")
    assert result.returncode == 0, result.stderr
    (folder,) = project.glob("multirun/tiny/surfaces-mish-*")
    return project, folder, runs(project, "tiny")[0].info.run_id


def runs(project: Path, study: str) -> list:
    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    return trained_runs(client, study) if client.get_experiment_by_name(study) else []


def test_a_run_is_reproduced_and_linked_both_ways(tracked: tuple[Path, Path, str]) -> None:
    project, folder, run_id = tracked
    before = (folder / "run.json").read_bytes()
    result = command(project, "reproduce.py", f"run={folder}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "backend, data and code are the same as recorded." in result.stdout
    assert "identical: 3 epochs, final weights and all confusion matrices" in result.stdout
    (reproduction,) = runs(project, "tiny/reproductions")
    assert reproduction.data.tags["reproduces"] == run_id
    assert reproduction.data.tags["verdict"] == "identical"
    original = MlflowClient(f"sqlite:///{project / 'mlflow.db'}").get_run(run_id)
    assert original.data.tags[f"reproduced_by.{reproduction.info.run_name}"] == f"{reproduction.info.run_id}: identical"
    new = project / "multirun/tiny/reproductions" / reproduction.info.run_name
    assert json.loads((new / "verdict.json").read_text())["verdict"] == "identical"
    assert json.loads((folder / "reproductions" / f"{new.name}.json").read_text())["verdict"] == "identical"
    assert (folder / "run.json").read_bytes() == before


def test_a_reproduction_that_was_killed_before_its_verdict_is_only_compared(tracked: tuple[Path, Path, str]) -> None:
    project, folder, _ = tracked
    (verdict,) = project.glob("multirun/tiny/reproductions/*-again1/verdict.json")
    verdict.unlink()
    result = command(project, "reproduce.py", f"run={folder}", "tracking.uri=null")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "already finished" in result.stdout
    assert "identical: 3 epochs" in result.stdout
    assert verdict.exists()


def test_a_different_thread_count_is_reported_before_and_after_training(tracked: tuple[Path, Path, str]) -> None:
    project, folder, _ = tracked
    result = command(project, "reproduce.py", f"run={folder}", "threads=2", "epochs=1", "tracking.uri=null")
    assert "threads (then 1, now 2)" in result.stdout.split("images of")[0]
    assert result.returncode in (0, 1)
    if result.returncode:
        assert "probable cause: threads (then 1, now 2)" in result.stdout


def test_recorded_variables_are_set_and_other_ones_are_named_as_the_cause(tmp_path: Path) -> None:
    trained = command(tmp_path, "train.py", *TINY, "tracking=off", TF_ENABLE_ONEDNN_OPTS="0")
    assert trained.returncode == 0, trained.stderr
    (folder,) = tmp_path.glob("multirun/tiny/surfaces-relu-*")
    # It sets the variable before it imports TensorFlow, which a forked process has imported already.
    same = command(tmp_path, "reproduce.py", f"run={folder}", "tracking.uri=null", fork=False)
    assert same.returncode == 0, same.stdout + same.stderr
    assert "Set as recorded: TF_ENABLE_ONEDNN_OPTS=0\n" in same.stdout
    assert "data and code are the same as recorded." in same.stdout
    variables = {"TF_ENABLE_ONEDNN_OPTS": "1", "XLA_FLAGS": "--xla_cpu_enable_fast_math=true"}
    other = command(tmp_path, "reproduce.py", f"run={folder}", "tracking.uri=null", **variables)
    assert "Set as recorded" not in other.stdout
    named = "TF_ENABLE_ONEDNN_OPTS (then 0, now 1)"
    assert named in other.stdout.split("images of")[0]
    assert "XLA_FLAGS (then not set, now --xla_cpu_enable_fast_math=true)" in other.stdout
    assert other.returncode == 1, other.stdout
    assert f"probable cause: {named}" in other.stdout


def test_an_edited_record_is_detected(tracked: tuple[Path, Path, str], tmp_path: Path) -> None:
    project, folder, _ = tracked
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    record = json.loads((copy / "run.json").read_text())
    record["epochs"][1]["val/mean_iou"] += 0.01
    record["environment"]["versions"]["keras"] = "0.1"
    (copy / "run.json").write_text(json.dumps(record))
    result = command(project, "reproduce.py", f"run={copy}", "tracking.uri=null")
    assert result.returncode == 1, result.stderr
    assert "different: first in epoch 2: val/mean_iou" in result.stdout
    assert "probable cause: keras (then 0.1," in result.stdout


def test_a_run_can_be_reproduced_from_mlflow_only(tracked: tuple[Path, Path, str], tmp_path: Path) -> None:
    project, folder, run_id = tracked
    moved = tmp_path / "moved"
    shutil.move(folder, moved)
    try:
        result = command(project, "reproduce.py", f"run={run_id[:12]}", "epochs=2")
        complete = command(project, "reproduce.py", f"run={run_id[:12]}")
    finally:
        shutil.move(moved, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "identical: 2 epochs\n" in result.stdout
    assert complete.returncode == 0, complete.stdout + complete.stderr
    assert "identical: 3 epochs, final weights and all confusion matrices" in complete.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "run=RUN is needed"),
        (["run=nowhere/at/all"], "expected a run folder, its name, an MLflow run ID, or the beginning of one of these"),
        (
            ["run=123e4567"],
            "no such folder, and no run ID in sqlite:///mlflow.db starts with it",
        ),
        (["run=."], "error: . is not a run folder"),
        (["run=abc", "tracking.uri=sqlite:///other.db"], "the MLflow store sqlite:///other.db does not exist"),
        (["run=abc", "epoch=3"], "epoch"),
        (["run=abc", "tracking.uri=http://127.0.0.1:9"], "http://127.0.0.1:9 cannot be read"),
    ],
)
def test_a_run_that_cannot_be_reproduced_is_rejected_with_one_message(
    tracked: tuple[Path, Path, str], arguments: list[str], message: str
) -> None:
    result = command(tracked[0], "reproduce.py", *arguments)
    assert result.returncode == 2, result.stdout
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tracked[0] / "other.db").exists()


def test_a_run_with_an_earlier_algorithm_is_rejected_before_anything_is_trained(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "s", "relu", 0, label_type="layers", algorithms={"nearest_labels": 1})
    content = json.loads((folder / "run.json").read_text())
    content["environment"] = {"git": {"commit": "a1b2c3d"}}
    (folder / "run.json").write_text(json.dumps(content))
    message = "something else: nearest_labels, then version 1, now 2. Use the code of the run: commit a1b2c3d"
    with pytest.raises(BadInput, match=message):
        reproduce(Reproduce(run=str(folder)))


def test_the_location_of_files_that_the_run_did_not_use_is_refused() -> None:
    config = {"data": {"format": "scenes"}, "training": {"epochs": 2}}
    run = Record("r", "s", "0" * 8, config, [], ["sky"], {"threads": 1}, {"data": "d"})
    options = Reproduce(run="r", data=DataLocation(images="images", groups="groups.csv"))
    with pytest.raises(BadInput, match=r"data\.images and data\.groups: r was made without"):
        _configuration(options, Run(run, Path("r")), None)


def shortened(tmp_path: Path, epochs: int) -> tuple[Run, Config]:
    """A run of so many epochs, and the configuration of a reproduction of its first two."""
    config = from_hydra(composed(["data=scenes", "schedule=cosine", f"training.epochs={epochs}", "study=s"]))
    record = Record("r", "s", "0" * 8, resolved(config), [], ["sky"], {"threads": 1}, {"data": "d"})
    run = Run(record, tmp_path / f"r{epochs}")
    return run, _configuration(Reproduce(run=str(run.folder), folder=str(tmp_path)), run, 2)


def test_a_shortened_reproduction_records_its_schedule_and_is_not_continued_by_that_of_another_run(
    tmp_path: Path,
) -> None:
    run, first = shortened(tmp_path, 8)
    assert resolved(first)["schedule_epochs"] == 8
    assert resolved(first)["training"]["epochs"] == 2
    begun = Record(
        first.run_name, first.study, identity(resolved(first)), resolved(first), [], [], {"threads": 1}, {"data": "d"}
    )
    begun.links["reproduces"] = str(run.folder)
    begun.end(first.run_folder, "KILLED")
    assert shortened(tmp_path, 8)[1].suffix == "-again1", "it goes on"
    assert shortened(tmp_path, 4)[1].suffix == "-again2", "the first epochs have the same configuration"
    again = _configuration(Reproduce(run="again", folder=str(tmp_path)), Run(begun, first.run_folder), None)
    assert again.schedule_epochs == 8
