"""The foreground objects of the scenes, as outlines in units of their own height."""

from activation_study.data.scenes.canvas import GRASS, ROAD, WATER
from activation_study.data.scenes.shapes import Polygons, ellipses, polygon

_Part = tuple[int | None, Polygons]  # its color 0xRRGGBB, None for the object's own, and its outline
_BLACK, _GLASS, _RED, _WHITE, _GREY = 0x26262A, 0x4C6070, 0xB8322C, 0xF2F2EE, 0x6A6E72
_WOOD, _SKIN, _CLOTH, _HIDE, _WOOL = 0x7A5A3C, 0xC99A78, 0x3E4A66, 0x6E4A32, 0xD9D2C2


def _part(color: int | None, *numbers: float) -> _Part:
    """An ellipse (x, y, half width, half height) or, with more numbers, a polygon (x, y, x, y, …)."""
    return color, ellipses(*numbers) if len(numbers) == 4 else polygon(*numbers)


def _box(color: int | None, x0: float, y0: float, x1: float, y1: float) -> _Part:
    return color, polygon(x0, y0, x1, y0, x1, y1, x0, y1)


_CAR = (
    _part(None, -1.45, 0.2, -1.47, 0.52, -0.8, 0.68, -0.45, 1.0, 0.45, 1.0, 0.88, 0.68, 1.47, 0.52, 1.45, 0.2),
    _part(_GLASS, -0.68, 0.68, -0.4, 0.94, 0.4, 0.94, 0.7, 0.68), _box(_BLACK, -0.03, 0.68, 0.03, 0.94),
    *(_part(_BLACK, x, 0.22, 0.23, 0.23) for x in (-0.88, 0.9)),
)  # fmt: skip
_PERSON = (
    *(_part(_CLOTH, x, 0.5, 2 * x - 0.05, 0.0, 2 * x + 0.05, 0.0, x + 0.1, 0.5) for x in (-0.1, 0.04)),
    _part(None, -0.12, 0.46, -0.19, 0.5, -0.15, 0.8, -0.05, 0.84, 0.05, 0.84, 0.15, 0.8, 0.19, 0.5, 0.12, 0.46),
    _part(_BLACK, 0.0, 0.935, 0.07, 0.07), _part(_SKIN, 0.02, 0.91, 0.055, 0.06),
)  # fmt: skip
_COW = (
    *(_box(_HIDE, x, 0.0, x + 0.1, 0.5) for x in (-0.55, -0.38, 0.3, 0.46)),
    _part(_HIDE, -0.62, 0.42, -0.64, 0.86, 0.45, 0.9, 0.62, 0.84, 0.6, 0.45, 0.3, 0.36, -0.3, 0.36),
    _part(_HIDE, -0.52, 0.9, -0.66, 1.0, -0.98, 0.82, -1.02, 0.68, -0.9, 0.64, -0.6, 0.6),
    _part(_WOOL, -0.2, 0.72, 0.2, 0.14), _part(_WOOL, 0.38, 0.62, 0.15, 0.18),
)  # fmt: skip
_SIGN = (_box(_GREY, -0.02, 0, 0.02, 0.8), _part(_RED, 0, 0.84, 0.16, 0.16), _box(_WHITE, -0.1, 0.81, 0.1, 0.87))
_FENCE = (
    *(_box(_WOOD, x, 0.0, x + 0.14, 1.0) for x in range(-2, 3)),
    *(_box(_WOOD, -2.1, y, 2.25, y + 0.12) for y in (0.35, 0.72)),
)
_SAIL_BOAT = (
    _part(_WHITE, 0.02, 0.98, 0.02, 0.22, 0.42, 0.22), _part(None, -0.04, 0.9, -0.04, 0.22, -0.3, 0.22),
    _box(_WOOD, -0.02, 0.1, 0.02, 1.0), _part(None, -0.5, 0.17, 0.52, 0.17, 0.38, 0.0, -0.36, 0.0),
)  # fmt: skip
_ROWING_BOAT = (
    _box(_CLOTH, -0.13, 0.35, 0.13, 0.75), _part(_BLACK, 0.0, 0.9, 0.11, 0.11),
    _part(None, -1.1, 0.45, 1.15, 0.48, 0.85, 0.0, -0.8, 0.0),
)  # fmt: skip

SPRITES = {  # usual height in metres and parts, from back to front, of the objects on each class of ground
    ROAD: ((1.5, _CAR), (1.6, _PERSON), (2.4, _SIGN)),
    GRASS: ((1.4, _COW), (1.6, _PERSON), (1.2, _FENCE)),
    WATER: ((5.0, _SAIL_BOAT), (1.1, _ROWING_BOAT)),
}
