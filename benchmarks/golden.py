"""Do two commits train to the same bits? ReLU, Mish and FReLU, in float32 and in bfloat16, on one machine.

    python benchmarks/golden.py COMMIT [data.archive=PATH …]

trains the same six short runs with this working tree and with a worktree of COMMIT, and compares everything that it
recorded of each epoch and of the end: metrics, digests (initial weights, order of the batches, final weights, data) and
all confusion matrices. Exit code 0: equal; 1: different, and where. Bits differ from processor to processor, so both
sides are trained here. Only keys that both commits know may be given.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
ACTIVATIONS = ("relu", "mish", "frelu")
PRECISIONS = ("float32", "mixed_bfloat16")
RUN = ("model=unet_small", "data.image_size=64", "training.epochs=2", "seed=1", "tracking=off", "threads=2")
TIMES = {"epoch_seconds", "images_per_second", "time", "evaluation_seconds", "peak_memory_bytes"}
# Runs a root script with the packages of its own tree, wherever the environment's editable installation points.
START = """
import runpy, sys
tree = sys.argv.pop(1)
sys.path = [tree, tree + "/src", *(path for path in sys.path if not path.endswith("/src"))]
sys.argv[0] = tree + "/train.py"
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def train(tree: Path, folder: Path, overrides: list[str]) -> None:
    """Trains the six runs with the code of `tree` into `folder`."""
    for activation in ACTIVATIONS:
        for precision in PRECISIONS:
            arguments = [f"activation={activation}", f"training.precision={precision}", f"study={precision}"]
            command = [sys.executable, "-c", START, str(tree), *RUN, *arguments, f"folder={folder}", *overrides]
            subprocess.run(command, cwd=PROJECT, check=True, env={**os.environ, "PYTHONPATH": ""})


def facts(folder: Path) -> dict[str, Any]:
    """What has to be equal, by run: study and name."""
    found = {}
    for path in sorted(folder.glob("*/*/run.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        with np.load(path.parent / "evaluation" / "confusions.npz") as arrays:
            confusions = arrays["confusions"].tolist()
        found[f"{record['study']}/{record['name']}"] = {
            "status": record["status"],
            "epochs": [{key: value for key, value in epoch.items() if key not in TIMES} for epoch in record["epochs"]],
            "results": {key: value for key, value in record["results"].items() if key not in TIMES},
            "digests": {key: value for key, value in record["digests"].items() if key != "code"},
            "confusions": confusions,
        }
    return found


def _equal(old: Any, new: Any) -> bool:
    """Whether all that the earlier commit recorded is the same; today's code may record more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and new[key] == value for key, value in old.items())
    return bool(old == new)


def main(commit: str, overrides: list[str]) -> int:
    """Trains, compares, prints; returns the exit code."""
    with tempfile.TemporaryDirectory() as temporary:
        tree = Path(temporary) / "before"
        subprocess.run(["git", "-C", str(PROJECT), "worktree", "add", "--detach", str(tree), commit], check=True)
        try:
            train(tree, Path(temporary) / "old", overrides)
            train(PROJECT, Path(temporary) / "new", overrides)
        finally:
            subprocess.run(["git", "-C", str(PROJECT), "worktree", "remove", "--force", str(tree)], check=True)
        old, new = facts(Path(temporary) / "old"), facts(Path(temporary) / "new")
    count = len(ACTIVATIONS) * len(PRECISIONS)
    if len(old) != count or len(new) != count:
        print(f"{len(old)} and {len(new)} runs, expected {count}")
        return 1
    different = [
        f"{name}: {key}"
        for name in sorted(old)
        for key in old[name]
        if not _equal(old[name][key], new.get(name, {}).get(key))
    ]
    print("\n".join(different) or f"equal to {commit}: {count} runs, all epochs, digests and confusion matrices")
    return 1 if different else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
