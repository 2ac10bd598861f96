"""One candidate of a benchmark, as a process:
python benchmarks/candidates.py IMPLEMENTATION ACTIVATION PRECISION SIDE WIDTH IMAGES.

IMPLEMENTATION is article, torch or project, or product for the product of two SIDE×SIDE matrices.
KERAS_BACKEND chooses the backend of all but torch.
For each line of its input it trains one step and prints the seconds; the first includes tracing and warm-up. At the end
of its input it prints the peak memory of the process and the part of it that is mapped files, in GB.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from activation_study.backend import configure_backend
from interleaved import BATCH, widths_from

CLASSES = 3
# Takes the indices of a batch's images and trains one step.
Step = Callable[[Any], Any]


class Images:
    """Noise in the format of this project's cache: mapped files of uint8 images and int8 labels."""

    def __init__(self, count: int, side: int, folder: Path) -> None:
        generator = np.random.default_rng(0)
        images = generator.integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
        labels = generator.integers(0, CLASSES, (BATCH, side, side)).astype(np.int8)
        self.images = _mapped(folder / "images", images, count)
        self.labels = _mapped(folder / "labels", labels, count)


def _mapped(path: Path, batch: Any, count: int) -> Any:
    with open(path, "wb") as file:
        for start in range(0, count, BATCH):
            file.write(batch[: count - start].tobytes())
    return np.memmap(path, batch.dtype, "r", shape=(count, *batch.shape[1:]))


def main(implementation: str, activation: str, precision: str, side: int, width: int, count: int) -> None:
    """Trains a step per line until the input ends."""
    generator = np.random.default_rng(0)
    implementations = {"article": article, "torch": torch, "project": project}
    with tempfile.TemporaryDirectory() as folder:
        if implementation == "product":
            step = product(precision, side)
        else:
            images = Images(count, side, Path(folder))
            step = implementations[implementation](activation, precision, widths_from(width), images)
        print("ready", flush=True)
        for _ in sys.stdin:
            chosen = generator.choice(count, BATCH, replace=False)
            started = time.perf_counter()
            step(chosen)
            print(time.perf_counter() - started, flush=True)
    memory = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines() if "kB" in line)
    print(*(int(memory[key].split()[0]) * 1024 / 1e9 for key in ("VmHWM", "RssFile")), flush=True)


def article(activation: str, precision: str, widths: list[int], data: Images) -> Step:
    """The code of the article: all images as float32 and all targets one-hot, in memory."""
    import keras

    from reference_unet import compiled, network

    keras.config.set_dtype_policy(precision)
    model = compiled(network(data.images.shape[1], CLASSES, activation, widths))
    xs = np.empty(data.images.shape, np.float32)
    ys = np.empty((*data.labels.shape, CLASSES), np.float32)
    for index in range(len(xs)):  # one at a time, as files are read
        xs[index], ys[index] = data.images[index] / 255, np.eye(CLASSES)[data.labels[index]]
    return lambda chosen: model.train_on_batch(xs[chosen], ys[chosen])


def torch(activation: str, precision: str, widths: list[int], data: Images) -> Step:
    """PyTorch."""
    from torch_unet import trainer

    step = trainer(CLASSES, activation, precision, widths)
    return lambda chosen: step(data.images[chosen], data.labels[chosen])


def project(activation: str, precision: str, widths: list[int], data: Images) -> Step:
    """A run of this project, except that a run prepares its batches in advance."""
    from common import configuration, network

    sizes = (f"data.image_size={data.images.shape[1]}", f"model.widths={widths}", f"training.batch_size={BATCH}")
    model = network(configuration(f"activation={activation}", f"training.precision={precision}", *sizes))
    return lambda chosen: model.train_on(data.images[chosen], data.labels[chosen])


def product(precision: str, side: int) -> Step:
    """The product of two square matrices."""
    configure_backend(None, precision)
    import keras

    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    matrix = keras.ops.cast(keras.random.normal((side, side), seed=0), dtype)
    return lambda chosen: float(keras.ops.matmul(matrix, matrix)[0, 0])


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:7]))
