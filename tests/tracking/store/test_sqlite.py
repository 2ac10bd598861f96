"""A project that was moved or copied uses its own artifacts."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from mlflow import MlflowClient

from activation_study.tracking.store.sqlite import relocate_artifacts
from cli_runner import TINY, command
from mlflow_runs import trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("here") / "project"
    folder.mkdir()
    result = command(folder, "train.py", *TINY)
    assert result.returncode == 0, result.stderr
    return folder


def open_store(project: Path) -> tuple[MlflowClient, str, str]:
    """The client, the ID of the only run, and the location of its model."""
    client = MlflowClient(f"sqlite:///{project}/mlflow.db")
    experiment = client.get_experiment_by_name("tiny").experiment_id
    (run,) = trained_runs(client, "tiny")
    (model,) = client.search_logged_models([experiment])
    return client, run.info.run_id, model.artifact_location


def test_a_copy_and_its_original_each_use_their_own_artifacts(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(project, copy)
    client, run, model = open_store(copy)
    assert client.get_run(run).info.artifact_uri.startswith(str(project)), "MLflow stores absolute paths"
    result = command(copy, "train.py", *TINY, "sync=true")
    assert result.returncode == 0, result.stderr
    client, run, model = open_store(copy)
    assert client.get_run(run).info.artifact_uri.startswith(f"{copy}/mlruns/")
    assert client.get_experiment_by_name("tiny").artifact_location.startswith(f"{copy}/mlruns/")
    assert (Path(model) / "artifacts" / "best.keras").is_file()
    assert model.startswith(f"{copy}/")
    assert client.download_artifacts(run, "run.json", str(tmp_path))
    assert relocate_artifacts(copy / "mlflow.db") == 0, "nothing is left to change"
    client, run, _ = open_store(project)
    assert client.get_run(run).info.artifact_uri.startswith(f"{project}/mlruns/")


def test_artifacts_in_another_folder_on_purpose_are_unchanged(project: Path, tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    shutil.copy(project / "mlflow.db", database)
    (tmp_path / "mlruns" / "1" / "another_run").mkdir(parents=True)
    assert relocate_artifacts(database) == 0
    _, _, model = open_store(tmp_path)
    assert model.startswith(str(project))


def test_a_partial_copy_uses_the_original_for_the_rest(project: Path, tmp_path: Path) -> None:
    original, copy = tmp_path / "mlruns-original", tmp_path / "copy"
    original.mkdir()
    with sqlite3.connect(tmp_path / "stores.db") as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER, artifact_location TEXT)")
        connection.execute("CREATE TABLE runs (run_uuid TEXT, artifact_uri TEXT)")
        connection.execute("CREATE TABLE logged_models (artifact_location TEXT)")
        connection.execute("CREATE TABLE model_versions (storage_location TEXT)")
        root = original / "mlruns"
        connection.execute("INSERT INTO experiments VALUES (1, ?), (2, ?)", (f"{root}/1", f"{root}/2"))
        connection.execute("INSERT INTO runs VALUES ('a', ?), ('b', ?)", (f"{root}/1/a", f"{root}/2/b"))
        connection.execute("INSERT INTO runs VALUES ('new', ?), ('other', ?)", (f"{root}/1/new", f"{root}-old/1/a"))
        connection.execute("INSERT INTO model_versions VALUES (?)", (f"{root}/1/a",))
    for folder in (original / "mlruns/1/a", original / "mlruns/2/b", copy / "mlruns/1/a"):
        folder.mkdir(parents=True)
    shutil.copy(tmp_path / "stores.db", copy / "mlflow.db")
    assert relocate_artifacts(copy / "mlflow.db") == 4
    with sqlite3.connect(copy / "mlflow.db") as connection:
        runs = dict(connection.execute("SELECT run_uuid, artifact_uri FROM runs"))
        (model,) = connection.execute("SELECT storage_location FROM model_versions").fetchone()
    assert runs == {
        "a": f"{copy}/mlruns/1/a",
        "b": f"{root}/2/b",
        "new": f"{copy}/mlruns/1/new",  # it has no artifacts yet
        "other": f"{root}-old/1/a",
    }
    assert model == f"{copy}/mlruns/1/a"


def test_a_file_that_is_not_a_store_is_unchanged(tmp_path: Path) -> None:
    (tmp_path / "mlruns").mkdir()
    assert relocate_artifacts(tmp_path / "none.db") == 0
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE something (x)")
    assert relocate_artifacts(tmp_path / "other.db") == 0
    (tmp_path / "text.db").write_text("not a database, but longer than the header of one" * 40)
    assert relocate_artifacts(tmp_path / "text.db") == 0
