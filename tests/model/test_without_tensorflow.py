"""JAX trains where neither TensorFlow nor MLflow is installed, with the same bits as where they are."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from cli_runner import ROOT, TINY

pytestmark = pytest.mark.slow
ABSENT = ("tensorflow", "tensorboard", "mlflow", "torch", "tf2onnx", "__editable__", "activation_study")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder with all installed packages but the absent ones."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(ABSENT) and path.suffix != ".pth":
            (folder / path.name).symlink_to(path)
    return folder


def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    arguments = [sys.executable, *options, str(ROOT / "train.py"), *TINY, "tracking=off"]
    environment = {**os.environ, "KERAS_BACKEND": "jax", **environment}
    return subprocess.run(
        arguments, capture_output=True, text=True, cwd=folder, check=False, timeout=300, env=environment
    )


def record(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("multirun/tiny/*/run.json")
    return dict(json.loads(path.read_text()))


def test_jax_trains_without_tensorflow_and_mlflow(packages: Path, tmp_path: Path) -> None:
    path = f"{packages}{os.pathsep}{ROOT / 'src'}"
    probe = "import importlib.util as u; print([u.find_spec(n) for n in ('tensorflow', 'mlflow')])"
    found = subprocess.run(
        [sys.executable, "-S", "-c", probe],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert found.stdout.strip() == "[None, None]"
    alone = run(tmp_path / "alone", "-S", PYTHONPATH=path)
    assert alone.returncode == 0, alone.stderr
    beside = run(tmp_path / "beside")
    assert beside.returncode == 0, beside.stderr
    without, there = record(tmp_path / "alone"), record(tmp_path / "beside")
    assert without["environment"]["versions"].get("tensorflow") is None
    assert without["digests"]["weights"] == there["digests"]["weights"]
    assert without["results"]["test/mean_iou"] == there["results"]["test/mean_iou"]
