"""JAX and PyTorch build the same networks as TensorFlow, with equal gradients for equal weights.

PyTorch is an extra that only the slow tests need: a run on it is killed, resumed, and reproduced.
"""

import json
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from cli_runner import command

pytestmark = pytest.mark.integration

SMALL = ("model.widths=[4,8]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]", "training.batch_size=4")
DATA = ("data=scenes", "data.image_size=32", "tracking=off")


def run_on(backend: str, home: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command(home, script, *arguments, KERAS_BACKEND=backend, JAX_PLATFORMS="cpu", HOME=str(home))


def write_gradients(folder: Path, backend: str) -> None:
    done = run_on(backend, folder, "tests/model/gradients.py", str(folder))
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
    done = run_on("jax", tmp_path, "train.py", *DATA, *SMALL, "data.count=12", "training.epochs=2")
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("multirun/*/*/run.json")
    record = json.loads(path.read_text())
    assert record["status"] == "FINISHED"
    assert record["environment"]["backend"] == "jax"
    assert record["environment"]["jit_compile"] is True
    assert "oneDNN" not in done.stderr, "TensorFlow's startup logs are suppressed on JAX too"


def test_tensorflow_rejects_jit_compile_which_is_not_deterministic(tmp_path: Path) -> None:
    done = run_on("tensorflow", tmp_path, "train.py", *DATA, "data.count=12", "training.jit_compile=true")
    assert done.returncode == 2
    assert "training.jit_compile=true: only JAX's compiled steps are known to be deterministic" in done.stderr
    assert not list(tmp_path.glob("multirun/*/*/run.json"))


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
    given = (*DATA, *SMALL, *options, "data.count=20", "augmentation=flip_crop_color", "training.epochs=3")
    given += ("training.checkpoint_minutes=0", "threads=2")
    whole = run_on(backend, tmp_path, "train.py", *given, "folder=whole")
    assert whole.returncode == 0, whole.stderr
    killed = run_on(backend, tmp_path, "tests/kill_at.py", "train", "5", *given, "folder=killed")
    assert killed.returncode == -signal.SIGKILL
    resumed = run_on(backend, tmp_path, "train.py", *given, "folder=killed")
    assert "resuming at epoch 2, step 1" in resumed.stdout, resumed.stderr
    records = [json.loads(next(tmp_path.glob(f"{name}/*/*/run.json")).read_text()) for name in ("whole", "killed")]
    assert records[0]["digests"] == records[1]["digests"]
    assert records[0]["results"]["test/mean_iou"] == records[1]["results"]["test/mean_iou"]
    assert records[0]["environment"]["backend"] == backend
    (path,) = tmp_path.glob("whole/*/surfaces-*")
    reproduced = run_on(backend, tmp_path, "reproduce.py", f"run={path}", "folder=whole")
    assert "identical: 3 epochs, final weights and all confusion matrices" in reproduced.stdout, reproduced.stderr


@pytest.mark.slow
@needs_torch
def test_state_that_a_checkpoint_would_miss_is_refused_and_the_check_changes_nothing(tmp_path: Path) -> None:
    done = run_on("torch", tmp_path, "tests/model/torch_state.py")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "accepted": ["ReLU", "FReLU", "Dropout"],
        "refused": ["Unseeded", "Torch", "Global", "NumPy", "Generator", "Counter"],
        "changed": [],
    }
