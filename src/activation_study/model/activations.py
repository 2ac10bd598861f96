"""The activations that Keras lacks, and how a configuration becomes a layer.

An activation is one YAML file in `conf/activation/`; only one that Keras lacks needs a class here.
"""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import keras
from keras import ops

from .normalization import BatchNormalization  # relative: both files travel with each logged model

# A place's name and its seed → one fresh layer.
ActivationFactory = Callable[[str, int], keras.Layer]

# The classes that a configuration may name besides Keras'.
UNSAFE_LAYERS = ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")  # of Keras', but for these
CUSTOM_LAYERS = ("Mish", "FReLU", "DepthwiseReLU", "ReLUDepthwiseReLU", "ResidualDepthwiseReLU")


@keras.saving.register_keras_serializable("activation_study")
class Mish(keras.Layer):
    """x · tanh(softplus(x)), elementwise; any shape, no parameters.

    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019, arXiv:1908.08681.
    """

    def call(self, x: Any, training: bool = False) -> Any:
        """Activates x; while `training` by a form that is cheaper to differentiate."""
        return _trained_mish()(x) if training else x * ops.tanh(ops.softplus(x))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's shape."""
        return input_shape


# In training Mish is computed with a gradient written by hand, which keeps x alone and computes the rest anew: with
# e = exp(x) and n = e (e + 2), tanh(softplus(x)) = n / (n + 2), since tanh(ln u) = (u² − 1) / (u² + 1) with u = 1 + e.
# No two near numbers are subtracted; from x = 20 on the factor is 1 in float32, so e grows no further. Both are
# computed in float32 and rounded at the end to the type of x.


def _mish(x: Any) -> Any:
    """Value: x t, t = n / (n + 2)."""
    wide, _, n = _mish_terms(x)
    return ops.cast(wide * (n / (n + 2.0)), x.dtype)


def _mish_gradient(x: Any, upstream: Any) -> Any:
    """Gradient: upstream times t + x t', t' = 4 e (e + 1) / (n + 2)²."""
    wide, e, n = _mish_terms(x)
    slope = n / (n + 2.0) + wide * (4.0 * e * (e + 1.0)) / ops.square(n + 2.0)
    return ops.cast(ops.cast(upstream, "float32") * slope, x.dtype)


def _mish_terms(x: Any) -> tuple[Any, Any, Any]:
    wide = ops.cast(x, "float32")
    e = ops.exp(ops.minimum(wide, 20.0))
    return wide, e, e * (e + 2.0)


@cache
def _trained_mish() -> Callable[[Any], Any]:
    """Mish of x with its own gradient, on TensorFlow each one loop over memory, compiled by XLA."""
    if keras.backend.backend() != "tensorflow":  # JAX compiles whole steps
        return ops.custom_gradient(lambda x: (_mish(x), lambda upstream: _mish_gradient(x, upstream)))
    import tensorflow as tf

    value, gradient = (tf.function(each, jit_compile=True, autograph=False) for each in (_mish, _mish_gradient))
    with_gradient = tf.custom_gradient(lambda x: (value(x), lambda upstream: gradient(x, upstream)))
    # Traced once for the whole process and not in each network: TensorFlow keeps every traced gradient for good.
    return tf.function(with_gradient, autograph=False)


