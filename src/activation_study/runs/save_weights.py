"""Saves the weights of a training that has ended, all of those that can be scored."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.scored_weights import WEIGHTS, weights_digest_key, weights_file
from activation_study.data.batching import batches, epoch_order
from activation_study.runs.run_context import RunContext


def save_weights(context: RunContext) -> None:
    """Saves all weights that can be scored, and records their digests; the averaged ones get statistics of their own.

    Repeating it, e.g. after an interruption, gives the same bits.
    """
    from activation_study.model.network import weights_digest

    context.state.ema_weights = _with_own_statistics(context, context.state.ema_weights)
    for name in WEIGHTS:
        weights = context.state.weights(name)
        context.network.set_weights(weights)
        context.network.save(context.folder / weights_file(name))
        context.record.digests[weights_digest_key(name)] = weights_digest(weights)
    context.record.digests["weights"] = context.record.digests[weights_digest_key(context.config.evaluation.weights)]


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
