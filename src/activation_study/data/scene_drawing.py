"""A canvas that keeps a drawn picture and its label map together, and the shapes that things are made of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float]  # blue, green, red; 0 to 255
Polygons = NDArray[np.float64]  # [polygons, corners, (x, y)] in canvas pixels
Shape = tuple[Polygons, Colour]
Texture = tuple[float, float, float, float]  # relative strength of grain, blotches, level streaks, upright streaks

SUPERSAMPLING = 2  # canvas pixels per picture pixel: edges come out smooth while labels stay whole numbers
_FINE_BITS = 3  # corners are placed to 1/8 canvas pixel
_CIRCLE = np.stack([f(np.linspace(0, 2 * np.pi, 14, endpoint=False)) for f in (np.cos, np.sin)], axis=-1)


class Canvas:
    """A picture in the making. Everything added gets its own layer id and hides what was there.

    Args:
        width, height: size of the finished picture in pixels.

    Attributes:
        pixels: uint8 [height · 2, width · 2, 3], BGR.
        layers: uint8 [height · 2, width · 2], the id of the thing seen; so there can be 256 things.
        regions: the `regions` class of each layer id.
        textures: the texture of each layer id.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width * SUPERSAMPLING, height * SUPERSAMPLING
        self.pixels = np.zeros((self.height, self.width, 3), np.uint8)
        self.layers = np.zeros((self.height, self.width), np.uint8)
        self.regions: list[int] = []
        self.textures: list[Texture] = []

    def region_at(self, x: float, y: float) -> int:
        """The `regions` class seen at a point; a point outside counts as the nearest edge pixel."""
        column, row = min(max(int(x), 0), self.width - 1), min(max(int(y), 0), self.height - 1)
        return self.regions[self.layers[row, column]]

    def table(self, values: object, kind: type) -> NDArray[Any]:
        """One value per layer id as a table for `cv2.LUT`, which is several times faster than indexing."""
        padded = np.zeros(256, kind)
        padded[: len(self.regions)] = values
        return padded

    def add(
        self,
        region: int,
        silhouette: Sequence[Shape],
        details: Iterable[Shape] = (),
        texture: Texture = (0.05, 0.0, 0.0, 0.0),
        top: Colour | None = None,
    ) -> None:
        """Draws one thing. The union of the silhouette's polygons is its label; details never reach beyond it.

        With `top` the silhouette's colour fades from `top` (upper edge of its bounding box) to the
        first shape's colour (lower edge).
        """
        details = list(details)
        corners = np.concatenate([polygons.reshape(-1, 2) for polygons, _ in silhouette])
        left, upper = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0).tolist()
        right, lower = np.minimum(np.ceil(corners.max(axis=0)).astype(int) + 1, (self.width, self.height)).tolist()
        if right <= left or lower <= upper:
            return
        box = slice(upper, lower), slice(left, right)
        pixels, layers, layer = self.pixels[box].copy(), self.layers[box], len(self.regions)
        if top is not None:
            rows = np.linspace(top, silhouette[0][1], lower - upper).astype(np.uint8)[:, None]
            cv2.resize(rows, (right - left, lower - upper), pixels, interpolation=cv2.INTER_NEAREST)
        for fixed, (_, colour) in zip(_fixed_point(silhouette, left, upper), silhouette, strict=True):
            for outline in fixed:
                cv2.fillPoly(layers, [outline], layer, shift=_FINE_BITS)
                if top is None:
                    cv2.fillPoly(pixels, [outline], colour, shift=_FINE_BITS)
        for fixed, (_, colour) in zip(_fixed_point(details, left, upper), details, strict=True):
            cv2.fillPoly(pixels, list(fixed), colour, shift=_FINE_BITS)
        cv2.copyTo(pixels, (layers == layer).view(np.uint8), self.pixels[box])
        self.regions.append(region)
        self.textures.append(texture)

    def darken(self, polygons: Polygons, factor: float) -> None:
        """A cast shadow: the picture gets darker below the polygons, the labels stay."""
        left, upper = np.maximum(np.floor(polygons.min(axis=(0, 1))).astype(int), 0)
        right, lower = np.minimum(np.ceil(polygons.max(axis=(0, 1))).astype(int) + 1, (self.width, self.height))
        if right <= left or lower <= upper:
            return
        shaded = np.zeros((lower - upper, right - left), np.uint8)
        for outline in next(_fixed_point([(polygons, (0, 0, 0))], left, upper)):
            cv2.fillPoly(shaded, [outline], 1, shift=_FINE_BITS)
        below = self.pixels[upper:lower, left:right]
        cv2.copyTo(cv2.convertScaleAbs(below, alpha=factor), shaded, below)

    def mirror(self, region: int, horizon: int, strength: float) -> None:
        """Blends what is above the horizon, upside down, into the surfaces of one class below it."""
        depth = min(horizon, self.height - horizon)
        if depth <= 0:
            return
        below = self.pixels[horizon : horizon + depth]
        above = cv2.flip(self.pixels[horizon - depth : horizon], 0)
        reflects = cv2.LUT(
            self.layers[horizon : horizon + depth], self.table(np.array(self.regions) == region, np.uint8)
        )
        cv2.copyTo(cv2.addWeighted(below, 1 - strength, above, strength, 0), reflects, below)


