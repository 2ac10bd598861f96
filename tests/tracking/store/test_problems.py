"""What is said about problems of a store: the command names the study, its folder and the store."""

from pathlib import Path

import pytest

from activation_study.tracking.store.problems import deleted_experiment, deleted_runs, explained, study_of, sync_command


@pytest.mark.parametrize(
    ("folder", "uri", "arguments"),
    [
        ("multirun/s/run-1", "sqlite:///mlflow.db", "study=s"),
        ("multirun/s/reproductions/run-1-again1", "sqlite:///mlflow.db", "study=s"),
        ("multirun/s/evaluations/run-1-all", "sqlite:///mlflow.db", "study=s"),
        ("else where/s/run-1", "sqlite:///mlflow.db", "study=s folder='else where'"),
        ("multirun/s/run-1", "http://ada:secret@host:5000", "study=s tracking.uri=http://host:5000"),
    ],
)
def test_the_command_copies_the_study_of_a_run_to_the_store(
    folder: str, uri: str, arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert sync_command(study_of(Path(folder)), uri) == f"`python train.py sync=true {arguments}`"


def test_the_store_of_the_environment_needs_no_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:5000")
    assert sync_command(Path("multirun/s"), "http://host:5000") == "`python train.py sync=true study=s`"
    assert "tracking.uri=sqlite:///mlflow.db" in sync_command(Path("multirun/s"), "sqlite:///mlflow.db")


def test_what_was_deleted_is_brought_back() -> None:
    study, uri = Path("multirun/s"), "sqlite:///mlflow.db"
    command = "`python train.py sync=all study=s`"
    assert explained(deleted_runs(["a", "b"]), study, uri) == f"deleted in MLflow: a, b. {command} brings them back"
    assert f"s was deleted in MLflow. {command} brings it back" in explained(deleted_experiment("s"), study, uri)
    assert explained(OSError("no"), study, uri) == "no"
