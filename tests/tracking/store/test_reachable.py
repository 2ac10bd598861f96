"""A store that does not answer costs seconds, not minutes."""

import http.server
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient

from activation_study.records.record import Record
from activation_study.tracking.mirror import Mirror
from activation_study.tracking.store import reachable
from activation_study.tracking.store.experiments import StoreProblem
from activation_study.tracking.store.reachable import check_reachable
from mirror_one_run import CONFIG

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def run(tmp_path: Path) -> tuple[Record, Path]:
    record = Record("run", "study", "0", {**CONFIG, "seed": 1}, [], ["sky"], {}, {"data": "d" * 64})
    record.write(tmp_path / "run")
    return record, tmp_path / "run"


def seconds_of_a_short_run(record: Record, folder: Path, uri: str) -> float:
    """How long the first and the last update of a run take together, which both must fail."""
    mirror, started = Mirror(folder, uri, "none"), time.monotonic()
    assert not mirror.update()
    record.end(folder, "FINISHED")
    assert not mirror.update(final=True)
    return time.monotonic() - started


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_locked_database_costs_at_most_fifteen_seconds_and_one_warning(
    run: tuple[Record, Path], tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").create_experiment("study")
    with closing(sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)) as other:
        other.execute(f"BEGIN {kind}")
        capfd.readouterr()
        assert seconds_of_a_short_run(*run, f"sqlite:///{tmp_path}/mlflow.db") < 15
        warning = capfd.readouterr().err
        assert len(warning.splitlines()) == 2, warning
        assert "could not be tracked in" in warning
        assert "another process has locked it" in warning
        other.execute("ROLLBACK")
    assert Mirror(run[1], f"sqlite:///{tmp_path}/mlflow.db", "none").update(final=True)


def test_a_server_that_is_down_costs_little(run: tuple[Record, Path]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert seconds_of_a_short_run(*run, f"http://127.0.0.1:{free.getsockname()[1]}") < 15


def test_a_server_that_never_answers_costs_little(run: tuple[Record, Path]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert seconds_of_a_short_run(*run, f"http://127.0.0.1:{silent.getsockname()[1]}") < 15


@pytest.fixture
def refusing() -> Iterator[str]:
    """A server that refuses every request."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(401)

        def log_message(self, format: str, *values: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_any_answer_is_one(refusing: str) -> None:
    check_reachable(f"http://{refusing}")
    check_reachable(f"http://ada:hunter2@{refusing}/")


def test_a_database_that_does_not_exist_is_about_to_be_created(tmp_path: Path) -> None:
    check_reachable(f"sqlite:///{tmp_path}/new.db")
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_deleted_while_a_run_is_tracked_is_reported_and_filled_again(
    run: tuple[Record, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, folder = run
    mirror = Mirror(folder, f"sqlite:///{tmp_path}/mlflow.db", "none")
    assert mirror.update()
    (tmp_path / "mlflow.db").unlink()
    record.end(folder, "FINISHED")
    assert not mirror.update(final=True)
    assert not Mirror(folder, f"sqlite:///{tmp_path}/mlflow.db", "none").update(final=True)
    assert capsys.readouterr().err.count("its file was deleted while this process used it; the next command") == 2


def test_what_is_no_database_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reachable, "TIMEOUT", 0.1)
    (tmp_path / "text.db").write_text("not a database, but longer than the header of one" * 40)
    (tmp_path / "folder.db").mkdir()
    for name in ("text.db", "folder.db"):
        with pytest.raises(StoreProblem, match=f"{name} is not a SQLite database, or is damaged") as problem:
            check_reachable(f"sqlite:///{tmp_path}/{name}")
        assert "or move it away; then `python train.py sync=true study=s" in problem.value.advice(Path("s"), "x")