@keras.saving.register_keras_serializable("activation_study")
class FReLU(keras.Layer):
    """max(x, T(x)), T = batch normalisation of a k×k depthwise convolution ('same', stride 1, no bias).

    Input and output [batch, height, width, channels]. Parameters per channel: k·k weights, γ, β, and
    the normalisation's moving mean and variance: 13 with k = 3.

    The official code and its author's advice differ on the weights' start, N(0, 0.01) being the advice
    (megvii-model/FunnelAct, issue 10). Normalisation rescales T(x), so only γ = 0 starts as ReLU.
    Source: Ma, Zhang, Sun, "Funnel Activation for Visual Recognition", 2020, arXiv:2007.11824.

    Args:
        kernel_size: k, the side of the spatial window in pixels; odd.
        depthwise_initializer: of the depthwise weights, by Keras' name.
        gamma_initializer: of the normalisation's γ, by Keras' name.
        momentum: of the normalisation's moving statistics, per step.
        seed: of the depthwise weights.
        **kwargs: Keras' own (`name`, `dtype`).

    Raises:
        ValueError: `kernel_size` is even or below 1.
    """

    def __init__(
        self,
        kernel_size: int = 3,
        depthwise_initializer: str = "glorot_uniform",
        gamma_initializer: str = "ones",
        momentum: float = 0.99,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"FReLU's kernel_size must be odd and positive, not {kernel_size}")
        self.kernel_size = kernel_size
        self.depthwise_initializer = depthwise_initializer
        self.gamma_initializer = gamma_initializer
        self.momentum = momentum
        self.seed = seed
        self.depthwise = keras.layers.DepthwiseConv2D(
            kernel_size,
            padding="same",
            use_bias=False,
            depthwise_initializer=_seeded(depthwise_initializer, seed),
            dtype=self.dtype_policy,
            name="depthwise",
        )
        self.normalization = BatchNormalization(
            momentum=momentum, gamma_initializer=gamma_initializer, dtype=self.dtype_policy, name="normalization"
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the weights of T."""
        self.depthwise.build(input_shape)
        self.normalization.build(input_shape)
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        """Activates x; while `training`, T normalises by the batch's own mean and variance."""
        return ops.maximum(x, self.spatial(x, training))

    def spatial(self, x: Any, training: bool) -> Any:
        """T(x)."""
        return self.normalization(self.depthwise(x), training=training)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments, for saving."""
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "depthwise_initializer": self.depthwise_initializer,
            "gamma_initializer": self.gamma_initializer,
            "momentum": self.momentum,
            "seed": self.seed,
        }


# Controls: FReLU's T and its parameters in other forms. Is its gain one of shape, or of the added depth?


@keras.saving.register_keras_serializable("activation_study")
class DepthwiseReLU(FReLU):
    """max(T(x), 0): as deep as FReLU, without its shape. Arguments, T and parameters as FReLU's."""

    def call(self, x: Any, training: bool = False) -> Any:
        """Activates x."""
        return ops.relu(self.spatial(x, training))


@keras.saving.register_keras_serializable("activation_study")
class ReLUDepthwiseReLU(FReLU):
    """max(T(max(x, 0)), 0): the ReLU network, deeper by one depthwise convolution a place. Else as FReLU."""

    def call(self, x: Any, training: bool = False) -> Any:
        """Activates x."""
        return ops.relu(self.spatial(ops.relu(x), training))


@keras.saving.register_keras_serializable("activation_study")
class ResidualDepthwiseReLU(FReLU):
    """max(x + T(x), 0): depth with a way past it, without FReLU's shape. Else as FReLU."""

    def call(self, x: Any, training: bool = False) -> Any:
        """Activates x."""
        return ops.relu(x + self.spatial(x, training))


def _seeded(name: str, seed: int) -> keras.Initializer:
    initializer = keras.initializers.get(name)
    if "seed" not in inspect.signature(type(initializer).__init__).parameters:
        return initializer
    return type(initializer).from_config({**initializer.get_config(), "seed": seed})


def _refuse_foreign(value: Any) -> None:
    """ValueError where arguments name anything but Keras' own to be built, or code in a string."""
    if isinstance(value, dict):
        module, name = str(value.get("module") or "keras"), str(value.get("class_name", ""))
        if module.partition(".")[0] != "keras" or "lambda" in name.lower():
            raise ValueError(f"activation.layer: {module} {name} in its arguments: expected nothing but Keras' own")
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _refuse_foreign(each)


def activation_factory(target: str, arguments: dict[str, Any], scope: str = "all") -> ActivationFactory:
    """Turns a configured class and its arguments into a maker of layers.

    Args:
        target: `keras.layers.<class>` or `activation_study.model.activations.<class>`; nothing else is
            ever called, whatever a configuration says.
        arguments: the class's own arguments.
        scope: `all`, or only the `encoder`'s or `decoder`'s, by the start of the place's name; ReLU elsewhere.

    Returns:
        (place's name, seed) → a fresh layer of that name, seeded where the class takes a `seed`.

    Raises:
        ValueError: another target, or arguments that the class refuses (naming both).
    """
    home, _, name = target.rpartition(".")
    homes: dict[str, dict[str, Any]] = {
        "keras.layers": vars(keras.layers),
        __name__: {own: globals()[own] for own in CUSTOM_LAYERS},
    }
    if home not in homes:
        raise ValueError(f"activation.layer._target_={target}: only classes of {' or '.join(homes)} are allowed")
    found = homes[home].get(name)
    if not (inspect.isclass(found) and issubclass(found, keras.Layer)):
        raise ValueError(f"activation.layer._target_={target}: {home} has no layer of that name")
    if name in UNSAFE_LAYERS:
        raise ValueError(f"activation.layer._target_={target}: it would run code from elsewhere")
    _refuse_foreign(arguments)
    layer_class: Callable[..., keras.Layer] = found
    takes_seed = "seed" in inspect.signature(layer_class).parameters

    def make(place: str, seed: int) -> keras.Layer:
        if scope != "all" and not place.startswith(scope):
            return keras.layers.ReLU(name=place)
        return layer_class(name=place, **arguments, **({"seed": seed} if takes_seed else {}))

    try:
        shape = make(f"{scope}_trial", 0)(keras.KerasTensor((None, 4, 4, 2))).shape
    except Exception as error:  # whatever a layer raises about its arguments
        raise ValueError(f"activation.layer: {target} refuses {arguments}: {error}") from error
    if shape != (None, 4, 4, 2):
        raise ValueError(f"activation.layer: {target} is no activation: it changes the shape of its input")
    return make
