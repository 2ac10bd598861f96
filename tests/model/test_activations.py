"""Each configured activation against a NumPy oracle: value, gradient, saving, precision, seeds, rejected input."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from omegaconf import OmegaConf
from scipy.special import erf

from activation_study import backend
from activation_study.errors import BadInput
from activation_study.model.activation_factory import activation_factory

Floats = NDArray[np.float64]
FOLDER = Path(__file__).resolve().parents[2] / "conf/activation"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
SLOPES = np.array([0.3, -0.2, 0.05])
MOMENTUM = {"normalization": {"momentum": 0.99}, "protocol_defaults": {"normalization": {"momentum": 0.99}}}
EPSILON = 1e-3  # of Keras' batch normalisation


@pytest.fixture(scope="module", autouse=True)
def _backend() -> None:
    backend.configure_backend(None, "float32")


# --- oracles ---------------------------------------------------------------------------------------------------------


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


ORACLES: dict[str, Callable[[Floats], Floats]] = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2))),
    "elu": lambda x: np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "prelu": lambda x: np.where(x > 0, x, SLOPES * x),
    "hard_silu": lambda x: x * np.minimum(np.maximum(x + 3, 0), 6) / 6,
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(np.minimum(x, 0)) - 1)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "relu6": lambda x: np.minimum(np.maximum(x, 0), 6),
}


# (x, T) → value, T as a function
SPATIAL: dict[str, Callable[[Floats, Callable[[Floats], Floats]], Floats]] = {
    "frelu": lambda x, t: np.maximum(x, t(x)),
    "frelu_1x1": lambda x, t: np.maximum(x, t(x)),
    "frelu_zero_gamma": lambda x, t: np.maximum(x, t(x)),
    "dw_relu": lambda x, t: np.maximum(t(x), 0),
    "relu_dw_relu": lambda x, t: np.maximum(t(np.maximum(x, 0)), 0),
    "dw_relu_residual": lambda x, t: np.maximum(x + t(x), 0),
}


class Funnel:
    """FReLU, or one of its controls, by loops in float64."""

    def __init__(self, size: int, channels: int, name: str = "frelu") -> None:
        self.form = SPATIAL[name]
        generator = np.random.default_rng(7)
        self.kernel = generator.normal(size=(size, size, channels))
        self.gamma = generator.uniform(0.5, 2, channels)
        self.beta = generator.normal(size=channels)
        self.mean = generator.normal(size=channels)
        self.variance = generator.uniform(0.5, 2, channels)

    def set_weights_of(self, layer: Any) -> None:
        layer.depthwise.set_weights([self.kernel[..., None]])
        layer.normalization.set_weights([self.gamma, self.beta, self.mean, self.variance])

    def depthwise(self, x: Floats) -> Floats:
        half = len(self.kernel) // 2
        result = np.zeros(x.shape)
        _, height, width, _ = x.shape
        for row in range(height):
            for column in range(width):
                for down in range(-half, half + 1):
                    for right in range(-half, half + 1):
                        if 0 <= row + down < height and 0 <= column + right < width:
                            weight = self.kernel[down + half, right + half]
                            result[:, row, column] += weight * x[:, row + down, column + right]
        return result

    def __call__(self, x: Floats, training: bool) -> Floats:
        return self.form(x, lambda inputs: self.normalised(self.depthwise(inputs), training))

    def normalised(self, t: Floats, training: bool) -> Floats:
        mean = t.mean(axis=(0, 1, 2)) if training else self.mean
        variance = t.var(axis=(0, 1, 2)) if training else self.variance
        return self.gamma * (t - mean) / np.sqrt(variance + EPSILON) + self.beta


def numeric_gradient(function: Callable[[Floats], Floats], x: Floats, upstream: Floats, step: float = 1e-6) -> Floats:
    """Of sum(upstream · function(x)), by central differences, one entry at a time."""
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[index] += step
        below[index] -= step
        gradient[index] = np.sum(upstream * (function(above) - function(below))) / (2 * step)
    return gradient


# --- helpers ---------------------------------------------------------------------------------------------------------


def factory(name: str, **more: Any) -> Any:
    options = OmegaConf.to_container(OmegaConf.merge(MOMENTUM, OmegaConf.load(FOLDER / f"{name}.yaml")), resolve=True)
    assert isinstance(options, dict)
    arguments = {**options["layer"], **more}
    return activation_factory(arguments.pop("_target_"), arguments)


def layer_of(name: str, shape: tuple[int, ...], seed: int = 0, **more: Any) -> Any:
    layer = factory(name, **more)("encoder1_block1_activation", seed)
    layer.build(shape)
    return layer


def value_and_gradient(
    layer: Any, x: Floats, upstream: Floats, **options: Any
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import tensorflow as tf

    inputs = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = layer(inputs, **options)
        total = tf.reduce_sum(tf.cast(value, tf.float32) * tf.constant(upstream, tf.float32))
    return value.numpy(), tape.gradient(total, inputs).numpy()


def numbers(seed: int, shape: tuple[int, ...] = (2, 4, 5, 3)) -> tuple[Floats, Floats]:
    generator = np.random.default_rng(seed)
    return 3 * generator.normal(size=shape), generator.normal(size=shape)


# --- value and gradient ----------------------------------------------------------------------------------------------


def test_every_configured_activation_has_an_oracle() -> None:
    assert {*ORACLES, *SPATIAL} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_configuration_is_named_as_its_file(name: str) -> None:
    assert OmegaConf.load(FOLDER / f"{name}.yaml").name == name


@pytest.mark.parametrize("name", ORACLES)
def test_value_and_gradient_match_the_formula(name: str) -> None:
    x, upstream = numbers(1)
    layer = layer_of(name, x.shape)
    if name == "prelu":
        layer.set_weights([SLOPES.reshape(1, 1, 3)])
    value, gradient = value_and_gradient(layer, x, upstream)
    oracle = ORACLES[name]
    np.testing.assert_allclose(value, oracle(x), rtol=1e-5, atol=2e-6)
    slope = (oracle(x + 1e-6) - oracle(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(gradient, upstream * slope, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_far_from_zero_are_finite(name: str, training: bool) -> None:
    x = np.array([-1e4, -90.0, -20.0, 20.0, 90.0, 1e4]).reshape(1, 2, 3, 1)
    layer = layer_of(name, x.shape)
    options = {"training": training} if layer._call_has_training_arg else {}
    value, gradient = value_and_gradient(layer, x, np.ones(x.shape), **options)
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("dtype", "rounding"), [("float32", 3e-7), ("bfloat16", 2**-8), ("float16", 2**-11)])
def test_mish_in_training_is_the_formula_rounded_once(dtype: str, rounding: float) -> None:
    import tensorflow as tf

    grid = np.concatenate([np.linspace(-30, 30, 6001), [-6e4, -1e3, -90.0, 0.0, 90.0, 1e3, 6e4]])
    inputs = tf.cast(tf.constant(grid, tf.float32), dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        value = factory("mish", dtype=dtype)("encoder1_block1_activation", 0)(inputs, training=True)
    gradient = tape.gradient(value, inputs)
    assert value.dtype == gradient.dtype == inputs.dtype
    x = tf.cast(inputs, tf.float64).numpy()
    softplus = np.logaddexp(0, x)
    slope = np.tanh(softplus) + x * (1 - np.tanh(softplus) ** 2) * sigmoid(np.maximum(x, -700))
    least = np.finfo(np.float16).smallest_subnormal if dtype == "float16" else 1e-37
    np.testing.assert_allclose(
        tf.cast(value, tf.float64),
        x * np.tanh(softplus),
        rtol=2 * rounding,
        atol=max(least, 1e-9 * (dtype != "float16")),
    )
    np.testing.assert_allclose(tf.cast(gradient, tf.float64), slope, rtol=2 * rounding, atol=max(least, 3e-7))


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_frelu_is_the_larger_of_x_and_its_normalised_depthwise_convolution(size: int, training: bool) -> None:
    x, upstream = numbers(2, (2, 3, 4, 2))
    funnel = Funnel(size, 2)
    layer = layer_of("frelu", x.shape, kernel_size=size)
    funnel.set_weights_of(layer)
    value, gradient = value_and_gradient(layer, x, upstream, training=training)
    np.testing.assert_allclose(value, funnel(x, training), rtol=1e-4, atol=1e-5)
    expected = numeric_gradient(lambda inputs: funnel(inputs, training), x, upstream)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4)
    assert (value > x).any(), "both sides of the maximum occur"
    assert np.isclose(value, x).any()


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", [name for name in SPATIAL if name != "frelu"])
def test_each_control_matches_its_formula(name: str, training: bool) -> None:
    x, upstream = numbers(2, (2, 3, 4, 2))
    layer = layer_of(name, x.shape)
    funnel = Funnel(layer.kernel_size, 2, name)
    funnel.set_weights_of(layer)
    value, gradient = value_and_gradient(layer, x, upstream, training=training)
    np.testing.assert_allclose(value, funnel(x, training), rtol=1e-4, atol=1e-5)
    expected = numeric_gradient(lambda inputs: funnel(inputs, training), x, upstream)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4)
    others = [Funnel(layer.kernel_size, 2, other)(x, training) for other in ("frelu", "dw_relu", "relu_dw_relu")]
    if name.startswith(("dw", "relu")):
        assert sum(np.allclose(value, other, atol=1e-3) for other in others) == (name in ("dw_relu", "relu_dw_relu"))


def test_controls_differ_from_frelu_only_as_their_names_say() -> None:
    shape = (1, 4, 4, 3)
    counts = {name: layer_of(name, shape).count_params() for name in SPATIAL}
    assert counts.pop("frelu_1x1") == 3 * 5
    assert set(counts.values()) == {3 * 13}
    assert layer_of("frelu_1x1", shape).kernel_size == 1
    np.testing.assert_array_equal(layer_of("frelu_zero_gamma", shape).normalization.get_weights()[0], 0)
    starts = [layer_of(name, shape, seed=4).depthwise.get_weights()[0] for name in SPATIAL if name != "frelu_1x1"]
    for start in starts[1:]:
        np.testing.assert_array_equal(start, starts[0])


def test_frelu_inside_a_network_distinguishes_training_from_inference() -> None:
    import keras

    x, _ = numbers(3)
    inputs = keras.Input(x.shape[1:])
    layer = layer_of("frelu", x.shape)
    network = keras.Model(inputs, layer(inputs))
    funnel = Funnel(3, 3)
    funnel.set_weights_of(layer)
    for training in (False, True):
        np.testing.assert_allclose(network(x, training=training), funnel(x, training), rtol=1e-4, atol=1e-5)
    mean = funnel.depthwise(x).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(layer.normalization.moving_mean, 0.99 * funnel.mean + 0.01 * mean, rtol=1e-4, atol=1e-5)


def test_frelu_has_thirteen_parameters_per_channel_of_which_eleven_are_trainable() -> None:
    layer = layer_of("frelu", (1, 4, 4, 6))
    assert layer.count_params() == 13 * 6
    assert sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights) == 11 * 6


def test_prelu_learns_one_slope_per_channel() -> None:
    assert layer_of("prelu", (None, 4, 5, 6)).count_params() == 6


# --- options and seeds -----------------------------------------------------------------------------------------------


def test_frelu_starts_with_equal_weights_for_equal_seeds() -> None:
    first, again = (layer_of("frelu", (1, 4, 4, 3), seed=5).depthwise.get_weights()[0] for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("initializer", ["glorot_uniform", "random_normal"])
def test_frelu_starts_with_other_weights_for_another_seed(initializer: str) -> None:
    first, other = (
        layer_of("frelu", (1, 4, 4, 3), seed=seed, depthwise_initializer=initializer).depthwise.get_weights()[0]
        for seed in (0, 1)
    )
    assert (first != other).all()


def test_frelu_takes_an_initializer_without_a_seed() -> None:
    layer = layer_of("frelu", (1, 4, 4, 3), depthwise_initializer="ones")
    np.testing.assert_array_equal(layer.depthwise.get_weights()[0], np.ones((3, 3, 3, 1)))


@pytest.mark.parametrize("training", [False, True])
def test_frelu_with_gamma_zero_starts_as_relu(training: bool) -> None:
    x, _ = numbers(4)
    layer = layer_of("frelu", x.shape, gamma_initializer="zeros")
    np.testing.assert_array_equal(layer(x, training=training), np.maximum(x, 0).astype(np.float32))


@pytest.mark.parametrize("size", [-1, 0, 2, 4])
def test_frelu_rejects_a_window_without_a_centre(size: int) -> None:
    with pytest.raises(BadInput, match=f"kernel_size must be odd and positive, not {size}"):
        factory("frelu", kernel_size=size)


@pytest.mark.parametrize("name", NAMES)
def test_each_call_makes_a_new_layer_of_the_given_name(name: str) -> None:
    make = factory(name)
    first, second = make("encoder1_block1_activation", 0), make("decoder2_block1_activation", 1)
    assert first is not second
    assert (first.name, second.name) == ("encoder1_block1_activation", "decoder2_block1_activation")


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [("encoder", "encoder5_block2", "decoder6_block1"), ("decoder", "decoder2", "encoder1")],
)
def test_layers_outside_the_scope_are_relu(scope: str, inside: str, outside: str) -> None:
    import keras

    from activation_study.model.activations import FReLU

    make = activation_factory("activation_study.model.activations.FReLU", {}, scope)
    assert type(make(inside, 0)) is FReLU
    assert type(make(outside, 0)) is keras.layers.ReLU
    assert make(outside, 0).name == outside


# --- precision and saving --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_mixed_precision_stays_close_to_float32(name: str) -> None:
    x, upstream = numbers(5)
    exact, mixed = layer_of(name, x.shape), layer_of(name, x.shape, dtype="mixed_bfloat16")
    assert {str(weight.dtype) for weight in mixed.weights} <= {"float32"}
    value, gradient = value_and_gradient(exact, x, upstream)
    near, near_gradient = value_and_gradient(mixed, x, upstream)
    assert near.dtype.name == "bfloat16"
    difference = np.abs(near.astype(np.float32) - value)
    assert 0 < difference.max() < 0.02 * np.abs(x).max()  # 8 bits: 1/256 of each number, a few times over
    assert np.quantile(np.abs(near_gradient - gradient), 0.9) < 0.03 * np.abs(upstream).max()


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras' own
@pytest.mark.parametrize("name", ["mish", "prelu", *SPATIAL])
def test_a_saved_network_gives_equal_values(name: str, tmp_path: Path) -> None:
    import keras

    x, _ = numbers(6, (2, 6, 6, 3))
    inputs = keras.Input(x.shape[1:])
    hidden = keras.layers.Conv2D(4, 3, kernel_initializer=keras.initializers.HeNormal(seed=1))(inputs)
    network = keras.Model(inputs, factory(name)("encoder1_block1_activation", 3)(hidden))
    generator = np.random.default_rng(0)
    network.set_weights([generator.uniform(0.5, 1.5, weight.shape) for weight in network.get_weights()])
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    for before, after in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(network(x, training=False), loaded(x, training=False))
    assert loaded.layers[-1].get_config() == network.layers[-1].get_config()


def test_frelus_options_survive_saving() -> None:
    from activation_study.model.activations import FReLU

    options = {"kernel_size": 5, "depthwise_initializer": "random_normal", "gamma_initializer": "zeros", "seed": 9}
    config = FReLU.from_config(FReLU(**options).get_config()).get_config()
    assert {key: config[key] for key in options} == options


# --- rejected input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "system",
        "",
        "keras.layers.Dense2",
        "keras.layers.Input",  # a function
        "keras.layers.os",
        "keras.layers.Lambda",
        "keras.layers.TFSMLayer",
        "keras.layers.TorchModuleWrapper",
        "keras.Model",
        "keras.models.load_model",
        "activation_study.model.activations.keras",
        "activation_study.model.activations.activation_factory",
        "activation_study.model.activations.inspect.signature",
    ],
)
def test_a_target_that_is_no_allowed_layer_is_rejected(target: str) -> None:
    with pytest.raises(BadInput, match=f"activation.layer._target_={target}: "):
        activation_factory(target, {})


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("keras.layers.LeakyReLU", {"slope": 0.1}),
        ("keras.layers.LeakyReLU", {"negative_slope": -1.0}),
        ("keras.layers.Activation", {"activation": "no_such_function"}),
        ("activation_study.model.activations.FReLU", {"kernel": 3}),
        ("activation_study.model.activations.FReLU", {"depthwise_initializer": "no_such_initializer"}),
        ("activation_study.model.activations.FReLU", {"kernel_size": 2}),
    ],
)
def test_a_rejected_argument_is_reported_with_its_class(target: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"activation\.layer: ") as error:
        activation_factory(target, arguments)
    assert f"{target} rejects {arguments}" in str(error.value)


@pytest.mark.parametrize(
    "argument",
    [
        {"module": "os", "class_name": "function", "config": "system"},
        {"class_name": "__lambda__", "config": {"value": "…"}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {}},
        {"module": "keras.layers", "class_name": "Activation", "config": {"activation": {"module": "builtins"}}},
        [{"module": "kerasx", "class_name": "Sequential"}],
    ],
)
def test_an_argument_that_names_other_code_is_rejected_before_anything_is_built(argument: Any) -> None:
    with pytest.raises(BadInput, match=r"its arguments name .*: only objects of Keras are allowed"):
        activation_factory("keras.layers.Activation", {"activation": argument})


def test_a_scope_that_nobody_resolved_is_not_taken_as_relu() -> None:
    with pytest.raises(ValueError, match="scope=auto: not all, encoder or decoder"):
        activation_factory("activation_study.model.activations.FReLU", {}, "auto")


@pytest.mark.parametrize("scope", ["encoder", "decoder"])
def test_a_rejected_argument_is_found_in_every_scope(scope: str) -> None:
    with pytest.raises(BadInput, match="rejects"):
        activation_factory("activation_study.model.activations.FReLU", {"kernel_size": 2}, scope)
