"""The moving statistics of the normalisations, computed anew for weights that no step of the training ended with."""

from collections.abc import Iterable
from typing import Any

import keras
from numpy.typing import NDArray


def recompute_moving_statistics(network: keras.Model, batches: Iterable[NDArray[Any]]) -> None:
    """Sets each moving mean and variance to the mean, over all images, of those of the batches they are in.

    An average of weights computes other activations than the weights that it averages, so the average of their moving
    statistics does not fit it. Source: Izmailov et al., "Averaging Weights Leads to Wider Optima and Better
    Generalization", UAI 2018.

    Args:
        network: changed in place.
        batches: inputs, float32 [N, height, width, channels].
    """
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    momenta, seen = [layer.momentum for layer in layers], 0
    try:
        for images in batches:
            for layer in layers:
                layer.momentum = seen / (seen + len(images))
            network(images, training=True)
            seen += len(images)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