def _fixed_point(shapes: Sequence[Shape], left: int, upper: int) -> Iterator[NDArray[np.int32]]:
    """The polygons of each shape as `fillPoly` takes them; all converted at once, which is what makes it fast."""
    if not shapes:
        return
    corners = np.concatenate([polygons.reshape(-1, 2) for polygons, _ in shapes])
    fixed, start = np.rint((corners - (left, upper)) * (1 << _FINE_BITS)).astype(np.int32), 0
    for polygons, _ in shapes:
        end = start + polygons.shape[0] * polygons.shape[1]
        yield fixed[start:end].reshape(polygons.shape)
        start = end


def bgr(red_green_blue: int) -> Colour:
    """0xRRGGBB as OpenCV's order of channels."""
    return (red_green_blue & 255, red_green_blue >> 8 & 255, red_green_blue >> 16)


def shade(colour: Colour, factor: float) -> Colour:
    """Darker (factor < 1) or lighter."""
    blue, green, red = (min(channel * factor, 255.0) for channel in colour)
    return (blue, green, red)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    blue, green, red = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return (blue, green, red)


def vary(rng: np.random.Generator, colour: Colour, spread: float = 0.12) -> Colour:
    """A colour nearby: mostly lighter or darker, a little another hue."""
    common, *single = rng.uniform(-spread, spread, 4).tolist()
    blue, green, red = (
        min(max(channel * (1 + common + 0.4 * own), 0.0), 255.0) for channel, own in zip(colour, single, strict=True)
    )
    return (blue, green, red)


def pick(rng: np.random.Generator, colours: Sequence[int]) -> Colour:
    """One of the 0xRRGGBB colours, varied."""
    return vary(rng, bgr(colours[rng.integers(len(colours))]))


def polygon(*coordinates: float) -> Polygons:
    """x, y, x, y, … as one polygon [1, corners, 2]."""
    return np.array(coordinates, np.float64).reshape(1, -1, 2)


def ellipses(x: object, y: object, across: object, down: object) -> Polygons:
    """Ellipses [n, 14, 2] from centres and half axes; each a number or an array [n]."""
    parts = np.broadcast_arrays(x, y, across, down)
    centre_x, centre_y, half_width, half_height = (np.atleast_1d(part).astype(float)[:, None] for part in parts)
    return np.stack([centre_x + half_width * _CIRCLE[:, 0], centre_y + half_height * _CIRCLE[:, 1]], axis=-1)


def strokes(x0: object, y0: object, x1: object, y1: object, thickness: object) -> Polygons:
    """Straight strokes [n, 4, 2] between two points each; thickness in canvas pixels."""
    parts = np.broadcast_arrays(x0, y0, x1, y1, thickness)
    from_x, from_y, to_x, to_y, wide = (np.atleast_1d(part).astype(float) for part in parts)
    length = np.maximum(np.hypot(to_x - from_x, to_y - from_y), 1e-6)
    across_x, across_y = (from_y - to_y) / length * wide / 2, (to_x - from_x) / length * wide / 2
    corners = (
        (from_x + across_x, from_y + across_y),
        (to_x + across_x, to_y + across_y),
        (to_x - across_x, to_y - across_y),
        (from_x - across_x, from_y - across_y),
    )
    return np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)


def ridge(rng: np.random.Generator, points: int, roughness: float) -> NDArray[np.float64]:
    """Heights [points] in 0 to 1 of a random ridge line, by midpoint displacement; smooth where roughness is small."""
    heights = rng.uniform(0, 1, 3)
    step = 0.5
    while len(heights) < points:
        step *= roughness
        middle = (heights[1:] + heights[:-1]) / 2 + rng.uniform(-step, step, len(heights) - 1)
        longer = np.empty(len(heights) + len(middle))
        longer[::2], longer[1::2] = heights, middle
        heights = longer
    heights = heights[:points] - heights[:points].min()
    return heights / max(float(heights.max()), 1e-6)
