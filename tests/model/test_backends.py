"""JAX and PyTorch build the same networks as TensorFlow, with equal gradients for equal weights.

PyTorch is an extra that only the slow tests need: a run on it is killed, resumed, and reproduced.
"""

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cli_runner import ROOT

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).with_name("gradients.py")
TRAIN = Path(__file__).resolve().parents[2] / "train.py"


def write_gradients(folder: Path, backend: str) -> None:
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "HOME": str(folder)}
    done = subprocess.run([sys.executable, SCRIPT, folder], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gradients")
    for backend in ("tensorflow", "jax"):
        write_gradients(path, backend)
    return path


def check_gradients(folder: Path, backend: str, activation: str) -> None:
    """Compares loss and gradients with those of TensorFlow."""
    with (
        np.load(folder / f"tensorflow-{activation}.npz") as expected,
        np.load(folder / f"{backend}-{activation}.npz") as actual,
    ):
        assert set(actual) == set(expected)
        assert actual["parameters"] == expected["parameters"]
        np.testing.assert_allclose(actual["loss"], expected["loss"], rtol=1e-5)
        gradients = [key for key in expected if key.isdigit()]
        assert len(gradients) > 20
        for key in gradients:
            np.testing.assert_allclose(actual[key], expected[key], atol=1e-4)
        assert max(np.abs(expected[key]).max() for key in gradients) > 0.01, "the gradients are not all close to zero"


@pytest.mark.parametrize("activation", ["ReLU", "Mish", "FReLU"])
def test_loss_and_gradients_are_those_of_tensorflow(activation: str, folder: Path) -> None:
    check_gradients(folder, "jax", activation)


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
    assert "training.jit_compile=true: only JAX's compiled steps are known to be deterministic" in done.stderr
    assert not list(tmp_path.glob("runs/*/*/run.json"))


def test_a_compiled_step_is_cached_for_the_next_process(folder: Path) -> None:
    assert any((folder / ".cache" / "activation_study" / "jax").iterdir())


# --- PyTorch ---------------------------------------------------------------------------------------------------------

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="the extra torch is not installed")


@pytest.mark.slow
@needs_torch
def test_loss_and_gradients_of_pytorch_are_those_of_tensorflow(folder: Path) -> None:
    write_gradients(folder, "torch")
    for activation in ("ReLU", "Mish", "FReLU"):
        check_gradients(folder, "torch", activation)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "options"),
    [
        ("jax", ("activation=frelu",)),
        pytest.param("torch", ("activation=mish",), marks=needs_torch),
        pytest.param("torch", ("activation=frelu", "optimizer=muon", "loss=cross_entropy_dice"), marks=needs_torch),
    ],
)
def test_a_run_is_killed_resumed_to_the_same_bits_and_reproduced(
    backend: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    tiny = ("model.widths=[4,8]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]", "training.batch_size=4")
    data = ("data=scenes", "data.count=20", "data.image_size=32", "augmentation=flip_crop_color", "tracking=off")
    given = (*data, *tiny, *options, "training.epochs=3", "training.checkpoint_minutes=0", "threads=2")
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "HOME": str(tmp_path)}

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, *map(str, command)]
        return subprocess.run(words, env=environment, capture_output=True, text=True, cwd=tmp_path)

    whole = run(TRAIN, *given, "folder=whole")
    assert whole.returncode == 0, whole.stderr
    killed = run(ROOT / "tests/kill_at.py", "train", 5, *given, "folder=killed")
    assert killed.returncode == -signal.SIGKILL
    resumed = run(TRAIN, *given, "folder=killed")
    assert "resuming at epoch 2, step 1" in resumed.stdout, resumed.stderr
    records = [json.loads(next(tmp_path.glob(f"{name}/*/*/run.json")).read_text()) for name in ("whole", "killed")]
    assert records[0]["digests"] == records[1]["digests"]
    assert records[0]["results"]["test/mean_iou"] == records[1]["results"]["test/mean_iou"]
    assert records[0]["environment"]["backend"] == backend
    (path,) = tmp_path.glob("whole/*/surfaces-*")
    reproduced = run(ROOT / "reproduce.py", f"run={path}", "folder=whole")
    assert "identical: 3 epochs, final weights and all confusion matrices" in reproduced.stdout, reproduced.stderr


@pytest.mark.slow
@needs_torch
def test_state_that_a_checkpoint_would_miss_is_refused_and_the_check_changes_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "KERAS_BACKEND": "torch", "HOME": str(tmp_path)}
    script = Path(__file__).with_name("torch_state.py")
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "accepted": ["ReLU", "FReLU", "Dropout"],
        "refused": ["Unseeded", "Torch", "Global", "NumPy", "Generator", "Counter"],
        "changed": [],
    }
