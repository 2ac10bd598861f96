"""Moving statistics that are computed anew: the mean over the images of those of the batches, nothing else changes."""

import keras
import numpy as np

from activation_study.model.activations import FReLU
from activation_study.model.moving_statistics import recompute_moving_statistics


def normalised(layer: keras.Layer) -> keras.Model:
    images = keras.Input((4, 4, 2))
    return keras.Model(images, layer(images))


def test_they_are_the_mean_over_the_images_of_those_of_the_batches() -> None:
    layer = keras.layers.BatchNormalization(momentum=0.9)
    network, generator = normalised(layer), np.random.default_rng(0)
    batches = [generator.normal(size, 2, (size, 4, 4, 2)).astype(np.float32) for size in (4, 4, 2)]
    layer.moving_mean.assign([50.0, 50.0])  # of other weights
    recompute_moving_statistics(network, batches)
    for moving, statistic in ((layer.moving_mean, np.mean), (layer.moving_variance, np.var)):
        expected = sum(len(batch) * statistic(batch, axis=(0, 1, 2)) for batch in batches) / 10
        np.testing.assert_allclose(np.array(moving), expected, rtol=1e-4)
    assert layer.momentum == 0.9


def test_normalisations_inside_activations_are_found_and_other_weights_stay() -> None:
    network = normalised(FReLU())
    before = {weight.path: np.array(weight) for weight in network.weights}
    recompute_moving_statistics(network, [np.random.default_rng(0).normal(3, 1, (8, 4, 4, 2)).astype(np.float32)])
    changed = {weight.path for weight in network.weights if not np.array_equal(before[weight.path], weight)}
    assert {path.rpartition("/")[2] for path in changed} == {"moving_mean", "moving_variance"}


def test_repeating_it_gives_the_same_bits() -> None:
    network, batch = normalised(FReLU()), np.random.default_rng(0).normal(size=(8, 4, 4, 2)).astype(np.float32)
    recompute_moving_statistics(network, [batch])
    first = [np.array(weight) for weight in network.weights]
    recompute_moving_statistics(network, [batch])
    assert all(np.array_equal(a, b) for a, b in zip(first, network.weights, strict=True))
