"""The normalisation is Keras' layer: its values, gradients, moving statistics, weights and files."""

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
    """Ours and Keras', with equal weights."""
    generator = np.random.default_rng(3)
    layers = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    weights = [generator.uniform(0.5, 2, 3).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer.build(SHAPE)
        layer.set_weights(weights)
    return layers


def pictures(seed: int, dtype: str = "float32") -> Any:
    generator = np.random.default_rng(seed)
    return tf.cast(generator.normal(2.0, 3.0, SHAPE).astype(np.float32), dtype)


def trained(layer: Any, x: Any) -> list[Any]:
    """Outputs, and the gradients of x, γ, β."""
    variables = [x, layer.gamma.value, layer.beta.value]
    with tf.GradientTape() as tape:
        tape.watch(variables)
        y = layer(x, training=True)
    return [np.asarray(each, np.float64) for each in (y, *tape.gradient(y, variables, pictures(9, y.dtype)))]


def test_it_trains_as_keras_layer() -> None:
    own, keras_layer = both(momentum=0.9, epsilon=1e-2)
    for seed in range(3):
        for value, expected in zip(trained(own, pictures(seed)), trained(keras_layer, pictures(seed)), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
        for value, expected in zip(own.get_weights(), keras_layer.get_weights(), strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-5)
    start = both()[0].get_weights()[3]
    assert (np.abs(own.get_weights()[3] - start) > 0.1).any(), "the moving variance has moved"


def test_the_variance_that_the_moving_one_follows_is_that_of_the_batch_itself() -> None:
    own, _ = both(momentum=0.0)
    x = pictures(0).numpy()[:1, :2, :2]  # of four pixels: Σ / 4, not Σ / 3
    own(tf.constant(x), training=True)
    np.testing.assert_allclose(own.get_weights()[3], x.var(axis=(0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_as_close_to_float32_as_keras_layer(dtype: str) -> None:
    exact, _ = both()
    own, keras_layer = both(dtype=f"mixed_{dtype}")
    x = pictures(1, dtype)
    expected = trained(exact, tf.cast(x, tf.float32))
    for value, theirs, right in zip(trained(own, x), trained(keras_layer, x), expected, strict=True):
        assert np.abs(value - right).max() <= 1.5 * np.abs(theirs - right).max() + 1e-4
    assert own(x, training=True).dtype == dtype


@pytest.mark.parametrize("training", [False, True])
def test_a_fixed_layer_and_a_network_at_work_use_the_moving_statistics(training: bool) -> None:
    own, keras_layer = both()
    own.trainable = keras_layer.trainable = not training
    np.testing.assert_array_equal(own(pictures(0), training=training), keras_layer(pictures(0), training=training))
    np.testing.assert_array_equal(own.get_weights()[2], both()[0].get_weights()[2])


def test_a_file_of_a_network_with_keras_layer_is_read(tmp_path: Path) -> None:
    def network(layer: Any) -> Any:
        inputs = keras.Input(SHAPE[1:])
        return keras.Model(inputs, layer(inputs))

    own, keras_layer = both()
    network(keras_layer).save(tmp_path / "network.keras")
    fresh = network(BatchNormalization())
    fresh.load_weights(tmp_path / "network.keras")
    for value, expected in zip(fresh.get_weights(), own.get_weights(), strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"axis": 1}])
def test_what_the_fused_operation_cannot_do_is_left_to_keras(options: dict[str, Any]) -> None:
    layers = BatchNormalization(**options), keras.layers.BatchNormalization(**options)
    own, theirs = (layer(pictures(0), training=True) for layer in layers)
    np.testing.assert_array_equal(own, theirs)
    for value, expected in zip(*(layer.get_weights() for layer in layers), strict=True):
        np.testing.assert_array_equal(value, expected)
