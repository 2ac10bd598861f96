"""The foreground objects of the drawn scenes, as polygons in units of their own height."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from activation_study.data.scenes.canvas import Colour, Polygons, bgr, ellipses, polygon, shade, vary
from activation_study.data.scenes.landscape import GRASS, ROAD, WATER

_Part = tuple[str, *tuple[float, ...]]  # a part as it is written below, see `_parts`
_FIXED = {
    "tyre": 0x26262A, "hub": 0x9A9CA0, "glass": 0x4C6070, "lamp": 0xF2E6B0, "rear": 0xB8322C, "plate": 0xE8E6DC,
    "skin": 0xC99A78, "hair": 0x3E2E22, "shoes": 0x2E2A28, "cloth": 0x3E4A66, "hide": 0x6E4A32, "patch": 0xE6DFD2,
    "hoof": 0x3A3028, "wool": 0xD9D2C2, "wood": 0x7A5A3C, "sail": 0xF0ECE0, "pole": 0x6A6E72, "white": 0xF2F2EE,
}  # fmt: skip


@dataclass(frozen=True)
class Sprite:
    """One kind of object.

    Args:
        parts: (ink, polygons) from back to front; x to the right of the foot, y upwards, the height is about 1.
        metres: smallest and largest height.
        stands_on: the `regions` classes of the ground where it occurs.
        weight: how often, relative to the others there.
    """

    parts: tuple[tuple[str, Polygons], ...]
    metres: tuple[float, float]
    stands_on: tuple[int, ...]
    weight: float = 1.0

    @cached_property
    def inks(self) -> frozenset[str]:
        """The names of all colours used."""
        return frozenset(ink for ink, _ in self.parts)

    def colours(self, rng: np.random.Generator, paint: Colour) -> Mapping[str, Colour]:
        """The colour of each ink; `paint` and its shades are the object's own."""
        inks = {ink: vary(rng, bgr(colour), 0.1) for ink, colour in _FIXED.items() if ink in self.inks}
        return inks | {"paint": paint, "shadow": shade(paint, 0.72), "shine": shade(paint, 1.25)}


def _parts(*parts: _Part) -> tuple[tuple[str, Polygons], ...]:
    """(ink, x, y, r) is a disc, (ink, x, y, half width, half height) an ellipse, with more numbers a polygon."""
    shapes = []
    for ink, *numbers in parts:
        if len(numbers) <= 4:
            x, y, across, *down = numbers
            shapes.append((ink, ellipses(x, y, across, *(down or [across]))))
        else:
            shapes.append((ink, polygon(*numbers)))
    return tuple(shapes)


def _box(ink: str, x0: float, y0: float, x1: float, y1: float) -> _Part:
    return (ink, x0, y0, x1, y0, x1, y1, x0, y1)


