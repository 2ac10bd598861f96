"""The colours of classes and activations, the same everywhere and distinguishable with any colour vision.

Source: Okabe and Ito, "Color Universal Design", 2008, and Tol, "Colour Schemes", SRON/EPS/TN/09-002, 2021.
"""

import colorsys
from collections.abc import Iterator, Sequence
from itertools import chain, count, islice, product
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
_MAX_GENERATED = 127  # classes; of more, some of the colours below would differ by one grey level
_LEVELS = (8, 49, 90, 131, 172, 213, 246)  # of each channel; their 343 colours are at least 33 apart


def class_colors(classes: Sequence[str], chosen: Sequence[str | None] = ()) -> list[str]:
    """The colour of each class, as "#RRGGBB".

    Args:
        classes: names of the classes.
        chosen: a colour for each class, or None for its usual colour; a class without one gets an unused colour.
    """
    chosen = chosen or [None] * len(classes)
    assigned = [color or CLASS_COLORS.get(name) for name, color in zip(classes, chosen, strict=True)]
    series: Iterator[str] = chain(_SPARE_COLORS, _generated_colors())
    if len(classes) > _MAX_GENERATED:
        series = _distant_colors([rgb(color) for color in assigned if color])
    spare = (color for color in series if color not in assigned)
    return [color or next(spare) for color in assigned]


def is_generated_color(color: str, name: str) -> bool:
    """Whether `class_colors` may have chosen this colour for a class of this name."""
    if color == CLASS_COLORS.get(name) or all(channel in _LEVELS for channel in rgb(color)):
        return True
    return color in chain(_SPARE_COLORS, islice(_generated_colors(), 2 * _MAX_GENERATED))


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


def _distant_colors(used: Sequence[tuple[int, int, int]]) -> Iterator[str]:
    """Colours of a grid, each as far from all used and earlier ones as possible (squared distance in RGB)."""
    grid = list(product(_LEVELS, repeat=3))[:-1]  # without the lightest, which looks like unknown
    white = rgb(UNKNOWN_COLOR)
    nearest = [min(_squared_distance(color, other) for other in (white, *used)) for color in grid]
    while any(nearest):
        chosen = grid[max(range(len(grid)), key=nearest.__getitem__)]
        nearest = [min(old, _squared_distance(color, chosen)) for old, color in zip(nearest, grid, strict=True)]
        yield "#" + "".join(f"{channel:02X}" for channel in chosen)


def _squared_distance(first: tuple[int, ...], second: tuple[int, ...]) -> int:
    return sum((a - b) ** 2 for a, b in zip(first, second, strict=True))


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
