"""The activations that Keras lacks.

An activation is one YAML file in `conf/activation/`; it needs a class here only if Keras lacks it.
"""

import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import keras
from keras import ops

from .normalization import BatchNormalization  # relative: both files are shipped with each logged model


@keras.saving.register_keras_serializable("activation_study")
class Mish(keras.Layer):
    """x · tanh(softplus(x)), elementwise; any shape, no parameters.

    Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019, arXiv:1908.08681.
    """

    def call(self, x: Any, training: bool = False) -> Any:
        """Mish of x; in training by a form that is cheaper to differentiate."""
        return _mish_for_training()(x) if training else x * ops.tanh(ops.softplus(x))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The input's shape."""
        return input_shape


# In training, Mish has a hand-written gradient that stores only x and recomputes the rest. With e = exp(x) and
# n = e (e + 2), tanh(softplus(x)) = n / (n + 2), since tanh(ln u) = (u² − 1) / (u² + 1) with u = 1 + e.
# This subtracts no close numbers. For x ≥ 20 the factor is 1 in float32, so e is bounded. Both are computed in float32
# and rounded at the end to the type of x.


def _mish(x: Any) -> Any:
    """The value: x t, t = n / (n + 2)."""
    wide, _, n = _mish_terms(x)
    return ops.cast(wide * (n / (n + 2.0)), x.dtype)


def _mish_gradient(x: Any, upstream: Any) -> Any:
    """The gradient: upstream times t + x t', t' = 4 e (e + 1) / (n + 2)²."""
    wide, e, n = _mish_terms(x)
    slope = n / (n + 2.0) + wide * (4.0 * e * (e + 1.0)) / ops.square(n + 2.0)
    return ops.cast(ops.cast(upstream, "float32") * slope, x.dtype)


def _mish_terms(x: Any) -> tuple[Any, Any, Any]:
    """The terms x in float32, e and n."""
    wide = ops.cast(x, "float32")
    e = ops.exp(ops.minimum(wide, 20.0))
    return wide, e, e * (e + 2.0)


@cache
def _mish_for_training() -> Callable[[Any], Any]:
    """Mish with its hand-written gradient; on TensorFlow XLA compiles each of the two to one pass over memory."""
    if keras.backend.backend() == "torch":  # it hands x to the gradient, too
        return ops.custom_gradient(lambda x: (_mish(x), _mish_gradient))
    if keras.backend.backend() == "jax":  # it compiles whole steps
        return ops.custom_gradient(lambda x: (_mish(x), lambda upstream: _mish_gradient(x, upstream)))
    import tensorflow as tf

    value, gradient = (tf.function(function, jit_compile=True, autograph=False) for function in (_mish, _mish_gradient))
    with_gradient = tf.custom_gradient(lambda x: (value(x), lambda upstream: gradient(x, upstream)))
    # Traced once per process, not once per network: TensorFlow never frees a traced gradient.
    return tf.function(with_gradient, autograph=False)


@keras.saving.register_keras_serializable("activation_study")
class FReLU(keras.Layer):
    """max(x, T(x)), T = batch normalisation of a k×k depthwise convolution ('same', stride 1, no bias).

    Input and output [batch, height, width, channels]. Parameters per channel: k·k weights, γ, β, and
    the normalisation's moving mean and variance: 13 with k = 3.

    The official code and its author's advice differ on the initial weights; the advice is N(0, 0.01)
    (megvii-model/FunnelAct, issue 10). The normalisation rescales T(x), so FReLU starts as ReLU only with γ = 0.
    Source: Ma, Zhang, Sun, "Funnel Activation for Visual Recognition", 2020, arXiv:2007.11824.

    Args:
        kernel_size: k, the side of the spatial window in pixels; odd.
        depthwise_initializer: Keras' name of the initializer of the depthwise weights.
        gamma_initializer: Keras' name of the initializer of the normalisation's γ.
        momentum: of the normalisation's moving statistics, per step.
        seed: of the depthwise weights.
        **kwargs: of `keras.Layer` (`name`, `dtype`).

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
            data_format="channels_last",  # whatever the settings of Keras are where the layer is loaded
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
        """FReLU of x; in training, T normalises by the mean and variance of the batch."""
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


# Controls with FReLU's T and parameters in other forms: is a gain due to its shape or to the added depth?


@keras.saving.register_keras_serializable("activation_study")
class DepthwiseReLU(FReLU):
    """max(T(x), 0): as deep as FReLU, without its shape. Arguments, T and parameters are those of FReLU."""

    def call(self, x: Any, training: bool = False) -> Any:
        """The activation of x."""
        return ops.relu(self.spatial(x, training))


@keras.saving.register_keras_serializable("activation_study")
class ReLUDepthwiseReLU(FReLU):
    """max(T(max(x, 0)), 0): ReLU with one depthwise convolution more per activation. Otherwise the same as FReLU."""

    def call(self, x: Any, training: bool = False) -> Any:
        """The activation of x."""
        return ops.relu(self.spatial(ops.relu(x), training))


@keras.saving.register_keras_serializable("activation_study")
class ResidualDepthwiseReLU(FReLU):
    """max(x + T(x), 0): the added depth as a residual branch. Otherwise the same as FReLU."""

    def call(self, x: Any, training: bool = False) -> Any:
        """The activation of x."""
        return ops.relu(x + self.spatial(x, training))


def _seeded(name: str, seed: int) -> keras.Initializer:
    """The named initializer, seeded if it takes a seed."""
    initializer = keras.initializers.get(name)
    if "seed" not in inspect.signature(type(initializer).__init__).parameters:
        return initializer
    return type(initializer).from_config({**initializer.get_config(), "seed": seed})