_CAR = _parts(
    ("paint", -1.45, 0.2, -1.47, 0.52, -1.3, 0.62, -0.8, 0.68, -0.45, 1.0, 0.45, 1.0, 0.88, 0.68, 1.4, 0.6, 1.47, 0.45,
     1.45, 0.2),
    ("shadow", -1.45, 0.2, -1.46, 0.36, 1.46, 0.36, 1.45, 0.2),
    ("glass", -0.68, 0.68, -0.4, 0.94, -0.03, 0.94, -0.03, 0.68),
    ("glass", 0.04, 0.68, 0.04, 0.94, 0.4, 0.94, 0.7, 0.68),
    ("shine", -1.3, 0.6, -0.8, 0.66, 0.88, 0.66, 1.38, 0.58, 1.38, 0.54, -1.3, 0.55),
    ("lamp", -1.45, 0.5, 0.09, 0.06), ("rear", 1.43, 0.5, 0.06, 0.07),
    ("tyre", -0.88, 0.22, 0.23), ("tyre", 0.9, 0.22, 0.23), ("hub", -0.88, 0.22, 0.11), ("hub", 0.9, 0.22, 0.11),
)  # fmt: skip
_CAR_BEHIND = _parts(
    _box("tyre", -0.56, 0.0, -0.38, 0.3), _box("tyre", 0.38, 0.0, 0.56, 0.3),
    ("paint", -0.6, 0.15, -0.63, 0.6, -0.54, 0.68, -0.42, 1.0, 0.42, 1.0, 0.54, 0.68, 0.63, 0.6, 0.6, 0.15),
    ("glass", -0.46, 0.68, -0.36, 0.94, 0.36, 0.94, 0.46, 0.68),
    _box("shadow", -0.6, 0.15, 0.6, 0.3), _box("rear", -0.6, 0.48, -0.42, 0.6), _box("rear", 0.42, 0.48, 0.6, 0.6),
    _box("plate", -0.17, 0.36, 0.17, 0.48),
)  # fmt: skip
_BUS = _parts(
    _box("paint", -1.6, 0.14, 1.6, 1.0), _box("shadow", -1.6, 0.14, 1.6, 0.3), _box("shine", -1.6, 0.93, 1.6, 1.0),
    *(_box("glass", -1.5 + 0.5 * i, 0.52, -1.06 + 0.5 * i, 0.86) for i in range(6)),
    ("lamp", -1.56, 0.28, 0.05), ("tyre", -1.0, 0.14, 0.15), ("tyre", 1.0, 0.14, 0.15),
    ("hub", -1.0, 0.14, 0.07), ("hub", 1.0, 0.14, 0.07),
)  # fmt: skip
_STANDING = _parts(
    _box("cloth", -0.09, 0.03, -0.01, 0.5), _box("cloth", 0.01, 0.03, 0.09, 0.5),
    _box("shoes", -0.12, 0.0, -0.01, 0.04), _box("shoes", 0.0, 0.0, 0.11, 0.04),
    ("shadow", -0.15, 0.8, -0.19, 0.48, -0.13, 0.47, -0.09, 0.78),
    ("shadow", 0.15, 0.8, 0.19, 0.48, 0.13, 0.47, 0.09, 0.78),
    ("paint", -0.11, 0.46, -0.15, 0.8, -0.06, 0.84, 0.06, 0.84, 0.15, 0.8, 0.11, 0.46),
    _box("skin", -0.03, 0.82, 0.03, 0.88), ("hair", 0.0, 0.935, 0.07, 0.075), ("skin", 0.012, 0.915, 0.052, 0.062),
)  # fmt: skip
_WALKING = _parts(
    ("cloth", -0.08, 0.5, -0.2, 0.04, -0.12, 0.03, 0.04, 0.5), ("cloth", -0.04, 0.5, 0.12, 0.03, 0.2, 0.04, 0.08, 0.5),
    ("shoes", -0.21, 0.05, -0.2, 0.0, -0.09, 0.0, -0.11, 0.05), ("shoes", 0.11, 0.05, 0.12, 0.0, 0.24, 0.0, 0.2, 0.05),
    ("paint", -0.12, 0.46, -0.13, 0.8, -0.05, 0.84, 0.05, 0.84, 0.13, 0.8, 0.11, 0.46),
    ("shadow", -0.02, 0.78, 0.14, 0.5, 0.2, 0.52, 0.07, 0.8), ("skin", 0.18, 0.5, 0.035),
    _box("skin", -0.02, 0.82, 0.04, 0.88), ("hair", 0.0, 0.935, 0.07, 0.075), ("skin", 0.025, 0.915, 0.05, 0.06),
)  # fmt: skip
_DRESS = _parts(
    _box("skin", -0.07, 0.02, -0.02, 0.3), _box("skin", 0.02, 0.02, 0.07, 0.3), _box("shoes", -0.1, 0.0, 0.1, 0.03),
    ("hair", 0.0, 0.9, 0.085, 0.11),
    ("paint", -0.19, 0.24, -0.09, 0.6, -0.12, 0.81, 0.12, 0.81, 0.09, 0.6, 0.19, 0.24),
    ("skin", -0.12, 0.81, -0.17, 0.5, -0.12, 0.5, -0.08, 0.74), ("skin", 0.12, 0.81, 0.17, 0.5, 0.12, 0.5, 0.08, 0.74),
    ("skin", 0.005, 0.915, 0.052, 0.062),
)  # fmt: skip
_COW = _parts(
    *(_box("hide", x, 0.04, x + 0.1, 0.5) for x in (-0.55, -0.38, 0.3, 0.46)),
    *(_box("hoof", x, 0.0, x + 0.1, 0.06) for x in (-0.55, -0.38, 0.3, 0.46)),
    ("hide", -0.62, 0.42, -0.64, 0.86, -0.5, 0.92, 0.45, 0.9, 0.62, 0.84, 0.6, 0.45, 0.3, 0.36, -0.3, 0.36),
    ("hide", -0.52, 0.9, -0.66, 1.0, -0.98, 0.82, -1.02, 0.68, -0.9, 0.64, -0.6, 0.6),
    ("patch", -0.2, 0.72, 0.2, 0.14), ("patch", 0.38, 0.62, 0.15, 0.18), ("patch", -0.97, 0.7, 0.06, 0.06),
    ("hoof", -0.68, 0.98, -0.74, 1.1, -0.62, 1.0), ("hide", 0.6, 0.84, 0.7, 0.78, 0.7, 0.35, 0.65, 0.35, 0.64, 0.7),
)  # fmt: skip
_SHEEP = _parts(
    *(_box("hoof", x, 0.0, x + 0.08, 0.35) for x in (-0.38, -0.24, 0.18, 0.32)),
    ("wool", -0.3, 0.62, 0.3), ("wool", 0.3, 0.62, 0.3), ("wool", 0.0, 0.7, 0.32), ("wool", 0.0, 0.5, 0.3),
    ("patch", -0.12, 0.78, 0.2), ("patch", 0.22, 0.76, 0.17), ("hoof", -0.6, 0.78, 0.15, 0.12),
)  # fmt: skip
_DOG = _parts(
    *(_box("hide", x, 0.0, x + 0.1, 0.5) for x in (-0.5, -0.34, 0.3, 0.46)),
    ("hide", -0.55, 0.4, -0.5, 0.7, 0.5, 0.68, 0.58, 0.42), ("hide", -0.45, 0.62, -0.65, 0.98, -0.4, 0.98, -0.25, 0.68),
    ("hide", -0.7, 0.86, 0.22, 0.13), ("hoof", -0.48, 0.98, -0.4, 0.72, -0.55, 0.86), ("hoof", -0.9, 0.86, 0.05),
    ("hide", 0.5, 0.66, 0.85, 0.98, 0.9, 0.92, 0.58, 0.56),
)  # fmt: skip
_SAIL_BOAT = _parts(
    _box("wood", -0.02, 0.1, 0.02, 1.0),
    ("sail", 0.03, 0.98, 0.03, 0.22, 0.42, 0.22), ("paint", -0.04, 0.9, -0.04, 0.22, -0.3, 0.22),
    ("white", -0.5, 0.17, 0.52, 0.17, 0.38, 0.0, -0.36, 0.0), ("paint", -0.43, 0.09, 0.45, 0.09, 0.38, 0.0, -0.36, 0.0),
)  # fmt: skip
_ROWING_BOAT = _parts(
    ("cloth", -0.1, 0.35, -0.13, 0.75, 0.13, 0.75, 0.14, 0.35),
    ("skin", 0.0, 0.88, 0.1, 0.12), ("hair", 0.0, 0.95, 0.1, 0.07),
    ("wood", 0.05, 0.6, 0.8, 0.1, 0.84, 0.14, 0.08, 0.68),
    ("paint", -1.1, 0.45, 1.15, 0.48, 0.85, 0.0, -0.8, 0.0), ("shine", -1.1, 0.45, 1.15, 0.48, 1.1, 0.38, -1.04, 0.36),
)  # fmt: skip
_DUCK = _parts(
    ("hide", -0.55, 0.3, 0.0, 0.0, 0.5, 0.0, 0.95, 0.45, 0.3, 0.5, -0.2, 0.5), ("hide", -0.1, 0.26, 0.5, 0.26),
    ("plate", 0.2, 0.34, 0.35, 0.12), ("hoof", -0.5, 0.4, -0.55, 0.75, -0.25, 0.75, -0.15, 0.4),
    ("hoof", -0.42, 0.8, 0.2), ("lamp", -0.6, 0.82, -0.9, 0.74, -0.6, 0.7),
)  # fmt: skip
_SIGN = _parts(
    _box("pole", -0.02, 0.0, 0.02, 0.8),
    ("rear", 0.0, 0.84, 0.16), ("white", 0.0, 0.84, 0.11), _box("rear", -0.08, 0.81, 0.08, 0.87),
)  # fmt: skip
_LAMP_POST = _parts(
    _box("pole", -0.016, 0.0, 0.016, 0.98), _box("pole", -0.03, 0.0, 0.03, 0.12),
    ("pole", 0.0, 0.95, 0.2, 1.0, 0.2, 0.97, 0.0, 0.92), ("lamp", 0.2, 0.965, 0.06, 0.025),
)  # fmt: skip
_BENCH = _parts(
    *(_box("hoof", x, 0.0, x + 0.06, 0.95) for x in (-0.85, 0.8)),
    *(_box("wood", -1.0, y, 1.0, y + 0.14) for y in (0.42, 0.62, 0.84)),
)  # fmt: skip
_FENCE = _parts(
    *(_box("wood", -3.0 + i, 0.0, -2.86 + i, 1.0) for i in range(7)),
    *(_box("wood", -3.1, y, 3.25, y + 0.12) for y in (0.35, 0.72)),
)  # fmt: skip

