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
