"""The factory that turns the configuration of an activation into layers."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from activation_study.model import activations

# (the layer's name, its seed) → a new layer.
ActivationFactory = Callable[[str, int], keras.Layer]

# Layers of Keras that are not allowed, since they run arbitrary code; layers of `activations` that are allowed.
UNSAFE_LAYERS = ("Lambda", "TFSMLayer", "JaxLayer", "FlaxLayer", "TorchModuleWrapper")
CUSTOM_LAYERS = ("Mish", "FReLU", "DepthwiseReLU", "ReLUDepthwiseReLU", "ResidualDepthwiseReLU")


def _check_arguments(value: Any) -> None:
    """Raises ValueError if arguments name an object outside Keras, or contain code as text."""
    if isinstance(value, dict):
        module, name = str(value.get("module") or "keras"), str(value.get("class_name", ""))
        if module.partition(".")[0] != "keras" or "lambda" in name.lower():
            raise ValueError(f"activation.layer: its arguments name {module} {name}: only objects of Keras are allowed")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_arguments(item)


def activation_factory(target: str, arguments: dict[str, Any], scope: str = "all") -> ActivationFactory:
    """Turns a configured class and its arguments into a factory of layers.

    Args:
        target: `keras.layers.<class>` or `activation_study.model.activations.<class>`, nothing else.
        arguments: of the class.
        scope: `all`, `encoder` or `decoder`: layers whose name does not start with it are ReLU.

    Returns:
        (name, seed) → a new layer of that name, seeded if the class takes a `seed`.

    Raises:
        ValueError: the target is not allowed, or the class rejects the arguments; the message has both.
    """
    module, _, class_name = target.rpartition(".")
    modules: dict[str, dict[str, Any]] = {
        "keras.layers": vars(keras.layers),
        activations.__name__: {layer: getattr(activations, layer) for layer in CUSTOM_LAYERS},
    }
    if module not in modules:
        raise ValueError(f"activation.layer._target_={target}: only classes of {' or '.join(modules)} are allowed")
    candidate = modules[module].get(class_name)
    if not (inspect.isclass(candidate) and issubclass(candidate, keras.Layer)):
        raise ValueError(f"activation.layer._target_={target}: {module} has no layer of that name")
    if class_name in UNSAFE_LAYERS:
        raise ValueError(f"activation.layer._target_={target}: not allowed, since it can run arbitrary code")
    _check_arguments(arguments)
    layer_class: Callable[..., keras.Layer] = candidate
    takes_seed = "seed" in inspect.signature(layer_class).parameters

    def make(name: str, seed: int) -> keras.Layer:
        if scope != "all" and not name.startswith(scope):
            return keras.layers.ReLU(name=name)
        return layer_class(name=name, **arguments, **({"seed": seed} if takes_seed else {}))

    try:
        shape = make(f"{scope}_trial", 0)(keras.KerasTensor((None, 4, 4, 2))).shape
    except Exception as error:  # whatever a layer raises about its arguments
        raise ValueError(f"activation.layer: {target} rejects {arguments}: {error}") from error
    if shape != (None, 4, 4, 2):
        raise ValueError(f"activation.layer: {target} is not an activation: it changes the shape of its input")
    return make
