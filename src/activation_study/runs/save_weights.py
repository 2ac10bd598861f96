"""Saves the weights of a training that has ended, all of those that can be scored."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.scored_weights import WEIGHTS, weights_digest_key, weights_file
from activation_study.data.batching import batches, epoch_order
from activation_study.runs.reuse_weights import LINK
from activation_study.runs.run_context import RunContext


def save_weights(context: RunContext) -> dict[str, list[NDArray[Any]]]:
    """Saves all weights that can be scored, and records their digests; the averaged ones get statistics of their own.

    The state keeps the average as it is, so that repeating this, e.g. after an interruption, gives the same bits.

    Returns:
        The weights, by name.
    """
    from activation_study.model.network import weights_digest

    state, record = context.state, context.record
    found = {name: state.weights(name) for name in WEIGHTS}
    if LINK not in record.links:  # those of another run have their statistics
        found["ema"] = _with_own_statistics(context, state.ema_weights)
    for name, weights in found.items():
        context.network.set_weights(weights)
        context.network.save(context.folder / weights_file(name))
        record.digests[weights_digest_key(name)] = weights_digest(weights)
    record.digests["weights"] = record.digests[weights_digest_key(context.config.evaluation.weights)]
    return found


def _with_own_statistics(context: RunContext, weights: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Weights with the moving statistics of the training images, in the order of the first epoch."""
    config, data, network = context.config, context.dataset, context.network

    def images() -> Iterator[NDArray[np.uint8]]:
        order = epoch_order(data.split.train, config.seeding.order, 1)
        for chosen, _ in batches(data.preprocessed, order, config.training.batch_size):
            context.check_stop()
            context.beat("evaluation")
            yield chosen

    network.set_weights(weights)
    network.recompute_statistics(images())
    return network.weights()
