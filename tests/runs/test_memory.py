"""The memory of a process does not grow with the number of its runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_memory_does_not_grow_from_run_to_run(tmp_path: Path) -> None:
    sweep = [
        "-m", "data=scenes", "data.count=12", "data.image_size=32", "model.widths=[4,4,6,6,8,8]", "training.epochs=1",
        "activation=frelu", "seed=0,1,2,3,4,5,6,7,8,9", "study=memory",
    ]  # fmt: skip
    command = [sys.executable, str(ROOT / "train.py"), *sweep]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=1200, capture_output=True, env={**os.environ})
    records = [json.loads(path.read_text()) for path in tmp_path.glob("multirun/memory/*/run.json")]
    records.sort(key=lambda record: record["started"])
    peaks = [record["results"]["peak_memory_bytes"] / 2**20 for record in records]
    assert len(peaks) == 10
    # The first runs load libraries and fill caches; each later one may add only a few MiB.
    growth = (peaks[9] - peaks[3]) / 6
    assert growth < 12, f"{growth:.1f} MiB per run: {[round(peak) for peak in peaks]}"
