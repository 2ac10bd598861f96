"""The readable part of a run's name: short forms of the settings that a study varies.

The identity behind it tells runs apart, so the readable part may change, be cut, or be missing.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from activation_study.config.schema import Config

# Key → what stands before its value; other keys by their last part. Empty: the value says it.
_PREFIXES = {
    "optimizer.learning_rate": "lr",
    "training.batch_size": "batch",
    "training.precision": "",
    "training.monitor": "",
    "protocol": "",
    "data.name": "",
    "data.split": "",
    "data.label_interpolation": "",
    "data.channel_order": "",
    "data.image_size": "size",
    "data.remove_duplicates": "deduplicated",
    "data.groups_digest": "groups",
    "loss.average_over": "",
    "evaluation.interpolation": "scored",
    "evaluation.weights": "",
    "seeding.weights": "weights",
    "seeding.order": "order",
    "seeding.augmentation": "augmentation",
    "activation.layer.kernel_size": "kernel",
}
_VALUES = {"mixed_bfloat16": "bf16", "mixed_float16": "fp16", "tensorfloat32": "tf32"}
MAX_SETTING = 24  # characters of one setting
MAX_LENGTH = 60  # characters of all settings; names of folders are limited to 255 bytes
SMALL = 0.01  # numbers below it are written 3e-4


def run_label(config: Config, settings: Mapping[str, Any]) -> str:
    """The readable part of a run's name, e.g. surfaces-relu-lr3e-4-seed0.

    Args:
        config: of the run.
        settings: key → value of what the study varies besides label type, activation and seed.
    """
    parts: list[str] = []
    for number, (key, value) in enumerate(settings.items()):
        part = short_form(key, value)
        if len("-".join([*parts, part])) > MAX_LENGTH:
            parts.append(f"and_{len(settings) - number}_more")
            break
        parts.append(part)
    return "-".join([config.label_type.name, config.activation.name, *parts, f"seed{config.seed}"])


def short_form(key: str, value: Any) -> str:
    """A setting in a few characters that are safe in the name of a folder: lr3e-4, batch8, bf16, scope_encoder."""
    group, _, last = key.rpartition(".")
    prefix = _PREFIXES.get(key, "" if last == "name" else last)
    if isinstance(value, bool):
        return prefix[:MAX_SETTING] if value else f"no_{prefix}"[:MAX_SETTING]
    text = "x".join(map(_text, value)) if isinstance(value, list) else _text(value)
    joined = f"{prefix}{text}" if text[:1].isdigit() or not prefix else f"{prefix}_{text}"
    if not joined.strip("_"):
        joined = group
    safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in joined)
    return safe[:MAX_SETTING].strip(".-_")


def keep_existing_name(config: Config) -> None:
    """Lets a run keep the folder that it has, whatever the readable part of that folder's name says.

    So a run of a sweep is found by a command for this run alone, and the other way round.
    """
    if config.run_folder.is_dir():
        return
    ending = f"-{config.run_key}"
    found = sorted(path for path in config.run_folder.parent.glob(f"*{ending}") if path.is_dir())
    if found:
        config.sweep.label = found[0].name.removesuffix(ending)


def _text(value: Any) -> str:
    """A value as text; a small number with its exponent."""
    if value is None:
        return "none"
    if isinstance(value, float) and 0 < abs(value) < SMALL:
        digits, exponent = Decimal(repr(value)).as_tuple().digits, Decimal(repr(value)).adjusted()
        mantissa = ".".join(filter(None, (str(digits[0]), "".join(map(str, digits[1:])).rstrip("0"))))
        return f"{'-' if value < 0 else ''}{mantissa}e{exponent}"
    return _VALUES.get(str(value), f"{value:g}" if isinstance(value, float) else str(value))
