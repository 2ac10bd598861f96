"""Many processes track to one store at the same time, and each metric is logged exactly once."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import psutil
import pytest
from mlflow import MlflowClient

from cli_runner import ROOT
from mirror_one_run import STUDY
from mlflow_runs import study_runs, trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
POSTGRES = which("initdb") or next(Path("/usr/lib/postgresql").glob("*/bin/initdb"), None)
EPOCHS = 20


def start_processes(uri: str, folder: Path, count: int) -> list[subprocess.Popen[bytes]]:
    command = [sys.executable, str(ROOT / "tests" / "mirror_one_run.py"), uri, str(folder)]
    return [subprocess.Popen([*command, str(number), str(EPOCHS)], cwd=folder) for number in range(count)]


def assert_all_logged_once(uri: str, count: int) -> None:
    client = MlflowClient(uri)
    runs = trained_runs(client, STUDY)
    (study,) = study_runs(client, STUDY)
    assert study.info.status == "FINISHED"
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {study.info.run_id}
    assert len(client.search_runs([study.info.experiment_id])) == count + 1, "no run was made twice"
    assert sorted(run.info.run_name for run in runs) == sorted(f"surfaces-mish-seed{n}-0" for n in range(count))
    for run in runs:
        assert run.info.status == "FINISHED"
        for key, first in (("train/loss", 1), ("val/loss", 2)):
            points = [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]
            assert points == [(step, first / step) for step in range(1, EPOCHS + 1)]
        others = [len(client.get_metric_history(run.info.run_id, f"other/{number}")) for number in range(1, 7)]
        assert others == [EPOCHS] * 6
        assert len(client.get_metric_history(run.info.run_id, "test/mean_iou")) == 1


@pytest.mark.slow
def test_eight_processes_create_and_fill_a_sqlite_store(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert [process.wait(timeout=300) for process in start_processes(uri, tmp_path, 8)] == [0] * 8
    assert_all_logged_once(uri, 8)


class Server:
    """`server.sh` with its own folder and port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.environment = {
            **os.environ, "FOLDER": str(folder), "PORT": str(self._port), "PYTHON": sys.executable,
        }  # fmt: skip
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        with open(f"{self._folder}.log", "a") as log:
            self._process = subprocess.Popen(
                [str(ROOT / "server.sh")], stdout=log, stderr=log, env=self.environment, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while True:
            assert self._process.poll() is None, Path(f"{self._folder}.log").read_text()
            assert time.monotonic() < deadline, Path(f"{self._folder}.log").read_text()
            try:
                with urllib.request.urlopen(f"{self.uri}/health", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.3)

    def kill(self) -> None:
        """Kills the server and all its workers; the database keeps running."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=60)


@pytest.fixture
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:  # the user postgres has no access to pytest's folders
        Path(folder).chmod(0o711)
        server = Server(Path(folder) / "server")
        server.start()
        yield server
        server.stop()


@pytest.mark.server
@pytest.mark.skipif(POSTGRES is None, reason="PostgreSQL is not installed: apt-get install postgresql")
def test_sixteen_processes_track_to_a_server_that_is_killed_and_restarted(server: Server, tmp_path: Path) -> None:
    processes = start_processes(server.uri, tmp_path, 16)
    client = MlflowClient(server.uri)
    deadline = time.monotonic() + 120
    while client.get_experiment_by_name(STUDY) is None or len(client.search_runs(["1"])) < 8:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    server.kill()
    assert any(process.poll() is None for process in processes), "the server was killed while they were tracking"
    time.sleep(3)
    server.start()
    assert [process.wait(timeout=300) for process in processes] == [0] * 16
    assert_all_logged_once(server.uri, 16)


@pytest.mark.server
@pytest.mark.skipif(POSTGRES is None, reason="PostgreSQL is not installed: apt-get install postgresql")
def test_artifacts_go_through_the_server_which_listens_on_this_machine_only(server: Server, tmp_path: Path) -> None:
    assert [process.wait(timeout=300) for process in start_processes(server.uri, tmp_path, 1)] == [0]
    client = MlflowClient(server.uri)
    (run,) = trained_runs(client, STUDY)
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert client.download_artifacts(run.info.run_id, "run.json", str(tmp_path))
    second = subprocess.run(
        [str(ROOT / "server.sh")], env=server.environment, capture_output=True, text=True, check=False
    )
    assert second.returncode == 2
    assert "a server is already running in" in second.stderr
    assert client.get_run(run.info.run_id).info.status == "FINISHED", "the first server still works"
    processes = psutil.Process(server._process.pid).children(recursive=True)
    connections = [connection for process in processes for connection in process.net_connections()]
    assert {connection.laddr.ip for connection in connections if connection.status == "LISTEN"} == {"127.0.0.1"}
