"""The loss of a configuration."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import keras

from activation_study.config.components import make_component
from activation_study.errors import BadInput
from activation_study.model.losses import cross_entropy, overlap, total
from activation_study.model.losses.base import SegmentationLoss
from activation_study.model.losses.keras_loss import KerasLoss

MODULES = {module.__name__: vars(module) for module in (cross_entropy, overlap, total)}
_KERAS = "keras.losses"


def make_loss(options: Mapping[str, Any], class_pixels: Sequence[int] = (), key: str = "loss") -> SegmentationLoss:
    """The loss that an option of the configuration describes.

    Args:
        options: the group `loss`: `name`, `_target_` and arguments. A class of `keras.losses` gets logits where it can,
            and has the argument `average_over` in addition.
        class_pixels: the number of training pixels of each class.
        key: for messages.

    Raises:
        BadInput: the class is not allowed, or rejects the arguments; the message has both.
    """
    if not isinstance(options, Mapping):
        raise BadInput(f"{key}: {options}: expected a loss's class and arguments, {{_target_: …}}")
    if str(options.get("_target_")).startswith(f"{_KERAS}."):
        return _of_keras(options, key)
    options = dict(options)
    if isinstance(options.get("losses"), list):  # of `Sum`
        parts = enumerate(options["losses"], 1)
        options["losses"] = [make_loss(each, class_pixels, f"{key}.losses, number {n}") for n, each in parts]
    loss: SegmentationLoss = make_component(key, options, SegmentationLoss, MODULES, class_pixels=class_pixels)
    return loss


def _of_keras(options: Mapping[str, Any], key: str) -> SegmentationLoss:
    arguments = {name: value for name, value in options.items() if name != "average_over"}
    modules = {_KERAS: vars(keras.losses)}
    loss = make_component(key, arguments, keras.losses.Loss, modules, from_logits=True, reduction=None)
    target = options["_target_"]
    if "from_logits" not in inspect.signature(type(loss)).parameters:
        raise BadInput(f"{key}: {target} takes no logits; expected a loss of classes, e.g. CategoricalCrossentropy")
    try:
        return KerasLoss(loss, options.get("average_over", "known_pixels"))
    except ValueError as error:
        raise BadInput(f"{key}: {target}: {error}") from error
