"""Batches as a pure function of (seed, epoch, step): equal for all activations and after a resume."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.label_types import Labels
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.splitting.splits import Indices, Split
from activation_study.seeding import stream

Batch = tuple[NDArray[np.uint8], Labels]


def epoch_order(indices: Indices, seed: int, epoch: int) -> Indices:
    """The order in which one epoch (1, 2, …) visits `indices`."""
    return stream(seed, "order", epoch).permutation(indices)


def batches(preprocessed: PreprocessedData, order: Indices, batch_size: int) -> Iterator[Batch]:
    """Yields images uint8 [N, height, width, channels] and labels [N, height, width]; the last batch may be smaller."""
    for start in range(0, len(order), batch_size):
        indices = order[start : start + batch_size]
        yield preprocessed.images[indices], preprocessed.labels[indices]


def prefetch(items: Iterator[Batch]) -> Iterator[Batch]:
    """The same batches in the same order; a thread prepares the next one while the current one is in use."""
    with ThreadPoolExecutor(1, "prefetch") as executor:
        future = executor.submit(next, items, None)
        while (item := future.result()) is not None:
            future = executor.submit(next, items, None)
            yield item


def order_digest(parts: Split, seed: int, epochs: int) -> str:
    """SHA-256 of the split and of the order of every epoch: equal for all activations of a seed."""
    digest = hashlib.sha256()
    for part in (parts.train, parts.validation, parts.test):
        digest.update(part.astype("<i8").tobytes() + b"|")
    for epoch in range(1, epochs + 1):
        digest.update(epoch_order(parts.train, seed, epoch).astype("<i8").tobytes())
    return digest.hexdigest()
