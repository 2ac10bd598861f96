"""The colours of classes and activations, the same everywhere and distinguishable with any colour vision.

Source: Okabe and Ito, "Color Universal Design", 2008, and Tol, "Colour Schemes", SRON/EPS/TN/09-002, 2021.
"""

import colorsys
from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Any
from zlib import crc32

CLASS_COLORS = {
    "sky": "#88CCEE",
    "tree": "#117733",
    "road": "#777777",
    "grass": "#99B933",
    "water": "#332288",
    "building": "#CC6677",
    "mountain": "#AA7744",
    "foreground object": "#F0E442",
    "horizontal": "#999933",
    "vertical": "#882255",
    "interior": "#DDDDDD",
    "border": "#222222",
}
UNKNOWN_COLOR = "#FFFFFF"
_SPARE_COLORS = ("#DDCC77", "#44AA99", "#661100", "#6699CC", "#AA4466", "#000000")


def class_colors(classes: Sequence[str], chosen: Sequence[str | None] = ()) -> list[str]:
    """The colour of each class, as "#RRGGBB".

    Args:
        classes: names of the classes.
        chosen: a colour for each class, or None for its usual colour; a class without one gets an unused colour.
    """
    chosen = chosen or [None] * len(classes)
    assigned = [color or CLASS_COLORS.get(name) for name, color in zip(classes, chosen, strict=True)]
    spare = (color for color in chain(_SPARE_COLORS, _generated_colors()) if color not in assigned)
    return [color or next(spare) for color in assigned]


def rgb(color: str) -> tuple[int, int, int]:
    """Red, green and blue (0 … 255) of "#RRGGBB"."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def recorded_colors(config: dict[str, Any], classes: Sequence[str]) -> list[str]:
    """The colour of each class of a run, from its resolved configuration."""
    class_list = config["data"].get("classes")
    return [entry["color"] for entry in class_list["classes"]] if class_list else class_colors(classes)


def recorded_ids(config: dict[str, Any], classes: Sequence[str]) -> list[int]:
    """The id of each class in label images, from a run's resolved configuration: the first one of several."""
    class_list = config["data"].get("classes")
    return [entry["ids"][0] for entry in class_list["classes"]] if class_list else list(range(len(classes)))


def _generated_colors() -> Iterator[str]:
    """An endless series of alternately dark and light colours; the golden ratio keeps successive hues apart."""
    for number in count():
        channels = colorsys.hls_to_rgb(number * 0.618034 % 1, (0.35, 0.65)[number % 2], 0.6)
        yield "#" + "".join(f"{round(255 * channel):02X}" for channel in channels)


ACTIVATION_COLORS = {
    "relu": "#0072B2",
    "mish": "#E69F00",
    "frelu": "#009E73",
    "silu": "#CC79A7",
    "gelu": "#D55E00",
    "dw_relu": "#56B4E9",
    "relu_dw_relu": "#D55E00",
    "dw_relu_residual": "#CC79A7",
    "frelu_1x1": "#999933",
    "frelu_zero_gamma": "#882255",
    "elu": "#332288",
    "leaky_relu": "#117733",
    "prelu": "#AA4499",
    "hard_silu": "#DDCC77",
}
_SPARE_ACTIVATION_COLORS = [color for color in _SPARE_COLORS if color not in ACTIVATION_COLORS.values()]


def activation_color(name: str) -> str:
    """The usual colour of an activation, as "#RRGGBB"; one without its own gets a spare colour by its name."""
    return ACTIVATION_COLORS.get(name) or _SPARE_ACTIVATION_COLORS[crc32(name.encode()) % len(_SPARE_ACTIVATION_COLORS)]


def activation_colors(names: Sequence[str]) -> dict[str, str]:
    """The usual colour of each activation, as "#RRGGBB"; an unused one if an earlier activation has the same."""
    colors: dict[str, str] = {}
    for name in names:
        candidates = chain((activation_color(name),), _SPARE_ACTIVATION_COLORS, _generated_colors())
        colors[name] = next(color for color in candidates if color not in colors.values())
    return colors
