"""Measures a GPU and trains the article's study on it, in pieces that a queue or a loan allows:

    KERAS_BACKEND=jax python benchmarks/gpu.py --out results [--minutes 8] [--cards 2] [KEY=VALUE …]

The first call measures images/s in each precision (`measured.md`); this and each further call train runs of
`experiment=article` with the given keys until the minutes are over. The run in progress then saves a checkpoint, and
the next call goes on with it. What has finished is packed into `runs.npz`, from which compare.py makes the report
anywhere; weights stay. On a new machine, --out with that file is enough: its runs are not trained again. Neither
TensorFlow nor MLflow is needed with JAX or PyTorch. The exit status is 0 once all runs have finished, and 75
(EX_TEMPFAIL: call again) before.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from activation_study.analysis.packed.packed_file import PACKED_FILE
from activation_study.hardware import AMPERE, gpu_capabilities, gpu_names, processor
from activation_study.records.environment import version_of
from common import PROJECT, table
from interleaved import BATCH, PRODUCT_SIDE, Candidate, log, measure
from side_by_side import ACTIVATIONS, NAMES, gigaflops_of_an_image, products

MEASURED = "measured.md"
STUDY = "gpu"
PACKING = 45  # seconds before the end at which training stops: a checkpoint of 1 GB, then the pack
WORTH_STARTING = 30  # seconds that a call needs at least to get on
CALL_AGAIN = os.EX_TEMPFAIL
GPU_PRODUCT_SIDE = 8192


def main() -> None:
    """Measures once, then trains until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help=f"folder for {MEASURED} and runs.npz")
    parser.add_argument("--minutes", type=float, default=8, help="of this call, measurement included")
    parser.add_argument("--cards", type=int, default=1, help="runs side by side, one per GPU")
    parser.add_argument("--turns", type=int, default=20, help="measured steps of each candidate")
    parser.add_argument("--size", type=int, nargs=2, default=(224, 32), help="side of the images, first width")
    parser.add_argument("keys", nargs="*", metavar="KEY=VALUE", help="as for train.py, e.g. data.archive=PATH")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    os.environ.setdefault("KERAS_BACKEND", "jax")
    options.out.mkdir(parents=True, exist_ok=True)
    kept = Path("multirun") / STUDY / MEASURED  # beside the runs, also if the next call has another --out
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(measured(tuple(options.size), options.turns), encoding="utf-8")
    shutil.copy(kept, options.out / MEASURED)
    print(kept.read_text(encoding="utf-8"), flush=True)
    unpack(options.out, options.keys)
    code = train(options.keys, options.cards, end - PACKING - time.monotonic())
    pack(options.out, options.keys)
    raise SystemExit(code)


def precisions() -> tuple[str, ...]:
    """Those that the machine multiplies in: TensorFloat-32 on GPUs alone."""
    on_gpu = min(gpu_capabilities(), default=0.0) >= AMPERE
    return ("float32", "tensorfloat32", "mixed_bfloat16") if on_gpu else ("float32", "mixed_bfloat16")


def measured(size: tuple[int, int], turns: int) -> str:
    """Images/s of each activation and precision, of the article's code, and of the machine's matrix product."""
    side = GPU_PRODUCT_SIDE if gpu_capabilities() else PRODUCT_SIDE
    speed = products(precisions(), turns, side)
    relu, *others = ACTIVATIONS
    candidates = [
        *(Candidate("project", relu, precision, size) for precision in precisions()),
        *(Candidate("project", name, "float32", size) for name in others),
        Candidate("article", relu, "float32", size),
    ]
    work, rows = gigaflops_of_an_image(*size), []
    for one in candidates:
        measure([one], turns)  # one process at a time: a GPU that is shared by several measures none of them
        rate = BATCH / one.median
        product = speed[one.precision] if one.implementation == "project" else None
        share = "–" if product is None else f"{100 * rate * work / product:.0f} %"
        rows.append([one.activation, NAMES[one.implementation], one.precision, f"{rate:.1f}", share])
    head = ["activation", "implementation", "precision", "images/s", "of the matrix product"]
    backend = os.environ["KERAS_BACKEND"]
    versions = ", ".join(f"{name} {version}" for name in (backend, "keras") if (version := version_of(name)))
    found = ", ".join(f"{rate / 1000:.1f} TFLOP/s in {precision}" for precision, rate in speed.items())
    return (
        f"{device()}; {versions}. Training steps of {BATCH} images at {size[0]}×{size[0]}, widths from {size[1]}, "
        f"{work:.1f} GFLOP per image; medians of {turns}. The product of two {side}×{side} matrices: {found}. The "
        f"code of the article ran with Keras' own precision on {backend}.\n\n{table(head, rows)}\n"
    )


def device() -> str:
    """The names of the GPUs, or that of the processor."""
    return ", ".join(gpu_names()) or processor()


def train(keys: Sequence[str], cards: int, seconds: float) -> int:
    """Trains until the study is complete or the time is over; then a checkpoint is saved.

    Args:
        keys: of the configuration.
        cards: runs side by side.
        seconds: until the runs are told to stop.

    Returns:
        0 if all runs have finished, CALL_AGAIN if the time was over before, otherwise the exit status of train.py.
    """
    if seconds < WORTH_STARTING:
        log("no time is left for training: call again")
        return CALL_AGAIN
    several = [f"hydra.launcher.processes={cards}", "hydra/launcher=joblib"] if cards > 1 else []
    command = [sys.executable, str(PROJECT / "train.py"), "experiment=article", f"study={STUDY}", "tracking=off"]
    log(f"training for {seconds / 60:.1f} minutes")
    process = subprocess.Popen([*command, *several, *keys])
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        stopped = process.wait() in (128 + signal.SIGTERM, -signal.SIGTERM)  # the latter while Python is starting
        return CALL_AGAIN if stopped else process.returncode


def pack(out: Path, keys: Sequence[str]) -> None:
    """Packs the finished runs, if any.

    Args:
        out: folder of the packed file.
        keys: of the configuration.
    """
    log(_compare(f"pack={out}", keys))


def unpack(out: Path, keys: Sequence[str]) -> None:
    """Takes over the runs of earlier machines, if any, whose folders are not here.

    Args:
        out: folder of the packed file.
        keys: of the configuration.

    Raises:
        SystemExit: their file cannot be read.
    """
    if (out / PACKED_FILE).is_file():
        log(_compare(f"unpack={out}", keys, required=True))


def _compare(argument: str, keys: Sequence[str], required: bool = False) -> str:
    """What compare.py prints, or its error."""
    plugins = [key for key in keys if key.startswith("plugins=")]  # for their metrics
    command = [sys.executable, str(PROJECT / "compare.py"), f"study={STUDY}", argument, *plugins]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode and required:
        raise SystemExit(ended.stderr)
    return (ended.stderr if ended.returncode else ended.stdout).strip()


if __name__ == "__main__":
    main()
