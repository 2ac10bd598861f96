"""The normalisation equals that of Keras: values, gradients, moving statistics, weights and files."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from activation_study import backend
from activation_study.model.normalization import BatchNormalization

SHAPE = (4, 6, 5, 3)


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


def both(**options: Any) -> tuple[Any, Any]:
    """Our layer and that of Keras with equal weights."""
    generator = np.random.default_rng(3)
    layers = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    weights = [generator.uniform(0.5, 2, 3).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer.build(SHAPE)
        layer.set_weights(weights)
    return layers


def noise(seed: int, dtype: str = "float32") -> Any:
    generator = np.random.default_rng(seed)
    return tf.cast(generator.normal(2.0, 3.0, SHAPE).astype(np.float32), dtype)


def train_step(layer: Any, x: Any) -> list[Any]:
    """Outputs, and the gradients of x, γ, β."""
    variables = [x, layer.gamma.value, layer.beta.value]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        y = layer(x, training=True)
    return [np.asarray(tensor, np.float64) for tensor in (y, *tape.gradient(y, variables, noise(9, y.dtype)))]


def test_training_equals_that_of_keras() -> None:
    ours, keras_layer = both(momentum=0.9, epsilon=1e-2)
    for seed in range(3):
        for value, expected in zip(train_step(ours, noise(seed)), train_step(keras_layer, noise(seed)), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
        for value, expected in zip(ours.get_weights(), keras_layer.get_weights(), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-5)
    start = both()[0].get_weights()[3]
    assert (np.abs(ours.get_weights()[3] - start) > 0.1).any(), "the moving variance has changed"


def test_the_moving_variance_is_updated_with_the_population_variance_of_the_batch() -> None:
    ours, _ = both(momentum=0.0)
    x = noise(0).numpy()[:1, :2, :2]  # of four pixels: Σ / 4, not Σ / 3
    ours(tf.constant(x), training=True)
    np.testing.assert_allclose(ours.get_weights()[3], x.var(axis=(0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_as_close_to_float32_as_in_keras(dtype: str) -> None:
    exact, _ = both()
    ours, keras_layer = both(dtype=f"mixed_{dtype}")
    x = noise(1, dtype)
    expected = train_step(exact, tf.cast(x, tf.float32))
    for value, keras_value, exact_value in zip(train_step(ours, x), train_step(keras_layer, x), expected, strict=True):
        assert np.abs(value - exact_value).max() <= 1.5 * np.abs(keras_value - exact_value).max() + 1e-4
    assert ours(x, training=True).dtype == dtype


@pytest.mark.parametrize("training", [False, True])
def test_frozen_layers_and_inference_use_the_moving_statistics(training: bool) -> None:
    ours, keras_layer = both()
    ours.trainable = keras_layer.trainable = not training
    np.testing.assert_array_equal(ours(noise(0), training=training), keras_layer(noise(0), training=training))
    np.testing.assert_array_equal(ours.get_weights()[2], both()[0].get_weights()[2])


def test_a_file_saved_with_the_layer_of_keras_can_be_loaded(tmp_path: Path) -> None:
    def network(layer: Any) -> Any:
        inputs = keras.Input(SHAPE[1:])
        return keras.Model(inputs, layer(inputs))

    ours, keras_layer = both()
    network(keras_layer).save(tmp_path / "network.keras")
    loaded = network(BatchNormalization())
    loaded.load_weights(tmp_path / "network.keras")
    for value, expected in zip(loaded.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"axis": 1}])
def test_options_without_a_fused_operation_use_the_layer_of_keras(options: dict[str, Any]) -> None:
    layers = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    ours, expected = (layer(noise(0), training=True) for layer in layers)
    np.testing.assert_array_equal(ours, expected)
    for value, expected in zip(*(layer.get_weights() for layer in layers), strict=True):
        np.testing.assert_array_equal(value, expected)
