"""The loss against that of Keras on one-hot targets, with and without TensorFlow's deterministic operations."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study import backend

Results = dict[str, dict[str, Any]]
SOFTMAX_OF_2_1_0 = [0.665, 0.245, 0.090]

# Runs in another process: this one has TensorFlow's deterministic operations enabled, which cannot be undone.
SCRIPT = """
import json, keras, numpy as np, tensorflow as tf
from activation_study.model.losses.cross_entropy import CrossEntropy
from tensorflow.python.framework import config

generator = np.random.default_rng(0)
labels = generator.integers(-1, 4, (2, 5, 6)).astype(np.int8)
logits = (3 * generator.normal(size=(2, 5, 6, 4))).astype(np.float32)
targets = np.eye(4, dtype=np.float32)[labels] * (labels >= 0)[..., None]
flat = (np.zeros((1, 1, 1, 3), np.float32), np.full((1, 1, 1), -1, np.int8), np.array([[[[2, 1, 0.0]]]], np.float32))

def keras_loss(targets, labels, logits):
    return tf.reduce_mean(keras.losses.categorical_crossentropy(targets, logits, from_logits=True))

def softmax_loss(targets, labels, logits):  # the article's network ends in a softmax; fit compiles a graph
    probabilities = keras.layers.Softmax()(logits)
    return tf.reduce_mean(keras.losses.categorical_crossentropy(targets, probabilities))

def our_loss(targets, labels, logits):
    return CrossEntropy("article")(labels, logits)

def run(loss, targets, labels, logits):
    @tf.function
    def step(logits):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            value = loss(targets, labels, logits)
        return value, tape.gradient(value, logits)
    value, gradient = step(tf.constant(logits))
    return {"value": float(value), "gradient": gradient.numpy().tolist()}

def measure():
    losses = {"ours": our_loss, "keras": keras_loss, "softmax": softmax_loss}
    many = {name: run(loss, targets, labels, logits) for name, loss in losses.items()}
    one = {name: run(loss, *flat) for name, loss in losses.items()}
    return {"many": many, "one": one, "deterministic": config.is_op_determinism_enabled()}

default = measure()
tf.config.experimental.enable_op_determinism()
unknown = (labels < 0).tolist()
print(json.dumps({"default": default, "deterministic": measure(), "unknown": unknown}))
"""


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    """The losses of Keras and ours with TensorFlow's default operations, then with its deterministic ones."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert not results["default"]["deterministic"]
    assert results["deterministic"]["deterministic"]
    return results


def value_and_gradient(
    labels: NDArray[np.int8], logits: NDArray[np.float32], **options: str
) -> tuple[float, NDArray[np.float32]]:
    import tensorflow as tf

    from activation_study.model.losses.cross_entropy import CrossEntropy

    inputs = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = CrossEntropy(**options)(labels, inputs)
    return float(value), tape.gradient(value, inputs).numpy()


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def example(unknown: float = 0.3) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    generator = np.random.default_rng(1)
    labels = generator.integers(0, 5, (2, 4, 3)).astype(np.int8)
    labels[generator.uniform(size=labels.shape) < unknown] = -1
    return labels, (2 * generator.normal(size=(2, 4, 3, 5))).astype(np.float32)


# --- the article's objective -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["keras", "softmax"])
def test_value_and_gradient_equal_those_of_keras_with_default_operations(
    measured: dict[str, Any], reference: str
) -> None:
    ours, expected = measured["default"]["many"]["ours"], measured["default"]["many"][reference]
    assert ours["value"] == pytest.approx(expected["value"], rel=1e-5)
    np.testing.assert_allclose(ours["gradient"], expected["gradient"], rtol=1e-4, atol=1e-7)
    unknown = np.array(measured["unknown"])
    assert unknown.any()
    assert (np.abs(np.array(ours["gradient"])[unknown]).max(axis=-1) > 1e-4).all()


@pytest.mark.parametrize("reference", ["ours", "keras", "softmax"])
def test_an_all_zero_target_has_value_zero_and_gradient_softmax(measured: dict[str, Any], reference: str) -> None:
    result = measured["default"]["one"][reference]
    assert result["value"] == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(np.ravel(result["gradient"]), SOFTMAX_OF_2_1_0, atol=6e-4)


