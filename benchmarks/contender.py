"""One way to train, in a process of its own:
python benchmarks/contender.py WAY ACTIVATION PRECISION SIDE WIDTH PICTURES.

Trains one step for each line that it reads, and answers each with its seconds; the first costs tracing and warming up.
At the end of its input it answers with the process' peak of memory and how much of it is mapped files, in GB. WAY:
article, torch, project; or product, the machine's own matrix product.
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

from race import BATCH, PRODUCT_SIDE, widths_from

CLASSES = 3
# Takes the numbers of a batch's pictures and trains.
Step = Callable[[Any], Any]


class Pictures:
    """Noise in the form of this project's cache: mapped files of uint8 pictures and int8 labels."""

    def __init__(self, count: int, side: int, folder: Path) -> None:
        generator = np.random.default_rng(0)
        pictures = generator.integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
        labels = generator.integers(0, CLASSES, (BATCH, side, side)).astype(np.int8)
        self.images = _mapped(folder / "images", pictures, count)
        self.labels = _mapped(folder / "labels", labels, count)


def _mapped(path: Path, batch: Any, count: int) -> Any:
    with open(path, "wb") as file:
        for start in range(0, count, BATCH):
            file.write(batch[: count - start].tobytes())
    return np.memmap(path, batch.dtype, "r", shape=(count, *batch.shape[1:]))


def main(way: str, activation: str, precision: str, side: int, width: int, count: int) -> None:
    """Serves until the input ends."""
    generator = np.random.default_rng(0)
    ways = {"article": article, "torch": torch, "project": project, "product": product}
    with tempfile.TemporaryDirectory() as folder:
        step = ways[way](activation, precision, widths_from(width), Pictures(count, side, Path(folder)))
        print("ready", flush=True)
        for _ in sys.stdin:
            chosen = generator.choice(count, BATCH, replace=False)
            started = time.perf_counter()
            step(chosen)
            print(time.perf_counter() - started, flush=True)
    told = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines() if "kB" in line)
    print(*(int(told[key].split()[0]) * 1024 / 1e9 for key in ("VmHWM", "RssFile")), flush=True)


def article(activation: str, precision: str, widths: list[int], pictures: Pictures) -> Step:
    """The article's code: all pictures as float32, all targets one-hot, in memory."""
    import keras

    from article import compiled, network

    keras.config.set_dtype_policy(precision)
    model = compiled(network(pictures.images.shape[1], CLASSES, activation, widths))
    xs = np.empty(pictures.images.shape, np.float32)
    ys = np.empty((*pictures.labels.shape, CLASSES), np.float32)
    for number in range(len(xs)):  # one by one, as they are read
        xs[number], ys[number] = pictures.images[number] / 255, np.eye(CLASSES)[pictures.labels[number]]
    return lambda chosen: model.train_on_batch(xs[chosen], ys[chosen])


def torch(activation: str, precision: str, widths: list[int], pictures: Pictures) -> Step:
    """PyTorch."""
    from torch_unet import trainer

    step = trainer(CLASSES, activation, precision, widths)
    return lambda chosen: step(pictures.images[chosen], pictures.labels[chosen])


def project(activation: str, precision: str, widths: list[int], pictures: Pictures) -> Step:
    """As a run of this project trains, but for its batches, which a run makes ahead."""
    from common import configuration, network

    sizes = (f"data.image_size={pictures.images.shape[1]}", f"model.widths={widths}", f"training.batch_size={BATCH}")
    own = network(configuration(f"activation={activation}", f"training.precision={precision}", *sizes))
    return lambda chosen: own.train_on(pictures.images[chosen], pictures.labels[chosen])


def product(activation: str, precision: str, widths: list[int], pictures: Pictures) -> Step:
    """TensorFlow's product of two square matrices."""
    import tensorflow as tf

    dtype = tf.bfloat16 if precision == "mixed_bfloat16" else tf.float32
    matrix = tf.cast(tf.random.stateless_normal((PRODUCT_SIDE, PRODUCT_SIDE), (0, 0)), dtype)
    multiplied = tf.function(lambda: tf.reduce_sum(tf.cast(tf.matmul(matrix, matrix), tf.float32)))
    return lambda chosen: multiplied().numpy()


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:7]))
