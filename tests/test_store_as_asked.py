"""Commands and their MLflow store, as a user meets them: lost, deleted, repeated and stopped runs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from activation_study.tracking.lookup import find_run
from cli_runner import ROOT, TINY, command

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
SWEEP = ("-m", *TINY, "seed=0,1", "tracking.weights=none")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a finished sweep of two runs. Do not change it."""
    project = tmp_path_factory.mktemp("swept")
    result = command(project, "train.py", *SWEEP)
    assert result.returncode == 0, result.stderr
    return project


@pytest.fixture
def project(swept: Path, tmp_path: Path) -> Path:
    shutil.copytree(swept, tmp_path / "project")
    return tmp_path / "project"


def runs(project: Path, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    """All runs but that of the study."""
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    found = client.search_runs([client.get_experiment_by_name("tiny").experiment_id], run_view_type=view)
    return [run for run in found if run.info.run_name != "tiny"]


def test_a_sweep_with_nothing_to_do_fills_a_store_that_was_deleted(project: Path) -> None:
    (project / "mlflow.db").unlink()
    shutil.rmtree(project / "mlruns")
    result = command(project, "train.py", *SWEEP)
    assert result.returncode == 0, result.stderr
    assert "2 done" in result.stdout
    assert [run.info.status for run in runs(project)] == ["FINISHED"] * 2


def test_a_single_finished_run_is_brought_back_too(project: Path) -> None:
    (project / "mlflow.db").unlink()
    result = command(project, "train.py", *TINY, "seed=1", "tracking.weights=none")
    assert "already finished" in result.stdout
    assert "mlflow ui" in result.stdout
    assert len(runs(project)) == 1


def test_a_run_deleted_in_the_page_is_named_and_comes_back_when_told_so(project: Path) -> None:
    run = runs(project)[0]
    MlflowClient(f"sqlite:///{project}/mlflow.db").delete_run(run.info.run_id)
    sweep = command(project, "train.py", *SWEEP)
    assert sweep.returncode == 0
    assert f"note: deleted in MLflow: {run.info.run_name}" in sweep.stdout
    left = command(project, "train.py", *TINY, "sync=true")
    assert left.returncode == 1
    assert "1 of 2 runs of tiny is in sqlite:///mlflow.db" in left.stdout
    assert (
        f"deleted in MLflow: {run.info.run_name}. `python train.py sync=all study=tiny` brings it back" in left.stdout
    )
    back = command(project, "train.py", *TINY, "sync=all")
    assert back.returncode == 0, back.stdout
    assert "2 of 2 runs of tiny are in sqlite:///mlflow.db" in back.stdout
    assert len(runs(project)) == 2


def test_a_deleted_experiment_comes_back_when_told_so(project: Path) -> None:
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    client.delete_experiment(client.get_experiment_by_name("tiny").experiment_id)
    left = command(project, "train.py", *TINY, "sync=true")
    assert left.returncode == 1
    assert "the experiment tiny was deleted in MLflow" in left.stdout
    untracked = command(project, "train.py", *TINY, "seed=2", "tracking.weights=none")
    assert untracked.returncode == 0
    assert untracked.stderr.count("`python train.py sync=all study=tiny` brings it back") == 1
    assert command(project, "train.py", *TINY, "sync=all").returncode == 0
    assert len(runs(project)) == 3


def test_a_repeated_run_takes_the_place_of_the_earlier_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (*TINY, "tracking.weights=none")
    assert command(tmp_path, "train.py", *arguments).returncode == 0
    (first,) = runs(tmp_path)
    assert command(tmp_path, "train.py", *arguments, "rerun=all").returncode == 0
    (second,) = runs(tmp_path)
    shutil.rmtree(tmp_path / "multirun")
    assert command(tmp_path, "train.py", *arguments).returncode == 0
    (third,) = runs(tmp_path)
    superseded_by = {run.info.run_id: run.data.tags["superseded_by"] for run in runs(tmp_path, ViewType.DELETED_ONLY)}
    assert superseded_by == {first.info.run_id: second.info.run_id, second.info.run_id: third.info.run_id}
    assert command(tmp_path, "train.py", *TINY, "sync=true").returncode == 0, "nothing was deleted by a person"
    assert find_run(first.info.run_id[:12], f"sqlite:///{tmp_path}/mlflow.db").run_id == first.info.run_id
    note = f"note: {first.info.run_id} is deleted in MLflow, superseded by {second.info.run_id}"
    assert note in capsys.readouterr().err


def train_and_stop(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command(project, "tests/stop_at.py", "5", f"sqlite:///{project}/mlflow.db", *arguments)


def test_a_run_stops_when_its_tag_says_so_and_goes_on_with_the_same_command(tmp_path: Path) -> None:
    arguments = (*TINY, "training.epochs=4", "tracking.weights=none")
    stopped = train_and_stop(tmp_path, *arguments)
    assert stopped.returncode == 143, stopped.stderr
    assert "stopped in MLflow, by its tag stop; run the same command again to resume" in stopped.stdout
    (run,) = runs(tmp_path)
    assert (run.info.status, run.data.tags["stop"]) == ("KILLED", "true")
    (record,) = tmp_path.glob("multirun/tiny/*/run.json")
    assert json.loads(record.read_text())["error"] == "stopped in MLflow, by its tag stop"
    resumed = command(tmp_path, "train.py", *arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert "resuming at epoch" in resumed.stdout
    (run,) = runs(tmp_path)
    assert run.info.status == "FINISHED"
    assert not {"stop", "error"} & run.data.tags.keys()
    whole = command(tmp_path, "train.py", *arguments, "tracking=off", "folder=whole")
    assert whole.returncode == 0, whole.stderr
    (other,) = tmp_path.glob("whole/tiny/*/run.json")
    assert json.loads(record.read_text())["digests"] == json.loads(other.read_text())["digests"]


def test_a_stopped_run_does_not_stop_its_sweep(tmp_path: Path) -> None:
    result = train_and_stop(tmp_path, *SWEEP)
    assert result.returncode == 1, result.stderr
    assert "1 of 2 runs failed" in result.stdout
    assert "stopped in MLflow, by its tag stop" in result.stdout.split("1 of 2 runs failed")[1]
    assert sorted(run.info.status for run in runs(tmp_path)) == ["FINISHED", "KILLED"]


def test_mlflows_variable_is_honoured_and_printed(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/elsewhere.db"
    result = command(tmp_path, "train.py", *TINY, "tracking.weights=none", MLFLOW_TRACKING_URI=uri)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "elsewhere.db").exists()
    assert not (tmp_path / "mlflow.db").exists()
    assert f"mlflow ui --backend-store-uri {uri}" in result.stdout


@pytest.mark.parametrize("script", ["reproduce.py", "evaluate.py", "predict.py", "export.py", "inspect_data.py"])
def test_each_command_that_takes_an_address_checks_it(tmp_path: Path, script: str) -> None:
    run = () if script == "inspect_data.py" else ("run=ab12", *(("images=x",) if script == "predict.py" else ()))
    result = command(tmp_path, script, *run, "tracking.uri=127.0.0.1:5000")
    assert result.returncode == 2
    assert "tracking.uri=127.0.0.1:5000: did you mean http://127.0.0.1:5000?" in result.stderr


def test_tracking_leaves_mlflows_variable_as_it_was(tmp_path: Path) -> None:
    code = (
        "import os; from activation_study import compose, run\n"
        f"run(compose(*{list(TINY)!r}, 'tracking.uri=sqlite:///first.db'))\n"
        "print([os.environ.get('MLFLOW_TRACKING_URI'), compose().tracking.uri])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment, check=True
    )
    assert result.stdout.splitlines()[-1] == "[None, 'sqlite:///mlflow.db']"
