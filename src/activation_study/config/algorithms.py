"""Versions of algorithms whose code came to compute something else under the same settings.

The protocol's version is one for all runs. An algorithm's version belongs to the identity of the runs that use it and
of no others, so that correcting it leaves all other results valid.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]


def _resizes_labels_by_nearest(config: Values) -> bool:
    return (
        config.get("label_type", {}).get("name") == "layers"
        or config.get("data", {}).get("label_interpolation") == "nearest"
        or config.get("augmentation", {}).get("name") == "flip_crop_color"
        or _crops(config.get("augmentation", {}).get("steps", []))
    )


def _crops(steps: Sequence[Values]) -> bool:
    return any(
        str(step.get("_target_")) == "activation_study.data.augmentation.Crop" or _crops(step.get("steps") or [])
        for step in steps
    )


# 1: `cv2.INTER_NEAREST`, up to half a network pixel beside the image. 2: `resize_nearest`, aligned with it.
NEAREST_LABELS = 2


def _scores_averaged_weights(config: Values) -> bool:
    return bool(config.get("evaluation", {}).get("weights") == "ema")


# 1: the moving statistics are averaged like weights. 2: they are computed anew for the averaged weights.
WEIGHT_AVERAGE = 2


def _has_own_layers(config: Values) -> bool:
    layers = (config.get("activation", {}).get("layer"), *map(config.get, ("normalization", "upsampling", "model")))
    targets = [str(layer["_target_"]) for layer in layers if layer and layer.get("_target_")]
    return any(not each.startswith("activation_study.") and each not in WITHOUT_UNSEEDED_WEIGHTS for each in targets)


# Their initial weights are constants, or seeded.
WITHOUT_UNSEEDED_WEIGHTS = frozenset(
    f"keras.layers.{name}"
    for name in (
        *("Activation", "ReLU", "ELU", "LeakyReLU", "PReLU", "Softmax"),
        *("BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"),
        *("Identity", "UpSampling2D", "Conv2DTranspose"),
    )
)
# 1: initial weights of layers that take no seed are the same for every seed. 2: they follow from seed and layer.
OWN_LAYERS = 2
# Name → current version, and which resolved configurations use it.
ALGORITHMS: dict[str, tuple[int, Callable[[Values], bool]]] = {
    "nearest_labels": (NEAREST_LABELS, _resizes_labels_by_nearest),
    "weight_average": (WEIGHT_AVERAGE, _scores_averaged_weights),
    "own_layers": (OWN_LAYERS, _has_own_layers),
}


def algorithms_of(config: Values) -> dict[str, int]:
    """The algorithms that a resolved configuration uses, with their current versions."""
    return {name: version for name, (version, uses) in ALGORITHMS.items() if uses(config)}
