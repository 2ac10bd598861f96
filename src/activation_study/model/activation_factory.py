"""The factory that turns the configuration of an activation into layers."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from activation_study.config.components import check_arguments, find_target
from activation_study.errors import BadInput
from activation_study.model import activations

# (the layer's name, its seed) → a new layer.
ActivationFactory = Callable[[str, int], keras.Layer]

# Layers of Keras that are not allowed, since they run arbitrary code; layers of `activations` that are allowed.
UNSAFE_LAYERS = ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")
CUSTOM_LAYERS = ("Mish", "FReLU", "DepthwiseReLU", "ReLUDepthwiseReLU", "ResidualDepthwiseReLU")


def activation_factory(target: str, arguments: dict[str, Any], scope: str = "all") -> ActivationFactory:
    """Turns a configured class and its arguments into a factory of layers.

    Args:
        target: `keras.layers.<class>` or `activation_study.model.activations.<class>`, nothing else.
        arguments: of the class.
        scope: `all`, `encoder` or `decoder`: layers whose name does not start with it are ReLU.

    Returns:
        (name, seed) → a new layer of that name, seeded if the class takes a `seed`.

    Raises:
        ValueError: the scope is none of the three (`auto` is resolved by the validation of a configuration).
        BadInput: the target is not allowed, or the class rejects the arguments; the message has both.
    """
    if scope not in ("all", "encoder", "decoder"):
        raise ValueError(f"activation.scope={scope}: not all, encoder or decoder")
    modules = {
        "keras.layers": vars(keras.layers),
        activations.__name__: {layer: getattr(activations, layer) for layer in CUSTOM_LAYERS},
    }
    layer_class = find_target("activation.layer._target_", target, keras.Layer, modules)
    if layer_class.__name__ in UNSAFE_LAYERS:
        raise BadInput(f"activation.layer._target_={target}: not allowed, since it can run arbitrary code")
    check_arguments("activation.layer", arguments)
    takes_seed = "seed" in inspect.signature(layer_class).parameters

    def make(name: str, seed: int) -> keras.Layer:
        if scope != "all" and not name.startswith(scope):
            return keras.layers.ReLU(name=name)
        return layer_class(name=name, **arguments, **({"seed": seed} if takes_seed else {}))

    try:
        shape = make(f"{scope}_trial", 0)(keras.KerasTensor((None, 4, 4, 2))).shape
    except Exception as error:  # whatever a layer raises about its arguments
        raise BadInput(f"activation.layer: {target} rejects {arguments}: {error}") from error
    if shape != (None, 4, 4, 2):
        raise BadInput(f"activation.layer: {target} is not an activation: it changes the shape of its input")
    return make
