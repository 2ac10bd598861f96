"""Layers with random numbers: their seed generators are seeded by name, and other state is found and named."""

from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from activation_study import backend
from activation_study.errors import BadInput
from activation_study.location import conf_dir
from activation_study.model.activation_factory import activation_factory
from activation_study.model.build import untrained_network
from activation_study.model.losses.cross_entropy import CrossEntropy
from activation_study.model.losses.make import make_loss
from activation_study.model.losses.total import Sum
from activation_study.model.network_parts import NetworkParts
from activation_study.model.networks.unet import build_unet
from activation_study.model.optimizers import ConvolutionMuon
from activation_study.model.random_state import (
    random_states,
    reject_state_of_loss,
    reject_state_of_optimizer,
    reject_unsaved_state,
    seed_generators,
)
from activation_study.validation import from_hydra
from hydra_compose import composed

pytestmark = pytest.mark.integration


def unet(make: Callable[[str, int], keras.Layer], seed: int = 0) -> keras.Model:
    backend.configure_backend(None, "float32")
    model = build_unet(NetworkParts((8, 8), 2, make, seed), [2, 3], [1, 1], [1])
    seed_generators(model, seed)
    return model


class Unseeded(keras.Layer):
    """Adds weights whose initializers are given no seed, of Keras and of NumPy."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.kernel = self.add_weight(shape=shape[-1:], initializer="random_normal")
        self.bias = self.add_weight(shape=shape[-1:], initializer=lambda shape, dtype: np.random.normal(size=shape))

    def call(self, x: Any) -> Any:
        return x * self.kernel + self.bias


class MoreUnseeded(Unseeded):
    """Draws more."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.first = self.add_weight(shape=shape[-1:], initializer="random_normal")
        super().build(shape)


