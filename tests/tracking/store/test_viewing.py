"""The command that is advised for viewing the runs is one that works."""

from pathlib import Path

import pytest

from activation_study.tracking.store.viewing import how_to_view


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mlruns/1").mkdir(parents=True)


def test_the_default_store_needs_no_argument() -> None:
    assert how_to_view("sqlite:///mlflow.db") == ("MLflow:               mlflow ui   (then open http://127.0.0.1:5000)")


def test_an_old_file_store_beside_it_makes_the_address_necessary() -> None:
    Path("mlruns/0").mkdir()
    Path("mlruns/0/meta.yaml").write_text("experiment_id: '0'\n")
    line = str(how_to_view("sqlite:///mlflow.db"))
    assert "mlflow ui --backend-store-uri sqlite:///mlflow.db   (" in line
    assert "it would open mlruns/, an old file store" in line


def test_artifacts_are_no_file_store() -> None:
    Path("mlruns/models").mkdir()
    Path("mlruns/models/meta.yaml").touch()
    assert "--backend-store-uri" not in str(how_to_view("sqlite:///mlflow.db"))


def test_another_database_is_named() -> None:
    assert "mlflow ui --backend-store-uri sqlite:////data/mlflow.db " in str(how_to_view("sqlite:////data/mlflow.db"))


def test_a_server_is_printed_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    assert how_to_view("http://ada:hunter2@host:1") == "MLflow:               http://host:1"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://host:1")
    assert how_to_view("http://host:1") == "MLflow:               http://host:1 (MLFLOW_TRACKING_URI)"


def test_without_a_store_there_is_nothing_to_view() -> None:
    assert how_to_view(None) is None
