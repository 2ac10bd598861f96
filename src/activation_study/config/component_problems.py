"""What is wrong with the options of groups that name classes, as far as their keys alone tell.

The classes themselves check the rest, before a run starts.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from activation_study.config.fields import is_number
from activation_study.config.schema import Config
from activation_study.errors import BadInput

# The groups whose options name a class or function.
COMPONENT_GROUPS = ("model", "normalization", "upsampling", "initializer", "optimizer", "schedule", "loss")
EXAMPLES = {"optimizer": "keras.optimizers.Adam", "normalization": "keras.layers.GroupNormalization"}
# Key → what its number must be, in words and as a test.
RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "optimizer.learning_rate": ("a number above 0", lambda value: 0 < value < math.inf),
    "schedule.factor": ("a number between 0 and 1", lambda value: 0 < value < 1),
    "schedule.patience": ("a number of 0 or more", lambda value: value >= 0),
    "schedule.min_delta": ("a number of 0 or more", lambda value: value >= 0),
    "schedule.warmup_epochs": ("a number of 0 or more", lambda value: value >= 0),
    "normalization.momentum": ("a number of at least 0 and below 1", lambda value: 0 <= value < 1),
}
# Of these a whole number is meant as a floating-point number, so that 1 and 1.0 are one run.
FLOATS = ("optimizer.learning_rate", "schedule.factor", "schedule.min_delta", "normalization.momentum")


def make_floats(config: Config) -> None:
    """Replaces whole numbers by floating-point numbers where such are meant."""
    for key in FLOATS:
        group, _, last = key.partition(".")
        values = getattr(config, group)
        if is_number(values.get(last)):
            values[last] = float(values[last])


def weights_file_digest(path: Path) -> str:
    """The SHA-256 of a file of weights.

    Raises:
        BadInput: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadInput(f"model.encoder_weights={path}: {error.strerror}; expected a .keras file") from error


def is_built_in(options: dict[str, Any]) -> bool:
    """Whether the class of an option is one of this project or of Keras; only these are known here."""
    return str(options.get("_target_")).startswith(("activation_study.", "keras."))


def component_problems(config: Config) -> Iterator[str]:
    """An error message for each problem."""
    for group in COMPONENT_GROUPS:
        if not str(getattr(config, group).get("_target_") or ""):
            example = f", e.g. {EXAMPLES[group]}" if group in EXAMPLES else ""
            yield f"{group}._target_: required, the class of the option{example}"
    for key, (expected, is_right) in RANGES.items():
        group, _, last = key.partition(".")
        value = getattr(config, group).get(last)
        own = not is_built_in(getattr(config, group)) and key != "optimizer.learning_rate"
        if last in getattr(config, group) and not own and not (is_number(value) and is_right(value)):
            yield f"{key}={value}: expected {expected}"
    if "learning_rate" not in config.optimizer:
        yield f"optimizer.learning_rate: required, {RANGES['optimizer.learning_rate'][0]}"
    for key, allowed in (
        ("loss.unlabeled", ("article", "ignored")),
        ("loss.average_over", ("all_pixels", "known_pixels")),
    ):
        value = config.loss.get(key.partition(".")[2], allowed[0])
        if value not in allowed and is_built_in(config.loss):
            yield f"{key}={value}: expected {' or '.join(allowed)}"
    yield from _shape_problems(config.model)


def _shape_problems(model: dict[str, Any]) -> Iterator[str]:
    """Of the numbers that describe a network's levels, where it has such."""
    if "widths" not in model or not is_built_in(model):
        return
    shapes = {key: model[key] for key in ("widths", "encoder_blocks", "decoder_blocks") if key in model}
    lists = {key: values for key, values in shapes.items() if _are_whole_numbers(values)}
    for key in shapes.keys() - lists.keys():
        yield f"model.{key}={shapes[key]}: expected whole numbers of 1 or more, e.g. [8,16,32]"
    levels = len(lists.get("widths", ()))
    if "widths" in lists and levels < 2:
        yield f"model.widths={model['widths']}: expected two or more levels"
    for key, length in (("encoder_blocks", levels), ("decoder_blocks", levels - 1)):
        if levels >= 2 and key in lists and len(lists[key]) != length:
            yield f"model.{key}={lists[key]}: expected {length} numbers for {levels} widths"


def _are_whole_numbers(values: Any) -> bool:
    whole = isinstance(values, list) and all(isinstance(each, int) and not isinstance(each, bool) for each in values)
    return whole and all(each >= 1 for each in values)