class Noise(keras.Layer):
    """Adds noise from a generator that is given no seed."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.generator = keras.random.SeedGenerator()

    def call(self, x: Any, training: bool = False) -> Any:
        return x + keras.random.normal(keras.ops.shape(x), seed=self.generator) if training else x


class Hidden(keras.Layer):
    """Adds something with hidden state in training."""

    def __init__(self, what: Callable[[Any], Any], **keywords: Any) -> None:
        super().__init__(**keywords)
        self.what = what

    def call(self, x: Any, training: bool = False) -> Any:
        return x + self.what(x) if training else x


def states(model: keras.Model) -> list[list[int]]:
    return [np.array(state).tolist() for state in random_states(model)]


def test_weights_of_layers_that_take_no_seed_follow_from_seed_and_name() -> None:
    def weights(layer: type[keras.Layer], seed: int) -> dict[str, np.ndarray]:
        model = unet(lambda name, seed: layer(name=name), seed)
        return {variable.path: np.array(variable) for variable in model.weights}

    first, again, other = weights(Unseeded, 0), weights(Unseeded, 0), weights(Unseeded, 1)
    added = [path for path in first if "activation" in path]
    assert len(added) == 6
    for path in added:
        assert np.array_equal(first[path], again[path])
        assert not np.array_equal(first[path], other[path])
    values = [tuple(first[path]) for path in added]
    assert len(set(values)) == len(values), "each layer has its own"
    more = weights(MoreUnseeded, 0)
    common = [path for path in first if path not in added]
    assert all(np.array_equal(first[path], more[path]) for path in common)


def test_the_first_layers_of_an_own_network_follow_from_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def built(seed: int) -> np.ndarray:
        backend.configure_backend(None, "float32")
        config = from_hydra(composed(["model=unet_small", "data.image_size=32", f"seed={seed}"]))
        return np.array(untrained_network(config, 2).get_layer("own").kernel)

    def own_network(parts: NetworkParts, **options: Any) -> keras.Model:
        image = parts.input()
        x = keras.layers.Conv2D(2, 1, name="own")(image)
        return parts.model(image, x, "own_network")

    own_network.__module__ = "activation_study.model.networks.unet"
    monkeypatch.setattr(f"{own_network.__module__}.build_unet", own_network)
    assert np.array_equal(built(0), built(0))
    assert not np.array_equal(built(0), built(1))


def test_what_follows_a_part_does_not_depend_on_what_it_drew() -> None:
    def follower(layer: type[keras.Layer], seed: int) -> np.ndarray:
        parts = NetworkParts((8, 8), 2, lambda name, seed: layer(name=name), seed)
        image = parts.input()
        x = parts.activate(parts.convolve(image, "conv", 3), "encoder_activation")
        dense = keras.layers.Dense(3)
        dense(x)
        return np.array(dense.kernel)

    backend.configure_backend(None, "float32")
    assert np.array_equal(follower(Unseeded, 0), follower(MoreUnseeded, 0))
    assert not np.array_equal(follower(Unseeded, 0), follower(Unseeded, 1))


def test_generators_without_a_seed_start_from_the_seed_and_the_name_of_their_layer() -> None:
    first = states(unet(lambda name, seed: Noise(name=name)))
    keras.random.SeedGenerator()  # Keras would start the next generator otherwise
    assert states(unet(lambda name, seed: Noise(name=name))) == first
    assert states(unet(lambda name, seed: Noise(name=name), seed=1)) != first
    assert len({tuple(state) for state in first}) == 3, "each layer has numbers of its own"


def test_a_layer_that_takes_a_seed_keeps_its_start() -> None:
    def make(name: str, seed: int) -> keras.Layer:
        return activation_factory("keras.layers.Dropout", {"rate": 0.5})(name, seed)

    model = unet(make)
    seeds = [layer.seed for layer in model.layers if "activation" in layer.name]
    assert states(model) == [[seed, 0] for seed in seeds]
    assert states(unet(make, seed=1)) != states(model)


def test_networks_without_random_numbers_have_no_such_state() -> None:
    for target in ("keras.layers.ReLU", "activation_study.model.activations.FReLU"):
        model = unet(lambda name, seed, target=target: activation_factory(target, {})(name, seed))
        assert random_states(model) == []
        reject_unsaved_state(model)


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("keras.layers.GaussianNoise", {"stddev": 0.1}),
        ("keras.layers.PReLU", {}),
        ("activation_study.model.activations.Mish", {}),
    ],
)
def test_saved_state_is_accepted(target: str, arguments: dict[str, Any]) -> None:
    reject_unsaved_state(unet(lambda name, seed: activation_factory(target, arguments)(name, seed)))
    reject_unsaved_state(unet(lambda name, seed: Noise(name=name)))


@cache  # not at import, which must not initialise TensorFlow
def variable() -> tf.Variable:
    with tf.init_scope():
        return tf.Variable(1.0, name="counter")


@cache
def generator() -> tf.random.Generator:
    with tf.init_scope():
        return tf.random.Generator.from_seed(1)


@pytest.mark.parametrize(
    ("what", "named"),
    [
        (lambda x: tf.random.uniform(tf.shape(x)), "the operation RandomUniform"),
        (lambda x: keras.random.normal(keras.ops.shape(x)), "the variable .*seed_generator_state"),
        (lambda x: tf.reshape(tf.numpy_function(np.sin, [x], tf.float32), tf.shape(x)), "the operation PyFunc"),
        (lambda x: tf.reshape(tf.py_function(tf.sin, [x], tf.float32), tf.shape(x)), "the operation EagerPyFunc"),
        (lambda x: variable().assign_add(1.0), "the variable .*counter"),
        (lambda x: generator().normal(tf.shape(x)), "the variable"),
        (lambda x: tf.function(lambda x: tf.random.normal(tf.shape(x)))(x), "the operation RandomStandardNormal"),
    ],
)
def test_other_state_is_refused_with_its_layer(what: Callable[[Any], Any], named: str) -> None:
    model = unet(lambda name, seed: Hidden(what, name=name))
    with pytest.raises(BadInput, match=f"(?s)a checkpoint cannot save.*{named}") as refused:
        reject_unsaved_state(model)
    assert "encoder1_block1_activation: " in str(refused.value)


class DrawingLoss(keras.losses.Loss):
    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.random.SeedGenerator(0)


class CountingLoss(keras.losses.Loss):
    def __init__(self) -> None:
        super().__init__()
        self.calls = keras.Variable(0)


class DrawingOptimizer(keras.optimizers.SGD):
    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.random.SeedGenerator(0)


class TensorFlowLoss(CrossEntropy):
    """Has a variable that Keras does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = [tf.Variable(0.0, name="steps")]

    def of_batch(self, labels: Any, logits: Any) -> Any:
        return super().of_batch(labels, logits) * self.steps[0].assign_add(1.0)


