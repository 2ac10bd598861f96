"""An encoder that starts with the weights of a trained network instead of random ones."""

import json
from pathlib import Path
from typing import Any

import keras

from activation_study.config.component_problems import weights_file_digest
from activation_study.errors import BadInput, problems_message
from activation_study.model.portable import portable

PREFIX = "encoder"
_NOT_COMPARED = ("initializer", "regularizer", "constraint", "seed", "dtype", "trainable", "momentum")


def load_encoder_weights(network: keras.Model, path: Path, digest: str) -> None:
    """Copies the weights of all layers whose names begin with `encoder` from a `.keras` file, e.g. a run's best.keras.

    Args:
        network: untrained; changed in place.
        path: of a network with the same layers in its encoder.
        digest: of the file, as the run records it.

    Raises:
        BadInput: the file cannot be read or has changed, or its encoder is another one; the network is then unchanged.
    """
    if weights_file_digest(path) != digest:
        raise BadInput(f"model.encoder_weights={path}: the file has changed since the start; start again")
    try:
        source = keras.saving.load_model(path, compile=False)  # in Keras' safe mode
    except Exception as error:  # whatever a damaged file raises
        raise BadInput(f"model.encoder_weights={path} cannot be read: {error}") from error
    given, here = _encoder(source), _encoder(portable(network))  # the files of runs are portable
    problems = [f"{name}: missing in the file" for name in here.keys() - given.keys()]
    problems += [f"{name}: only in the file" for name in given.keys() - here.keys()]
    problems += [problem for name in here if name in given and (problem := _problem(given[name], here[name]))]
    if problems or not here:
        hint = "Expected a network with the same model, channels, normalization and activations of its encoder."
        raise BadInput(problems_message(f"model.encoder_weights={path} does not fit", sorted(problems), hint))
    for name, layer in _encoder(network).items():
        layer.set_weights(given[name].get_weights())


def _encoder(network: keras.Model) -> dict[str, keras.Layer]:
    return {layer.name: layer for layer in network.layers if layer.name.startswith(PREFIX)}


def _problem(given: keras.Layer, here: keras.Layer) -> str | None:
    """Why a layer cannot take the weights of another one; None if it can."""
    kinds = [_kind(layer) for layer in (given, here)]
    if kinds[0] != kinds[1]:
        return f"{here.name}: {kinds[0]} in the file, {kinds[1]} here"
    options = [_options(layer) for layer in (given, here)]
    different = [key for key in options[0] if options[0][key] != options[1].get(key)]
    if different:
        return f"{here.name}: {', '.join(f'{key}={options[0][key]}' for key in different)} in the file"
    shapes = [[tuple(weight.shape) for weight in layer.weights] for layer in (given, here)]
    return f"{here.name}: weights of {shapes[0]} in the file, {shapes[1]} here" if shapes[0] != shapes[1] else None


def _kind(layer: keras.Layer) -> str:
    """The class of a layer, and of a Keras activation its function: "Activation gelu"."""
    function = getattr(layer, "activation", None) if isinstance(layer, keras.layers.Activation) else None
    return f"{type(layer).__name__} {getattr(function, '__name__', '')}".strip()


def _options(layer: keras.Layer) -> dict[str, str]:
    """What decides what a layer computes, by the names of its arguments, as text."""
    config: dict[str, Any] = layer.get_config()
    return {
        key: json.dumps(value, default=str, sort_keys=True)
        for key, value in config.items()
        if not any(word in key for word in _NOT_COMPARED)
    }