@pytest.mark.parametrize("reference", ["keras", "softmax"])
def test_deterministic_operations_remove_the_gradient_of_keras_loss_but_not_of_ours(
    measured: dict[str, Any], reference: str
) -> None:
    one, many = measured["deterministic"]["one"], measured["deterministic"]["many"]
    np.testing.assert_allclose(np.ravel(one[reference]["gradient"]), 0, atol=1e-7)
    np.testing.assert_allclose(np.ravel(one["ours"]["gradient"]), SOFTMAX_OF_2_1_0, atol=6e-4)
    before = measured["default"]["many"]["ours"]
    np.testing.assert_allclose(many["ours"]["gradient"], before["gradient"], rtol=1e-5, atol=1e-8)
    assert many["ours"]["value"] == pytest.approx(before["value"], rel=1e-6)
    unknown = np.array(measured["unknown"])
    np.testing.assert_allclose(np.array(many[reference]["gradient"])[unknown], 0, atol=1e-7)


# --- switches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unlabeled", ["article", "ignored"])
@pytest.mark.parametrize("average_over", ["all_pixels", "known_pixels"])
def test_value_and_gradient_match_the_formula_with_all_options(unlabeled: str, average_over: str) -> None:
    labels, logits = example()
    known = labels >= 0
    assert known.any()
    assert not known.all()
    value, gradient = value_and_gradient(labels, logits, unlabeled=unlabeled, average_over=average_over)
    count = known.sum() if average_over == "known_pixels" else labels.size
    probabilities = softmax(logits)
    chosen = np.take_along_axis(probabilities, np.maximum(labels, 0)[..., None].astype(int), axis=-1)[..., 0]
    assert value == pytest.approx(-np.log(chosen[known]).sum() / count, rel=1e-5)
    expected = probabilities - np.eye(5)[labels] * known[..., None]
    if unlabeled == "ignored":
        expected[~known] = 0
        assert not gradient[~known].any()
    np.testing.assert_allclose(gradient, expected / count, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("unlabeled", ["article", "ignored"])
@pytest.mark.parametrize("average_over", ["all_pixels", "known_pixels"])
def test_a_batch_without_any_known_pixel_stays_finite(unlabeled: str, average_over: str) -> None:
    labels, logits = example(unknown=1.1)
    assert (labels == -1).all()
    value, gradient = value_and_gradient(labels, logits, unlabeled=unlabeled, average_over=average_over)
    assert value == pytest.approx(0, abs=1e-6)
    assert np.isfinite(gradient).all()
    assert gradient.any() == (unlabeled == "article")


def test_large_logits_stay_finite() -> None:
    labels = np.array([[[0, 1, -1]]], np.int8)
    logits = np.array([[[[1e4, -1e4], [1e4, -1e4], [1e4, -1e4]]]], np.float32)
    value, gradient = value_and_gradient(labels, logits)
    assert value == pytest.approx(2e4 / 3, rel=1e-5)
    np.testing.assert_allclose(gradient[0, 0] * 3, [[0, 0], [1, -1], [1, 0]], atol=1e-5)


def test_the_loss_of_half_precision_logits_is_computed_in_float32() -> None:
    import tensorflow as tf

    from activation_study.model.losses.cross_entropy import CrossEntropy

    labels, logits = example()
    rounded = tf.cast(logits, tf.bfloat16)
    value = CrossEntropy()(labels, rounded)
    assert value.dtype == tf.float32
    assert float(value) == float(CrossEntropy()(labels, tf.cast(rounded, tf.float32)))


# --- counts ----------------------------------------------------------------------------------------------------------


def count_pixels(labels: NDArray[np.int8], logits: NDArray[np.float32]) -> NDArray[np.int64]:
    counts = np.zeros((5, 5), np.int64)
    for truth, predicted in zip(labels.ravel(), logits.reshape(-1, 5).argmax(axis=1), strict=True):
        if truth >= 0:
            counts[truth, predicted] += 1
    return counts


def test_the_pixel_confusion_counts_truth_by_prediction_without_unknown_pixels() -> None:
    from activation_study.model.pixel_confusion import PixelConfusion

    labels, logits = example()
    metric = PixelConfusion(5)
    metric.update_state(labels, logits)
    expected = count_pixels(labels, logits)
    assert (expected != expected.T).any()
    assert expected.sum() < labels.size
    np.testing.assert_array_equal(metric.result(), expected)
    metric.update_state(labels[:1], logits[:1])
    np.testing.assert_array_equal(metric.result(), expected + count_pixels(labels[:1], logits[:1]))
    metric.reset_state()
    assert not np.asarray(metric.result()).any()


def test_the_pixel_confusion_is_exact_at_many_pixels_and_in_mixed_precision() -> None:
    import keras

    from activation_study.model.pixel_confusion import PixelConfusion

    labels = np.zeros((1, 300, 301), np.int8)
    logits = np.broadcast_to(np.array([0, 1], np.float32), (1, 300, 301, 2))
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        metric = PixelConfusion(2)
        metric.update_state(labels, logits)
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(metric.result(), [[0, 300 * 301], [0, 0]])
