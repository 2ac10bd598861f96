"""JAX builds the same networks as TensorFlow, with equal gradients for equal weights."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("gradients.py")
TRAIN = Path(__file__).resolve().parents[2] / "train.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gradients")
    for backend in ("tensorflow", "jax"):
        environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "HOME": str(path)}
        done = subprocess.run([sys.executable, SCRIPT, path], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("activation", ["ReLU", "Mish", "FReLU"])
def test_loss_and_gradients_are_those_of_tensorflow(activation: str, folder: Path) -> None:
    with (
        np.load(folder / f"tensorflow-{activation}.npz") as expected,
        np.load(folder / f"jax-{activation}.npz") as actual,
    ):
        assert set(actual) == set(expected)
        assert actual["parameters"] == expected["parameters"]
        np.testing.assert_allclose(actual["loss"], expected["loss"], rtol=1e-5)
        gradients = [key for key in expected if key.isdigit()]
        assert len(gradients) > 20
        for key in gradients:
            np.testing.assert_allclose(actual[key], expected[key], atol=1e-4)
        assert max(np.abs(expected[key]).max() for key in gradients) > 0.01, "the gradients are not all close to zero"


def test_a_run_finishes(tmp_path: Path) -> None:
    tiny = ("model.widths=[4,8]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]", "training.batch_size=4")
    data = ("data=scenes", "data.count=12", "data.image_size=32", f"data.cache={tmp_path}")
    command = [sys.executable, TRAIN, *data, *tiny, "training.epochs=2", "tracking=off", f"folder={tmp_path}"]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*/*/run.json")
    record = json.loads(path.read_text())
    assert record["status"] == "FINISHED"
    assert record["environment"]["backend"] == "jax"
    assert record["environment"]["jit_compile"] is True
    assert "oneDNN" not in done.stderr, "TensorFlow's startup logs are suppressed on JAX too"


def test_tensorflow_rejects_jit_compile_which_is_not_deterministic(tmp_path: Path) -> None:
    command = [sys.executable, TRAIN, "data=scenes", "data.count=12", "training.jit_compile=true"]
    options = [f"data.cache={tmp_path}", f"folder={tmp_path}/runs", "tracking=off", "data.image_size=32"]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == 2
    assert "training.jit_compile=true: TensorFlow's compiled steps are not deterministic" in done.stderr
    assert not list(tmp_path.glob("runs/*/*/run.json"))


def test_a_compiled_step_is_cached_for_the_next_process(folder: Path) -> None:
    assert any((folder / ".cache" / "activation_study" / "jax").iterdir())