LOGITS = keras.KerasTensor((None, 4, 4, 3))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (DrawingLoss, "DrawingLoss has generator"),
        (CountingLoss, "CountingLoss has calls"),
        (lambda: Sum([CrossEntropy(), CountingLoss()], [1.0, 1.0]), "Sum has losses.calls"),
        (TensorFlowLoss, "TensorFlowLoss has the variable steps"),
        (lambda: Sum([TensorFlowLoss()], [1.0]), "Sum has the variable steps"),
    ],
)
def test_a_loss_with_state_is_refused(make: Callable[[], Any], name: str) -> None:
    with pytest.raises(BadInput, match=f"loss: {name}.*, which a checkpoint cannot save"):
        reject_state_of_loss(make(), LOGITS)


def test_an_optimizer_with_state_of_its_own_is_refused() -> None:
    with pytest.raises(BadInput, match="optimizer: DrawingOptimizer has generator, which a checkpoint cannot save"):
        reject_state_of_optimizer(DrawingOptimizer(), [])
    weights = [keras.Variable(np.zeros((3, 3, 2, 4)))]
    for each in (keras.optimizers.Adam(amsgrad=True), ConvolutionMuon(1e-3)):
        for optimizer in (each, keras.optimizers.LossScaleOptimizer(each)):
            optimizer.build(weights)
            reject_state_of_optimizer(optimizer, weights)


@pytest.mark.parametrize("name", sorted(path.stem for path in (conf_dir() / "loss").glob("*.yaml")))
def test_the_losses_of_the_project_have_no_state(name: str) -> None:
    config = from_hydra(composed(["data=scenes", f"loss={name}"]))
    reject_state_of_loss(make_loss(config.loss, [5, 3, 2]), LOGITS)


class OfTwo(Hidden):
    def call(self, x: Any, y: Any, training: bool = False) -> Any:
        return super().call(x, training=training) + y


class OfAList(Hidden):
    def call(self, x: Any, training: bool = False) -> Any:
        return super().call(x[0], training=training) + x[1]


def several_inputs(kind: type[Hidden]) -> keras.Model:
    inputs = keras.Input((4, 4, 2))
    layer = kind(lambda x: tf.random.normal(tf.shape(x)), name="of_several")
    pair = [inputs, keras.layers.ReLU()(inputs)]
    return keras.Model(inputs, layer(*pair) if kind is OfTwo else layer(pair), name="network")


def nested() -> keras.Model:
    inputs = keras.Input((4, 4, 2))
    inner = keras.Model(inputs, Hidden(lambda x: tf.random.normal(tf.shape(x)), name="inside")(inputs))
    outer = keras.Input((4, 4, 2))
    return keras.Model(outer, inner(outer))


def second_of_a_class() -> keras.Model:
    inputs = keras.Input((4, 4, 2))
    first = Hidden(lambda x: 1.0, name="first")(inputs)
    return keras.Model(inputs, Hidden(lambda x: tf.random.normal(tf.shape(x)), name="second")(first))


def in_a_layer_of_keras() -> keras.Model:
    inputs = keras.Input((4, 4, 2))
    draw = keras.layers.Lambda(lambda x: x + tf.random.normal(tf.shape(x)), output_shape=(4, 4, 2), name="lambda")
    return keras.Model(inputs, draw(inputs))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: several_inputs(OfAList), "of_several"),
        (lambda: several_inputs(OfTwo), "network"),  # this layer is not called without its network
        (nested, "inside"),
        (second_of_a_class, "second"),
        (in_a_layer_of_keras, "lambda"),
    ],
)
def test_hidden_state_is_found_wherever_it_is(make: Callable[[], keras.Model], named: str) -> None:
    backend.configure_backend(None, "float32")
    with pytest.raises(BadInput, match=f"(?m)^  {named}: the operation RandomStandardNormal") as refused:
        reject_unsaved_state(make())
    assert str(refused.value).count("RandomStandardNormal") == 1


@pytest.mark.parametrize("name", ["encoder1_activation1", "encoder1_norm"])
def test_hidden_state_is_found_whatever_the_layer_is_called(name: str) -> None:
    backend.configure_backend(None, "float32")
    inputs = keras.Input((4, 4, 2))
    model = keras.Model(inputs, Hidden(lambda x: tf.random.normal(tf.shape(x)), name=name)(inputs))
    with pytest.raises(BadInput, match=f"{name}: "):
        reject_unsaved_state(model)
