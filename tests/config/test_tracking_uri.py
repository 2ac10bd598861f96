"""Addresses of MLflow stores are checked before anything starts."""

import os
from pathlib import Path

import pytest

from activation_study.config.tracking_uri import DATABASES, uri_error
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import composed


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("127.0.0.1:5000", "did you mean http://127.0.0.1:5000?"),
        ("localhost:5000", "did you mean http://localhost:5000?"),
        ("localhost:5000/mlflow", "did you mean http://localhost:5000/mlflow?"),
        ("[::1]:5000", "did you mean http://[::1]:5000?"),
        ("myserver", "did you mean http://myserver?"),
        ("http:/x", "did you mean http://x?"),
        ("http:x:5000", "did you mean http://x:5000?"),
        ("HTTPS:/x", "did you mean https://x?"),
        ("http://", "it names no server"),
        ("http://:5000", "it names no server"),
        ("sqlite:mlflow.db", "did you mean sqlite:///mlflow.db?"),
        ("sqlite:/mlflow.db", "did you mean sqlite:///mlflow.db?"),
        ("sqlite://mlflow.db", "did you mean sqlite:///mlflow.db?"),
        ("sqlite:///", "it names no file"),
        ("sqlite:///:memory:", "it names no file"),
        ("mlflow.db", "did you mean sqlite:///mlflow.db?"),
        ("./mlflow.db", "did you mean sqlite:///mlflow.db?"),
        ("/data/mlflow.db", "did you mean sqlite:////data/mlflow.db?"),
        ("mlruns", "MLflow no longer tracks to folders"),
        ("./mlruns", "MLflow no longer tracks to folders"),
        ("/data/mlruns", "MLflow no longer tracks to folders"),
        ("~/mlruns", "MLflow no longer tracks to folders"),
        ("file:///data/mlruns", "MLflow no longer tracks to folders"),
        ("file:mlruns", "MLflow no longer tracks to folders"),
        ("ftp://x", "ftp:// is unknown"),
        ("two words", "expected sqlite:///mlflow.db"),
        ("", "expected sqlite:///mlflow.db"),
        ("~/mlflow.db", "did you mean sqlite:////home/ada/mlflow.db?"),
        ("sqlite:///~/mlflow.db", "did you mean sqlite:////home/ada/mlflow.db?"),
        ("sqlite:~/mlflow.db", "did you mean sqlite:////home/ada/mlflow.db?"),
    ],
)
def test_an_address_that_names_no_store_is_refused_with_what_was_meant(
    uri: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    error = uri_error(uri)
    assert error is not None
    assert error.startswith(f"tracking.uri={uri}: {message}")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("ada:hunter2@127.0.0.1:5000", "ada"),
        ("http:/ada:hunter2@a:1", "did you mean http://a:1?"),
        ("a:1?token=hunter2", "token=***"),
        ("htp://ada:hunter2@a:1", "htp://a:1: htp:// is unknown"),
    ],
)
def test_a_refused_address_is_printed_without_its_password(uri: str, shown: str) -> None:
    error = str(uri_error(uri))
    assert "hunter2" not in error
    assert (shown in error) == (shown != "ada")


def test_spaces_around_an_address_are_named() -> None:
    assert "did you mean http://a:1, without the spaces?" in str(uri_error("http://a:1 "))


def test_an_existing_folder_is_not_taken_for_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "no longer tracks to folders" in str(uri_error("runs"))


@pytest.mark.parametrize(
    "uri",
    [
        None, "sqlite:///mlflow.db", "sqlite:////data/mlflow.db", "http://127.0.0.1:5000", "https://a.example/mlflow",
        "http://name:word@a:1", "http://[::1]:5000", "databricks", "databricks://profile",
        *(f"{kind}://u@h/d" for kind in DATABASES if kind != "sqlite"), "postgresql+psycopg2://u:p@h:1/d",
    ],
)  # fmt: skip
def test_addresses_of_stores_are_accepted(uri: str | None) -> None:
    assert uri_error(uri) is None


def test_a_wrong_address_in_mlflows_variable_is_named_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "localhost:5000")
    with pytest.raises(BadInput, match="MLFLOW_TRACKING_URI=localhost:5000: did you mean http://localhost:5000"):
        from_hydra(composed([]))


@pytest.mark.parametrize(
    ("variable", "overrides", "uri"),
    [
        (None, [], "sqlite:///mlflow.db"),
        ("", [], "sqlite:///mlflow.db"),
        (" ", [], "sqlite:///mlflow.db"),
        ("http://a:1", [], "http://a:1"),
        ("http://a:1", ["tracking=server"], "http://a:1"),
        ("http://a:1", ["tracking=off"], None),
        ("http://a:1", ["tracking.uri=null"], None),
        ("http://a:1", ["tracking.uri=http://b:2"], "http://b:2"),
    ],
)
def test_mlflows_variable_is_the_default(
    variable: str | None, overrides: list[str], uri: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    assert from_hydra(composed(overrides)).tracking.uri == uri


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    with pytest.raises(BadInput, match="expected a server's address"):
        from_hydra(composed(["tracking=server"]))
    assert "MLFLOW_TRACKING_URI" not in os.environ
