"""The factories of a network's layers other than its activations: normalisation, up-sampling, initial weights."""

from collections.abc import Callable
from typing import Any

import keras

from activation_study.config.components import arguments_of, make_component
from activation_study.errors import BadInput
from activation_study.model import normalization

Options = dict[str, Any]  # `name`, `_target_` and arguments
# (seed) → a new initializer of weights.
InitializerFactory = Callable[[int], keras.Initializer]
# (the layer's name, its seed) → a new layer that keeps the shape of its input.
NormalizationFactory = Callable[[str, int], keras.Layer]
# (the layer's name, its seed, its number of channels, the initializer of its weights) → a new layer that doubles both
# sides.
UpsamplingFactory = Callable[[str, int, int, keras.Initializer], keras.Layer]

NORMALIZATIONS = (
    *("BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"),
    "Identity",
)
UPSAMPLINGS = ("UpSampling2D", "Conv2DTranspose")
BATCH = {"_target_": f"{normalization.__name__}.BatchNormalization"}
NEAREST = {"_target_": "keras.layers.UpSampling2D", "interpolation": "nearest"}
HE_NORMAL = {"_target_": "keras.initializers.HeNormal"}


def initializer_factory(options: Options) -> InitializerFactory:
    """The factory of an option of `initializer`.

    Raises:
        BadInput: its class is not allowed, or rejects its arguments.
    """
    modules = {"keras.initializers": vars(keras.initializers)}

    def make(seed: int) -> keras.Initializer:
        return make_component("initializer", options, keras.Initializer, modules, seed=seed)

    make(0)
    return make


def normalization_factory(options: Options) -> NormalizationFactory:
    """The factory of an option of `normalization`.

    Raises:
        BadInput: its class is not allowed, or rejects its arguments.
    """
    modules = {
        "keras.layers": {name: getattr(keras.layers, name) for name in NORMALIZATIONS},
        normalization.__name__: {"BatchNormalization": normalization.BatchNormalization},
    }

    def make(name: str, seed: int) -> keras.Layer:
        return make_component("normalization", options, keras.Layer, modules, name, seed=seed)

    make("trial", 0)
    return make


def upsampling_factory(options: Options) -> UpsamplingFactory:
    """The factory of an option of `upsampling`.

    Raises:
        BadInput: its class is not allowed, rejects its arguments, or does not double both sides.
    """
    modules = {"keras.layers": {name: getattr(keras.layers, name) for name in UPSAMPLINGS}}

    def make(name: str, seed: int, channels: int, initializer: keras.Initializer) -> keras.Layer:
        convolution = {"filters": channels, "strides": 2, "kernel_initializer": initializer}
        return make_component("upsampling", options, keras.Layer, modules, name, size=2, seed=seed, **convolution)

    layer = make("trial", 0, 3, keras.initializers.Zeros())
    try:
        shape = layer(keras.ops.zeros((1, 4, 4, 3))).shape  # a symbolic call does not notice all wrong arguments
    except Exception as error:  # whatever a layer raises about its arguments
        raise BadInput(f"upsampling: {options['_target_']} rejects {arguments_of(options)}: {error}") from error
    if shape != (1, 8, 8, 3):
        raise BadInput(f"upsampling: {options['_target_']} makes {shape[1:]} of (4, 4, 3), expected (8, 8, 3)")
    return make
