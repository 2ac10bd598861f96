"""A logged model, served over HTTP by `mlflow models serve`."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.data.preprocessing import preprocess
from activation_study.data.scenes.generator import draw_scenes
from activation_study.data.splitting.splits import split
from activation_study.evaluation.evaluate import resize_and_argmax
from activation_study.metrics import confusion, summary
from cli_runner import TINY, command
from mlflow_runs import trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_served_model_has_the_scores_of_its_run(tmp_path: Path) -> None:
    trained = command(tmp_path, "train.py", *TINY, "activation=frelu")
    assert trained.returncode == 0, trained.stderr
    uri, port = f"sqlite:///{tmp_path / 'mlflow.db'}", free_port()
    client = MlflowClient(uri)
    (run,) = trained_runs(client, "tiny")
    serve = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", f"runs:/{run.info.run_id}/model"]
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # MLflow runs uvicorn
    }
    with open(tmp_path / "server.log", "w") as log:
        server = subprocess.Popen(
            [*serve, "--env-manager", "local", "--port", str(port), "--workers", "1"],
            stdout=log, stderr=log, cwd=tmp_path, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server, tmp_path / "server.log")
        scenes, test = draw_scenes(12, 0), split(12, "sorted").test
        surfaces = LABEL_TYPES["surfaces"]
        images = preprocess(scenes, surfaces, (32, 32), "bgr", "bilinear", tmp_path / "cache").images[test]
        inputs = json.dumps({"inputs": (images.astype(np.float32) / np.float32(255)).tolist()}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", inputs, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            probabilities = np.array(json.load(response)["predictions"], np.float32)
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=30)
    assert probabilities.shape == (len(test), 32, 32, 3)
    confusions = []
    for index, image_probabilities in zip(test, probabilities, strict=True):
        truth = scenes.label(index, "surfaces")
        confusions.append(confusion(truth, resize_and_argmax(image_probabilities, truth.shape, "lanczos4"), 3))
    for key, value in summary(np.stack(confusions), surfaces.classes).items():
        assert run.data.metrics[key] == pytest.approx(value, abs=2e-3), key  # another batch size, and rounding in JSON


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