SPRITES = (
    Sprite(_CAR, (1.4, 1.7), (ROAD,), 3.0),
    Sprite(_CAR_BEHIND, (1.4, 1.8), (ROAD,), 1.5),
    Sprite(_BUS, (2.6, 3.2), (ROAD,), 0.8),
    Sprite(_STANDING, (1.6, 1.9), (ROAD, GRASS), 1.4),
    Sprite(_WALKING, (1.6, 1.9), (ROAD, GRASS), 1.4),
    Sprite(_DRESS, (1.5, 1.8), (ROAD, GRASS), 1.0),
    Sprite(_DOG, (0.5, 0.8), (ROAD, GRASS), 0.4),
    Sprite(_COW, (1.3, 1.6), (GRASS,), 3.0),
    Sprite(_SHEEP, (0.8, 1.0), (GRASS,), 2.0),
    Sprite(_BENCH, (0.8, 1.0), (GRASS,), 0.8),
    Sprite(_FENCE, (1.0, 1.4), (GRASS,), 1.0),
    Sprite(_SIGN, (2.2, 2.8), (ROAD, GRASS), 0.6),
    Sprite(_LAMP_POST, (4.0, 6.0), (ROAD,), 0.7),
    Sprite(_SAIL_BOAT, (3.5, 7.0), (WATER,), 2.0),
    Sprite(_ROWING_BOAT, (0.9, 1.3), (WATER,), 2.0),
    Sprite(_DUCK, (0.4, 0.6), (WATER,), 1.0),
)
