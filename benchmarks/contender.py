"""One way to train, in a process of its own: python benchmarks/contender.py WAY ACTIVATION PRECISION SIDE WIDTH.

Trains one step for each line that it reads, and answers each with its seconds; the first costs tracing and warming up.
At the end of its input it answers with the process' peak of memory in GB. WAY: article, torch, project; or product,
the machine's own matrix product.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

BATCH, CLASSES = 16, 3
Step = Callable[[Any, Any], Any]


def main(way: str, activation: str, precision: str, side: int, width: int) -> None:
    """Serves until the input ends."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (BATCH, side, side, 3), dtype=np.uint8)
    labels = generator.integers(0, CLASSES, (BATCH, side, side)).astype(np.int8)
    widths = [width * 2**level for level in range(6)]
    ways = {"article": article, "torch": torch, "project": project, "product": product}
    step = ways[way](activation, precision, side, widths)
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        step(images, labels)
        print(time.perf_counter() - started, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, flush=True)


def article(activation: str, precision: str, side: int, widths: list[int]) -> Step:
    """The article's code; its arrays are prepared before."""
    import keras

    from article import compiled, network

    keras.config.set_dtype_policy(precision)
    model = compiled(network(side, CLASSES, activation, widths))
    prepared: list[Any] = []

    def step(images: Any, labels: Any) -> None:
        if not prepared:
            prepared[:] = [images.astype(np.float32) / 255, np.eye(CLASSES, dtype=np.float32)[labels]]
        model.train_on_batch(*prepared)

    return step


def torch(activation: str, precision: str, side: int, widths: list[int]) -> Step:
    """PyTorch."""
    from torch_unet import trainer

    step: Step = trainer(CLASSES, activation, precision, widths)
    return step


def project(activation: str, precision: str, side: int, widths: list[int]) -> Step:
    """As a run of this project trains."""
    from common import configuration, network

    sizes = (f"data.image_size={side}", f"model.widths={widths}", f"training.batch_size={BATCH}")
    return network(configuration(f"activation={activation}", f"training.precision={precision}", *sizes)).train_on


def product(activation: str, precision: str, side: int, widths: list[int]) -> Step:
    """TensorFlow's product of two square matrices."""
    import tensorflow as tf

    from bench import PRODUCT_SIDE

    dtype = tf.bfloat16 if precision == "mixed_bfloat16" else tf.float32
    matrix = tf.cast(tf.random.stateless_normal((PRODUCT_SIDE, PRODUCT_SIDE), (0, 0)), dtype)
    multiplied = tf.function(lambda: tf.reduce_sum(tf.cast(tf.matmul(matrix, matrix), tf.float32)))
    return lambda images, labels: multiplied().numpy()


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:6]))
