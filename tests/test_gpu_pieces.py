"""benchmarks/gpu.py: a study in pieces, each of which ends in time and goes on with what the last one left."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gpu  # in benchmarks/
from cli_runner import ROOT, command

pytestmark = pytest.mark.slow
KEYS = ("data=scenes", "data.count=20", "data.image_size=32", "label_type=surfaces", "activation=relu,mish", "seed=0,1")
TINY = ("model.widths=[4,8]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]")


def piece(folder: Path, minutes: float, *keys: str) -> int:
    arguments = [sys.executable, str(ROOT / "benchmarks" / "gpu.py"), "--out=out", f"--minutes={minutes}"]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run([*arguments, *keys], cwd=folder, env=environment, check=False, timeout=400).returncode


def test_pieces_end_in_time_and_the_next_goes_on(tmp_path: Path) -> None:
    measured = tmp_path / "multirun" / gpu.STUDY / gpu.MEASURED
    measured.parent.mkdir(parents=True)
    measured.write_text("measured before")
    long = (*KEYS, *TINY, "training.epochs=100", "training.early_stopping.patience=100")
    stop = (gpu.PACKING + gpu.WORTH_STARTING) / 60 + 0.01
    codes = [piece(tmp_path, stop, *long)]
    assert codes == [gpu.CALL_AGAIN]
    while codes[-1] == gpu.CALL_AGAIN and len(codes) < 6:
        codes.append(piece(tmp_path, 3, *long))
    assert codes[-1] == 0
    assert (tmp_path / "out" / gpu.MEASURED).read_text() == "measured before"
    with np.load(tmp_path / "out" / "runs.npz", allow_pickle=False) as packed:
        assert packed.files
    shutil.rmtree(tmp_path / "multirun")  # as on a new machine
    measured.parent.mkdir(parents=True)
    measured.write_text("measured before")
    assert piece(tmp_path, 3, *long) == 0
    assert len(list(measured.parent.glob("*/run.json"))) == 4
    assert not list(measured.parent.glob("*/best.keras")), "no run was trained again"
    (tmp_path / "packs").mkdir()
    (tmp_path / "out").rename(tmp_path / "packs" / "gpu")
    report = command(tmp_path, "compare.py", "folder=packs", "study=gpu", "pictures=false")
    assert report.returncode == 0, report.stderr
    assert "4 runs" in (tmp_path / "packs" / "gpu" / "report" / "report.md").read_text()


def test_a_piece_without_time_to_train_asks_to_be_called_again(tmp_path: Path) -> None:
    assert gpu.train((), 1, gpu.WORTH_STARTING - 1) == gpu.CALL_AGAIN


def test_every_precision_is_measured_beside_the_matrix_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    text = gpu.measured((32, 4), 1)
    for row in ("| relu | this project | mixed_bfloat16 |", "| frelu | this project | float32 |", "| relu | code of"):
        assert row in text
    assert "TFLOP/s in float32" in text
