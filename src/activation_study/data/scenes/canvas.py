"""The canvas of a scene, which keeps an image and its layer map together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from activation_study.data.scenes.shapes import Color, Polygons, Shape, ellipses

SKY, TREE, ROAD, GRASS, WATER, BUILDING, MOUNTAIN, FOREGROUND = range(8)  # the classes of `regions`

SUPERSAMPLING = 2  # canvas pixels per image pixel: edges come out smooth while labels stay whole numbers
_CELLS = ((1, 1), (6, 6), (1, 14), (7, 1))  # rows, columns of a cell of grain, blotches, level and upright streaks
_TEXTURES = np.array(  # how strong each is on sky, tree, road, grass, water, building, mountain, foreground object
    ((0.02, 0.12, 0.08, 0.09, 0.03, 0.05, 0.04, 0.05), (0.02, 0.12, 0.06, 0.08, 0.04, 0.05, 0.1, 0.04),
     (0.02, 0.0, 0.02, 0.0, 0.1, 0.04, 0.03, 0.0), (0.0, 0.02, 0.0, 0.1, 0.0, 0.02, 0.0, 0.0)),
)  # fmt: skip


@dataclass(frozen=True)
class Thing:
    """Something to draw, which becomes one layer of the scene.

    Args:
        region: its class in `regions`.
        shapes: from back to front; their union is its label.
        top: color at its upper edge, which fades to the first shape's color at the lower one; None for an even color.
    """

    region: int
    shapes: Sequence[Shape]
    top: Color | None = None

    @property
    def bounds(self) -> NDArray[np.float64]:
        """The corners (left, upper), (right, lower) of a box around it, [2, 2]."""
        corners = np.concatenate([polygons.reshape(-1, 2) for polygons, _ in self.shapes])
        return np.stack([corners.min(axis=0), corners.max(axis=0) + 1.5])


class Canvas:
    """An image in the making, of twice its finished size. Each thing added hides what was there.

    Args:
        sky: the pixels to begin with, uint8 [height, width, 3], BGR; changed in place.

    Attributes:
        layers: uint8 [height, width], the id of the visible thing.
        regions: the `regions` class of each layer id.
    """

    def __init__(self, sky: NDArray[np.uint8]) -> None:
        self._pixels = sky
        self.layers = np.zeros(sky.shape[:2], np.uint8)
        self.regions = [SKY]

    def add(self, thing: Thing) -> None:
        """Draws a thing; one outside the canvas gets no layer."""
        (left, upper), (right, lower) = np.clip(thing.bounds, 0, self.layers.shape[::-1]).astype(int).tolist()
        if right <= left or lower <= upper:
            return
        box, offset, layer = (slice(upper, lower), slice(left, right)), (-left, -upper), len(self.regions)
        pixels, layers = self._pixels[box].copy(), self.layers[box]
        if thing.top is not None:
            rows = np.linspace(thing.top, thing.shapes[0][1], lower - upper).clip(0, 255).astype(np.uint8)
            cv2.resize(rows[:, None], (right - left, lower - upper), pixels, interpolation=cv2.INTER_NEAREST)
        for index, (polygons, color) in enumerate(thing.shapes):
            _fill(layers, polygons, (layer,), offset)
            if index > 0 or thing.top is None:
                _fill(pixels, polygons, color.tolist(), offset)
        cv2.copyTo(pixels, (layers == layer).view(np.uint8), self._pixels[box])
        self.regions.append(thing.region)

    def cast_shadows(self, things: Sequence[Thing], sun_side: int) -> None:
        """Darkens the image at the feet of things that are to be added, away from the sun; the labels stay."""
        mask = np.zeros_like(self.layers)
        for thing in things:
            (left, upper), (right, lower) = thing.bounds
            half = 0.5 * (right - left)
            shadow = ellipses(left + half - 0.5 * sun_side * half, lower, 1.3 * half, 0.04 * (lower - upper) + 1)
            _fill(mask, shadow, (1,), (0, 0))
        cv2.copyTo(cv2.convertScaleAbs(self._pixels, alpha=0.65), mask, self._pixels)

    def develop(self, rng: np.random.Generator, sun_side: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The finished image [height, width, 3], with textures, light and noise, and its layer ids [height, width]."""
        ids = np.ascontiguousarray(self.layers[::SUPERSAMPLING, ::SUPERSAMPLING])
        height, width = ids.shape
        image = cv2.resize(self._pixels, (width, height), interpolation=cv2.INTER_AREA)
        light = np.linspace(1 - 0.08 * sun_side, 1 + 0.08 * sun_side, width, dtype=np.float32)
        gain = np.tile(light, (height, 1))
        for strengths, (rows, columns) in zip(_TEXTURES * rng.uniform(0.5, 1.5, (4, 8)), _CELLS, strict=True):
            noise = rng.random((height // rows + 1, width // columns + 1), np.float32) * 2 - 1
            strength = look_up(ids, strengths[self.regions], np.float32)
            gain += strength * cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
        exposures = rng.uniform(0.85, 1.15) * rng.uniform(0.9, 1.1, 3).astype(np.float32)
        lit = cv2.multiply(image, cv2.merge([gain * exposure for exposure in exposures]), dtype=cv2.CV_32F)
        sensor = (rng.random((height, width), np.float32) - 0.5) * np.float32(rng.uniform(3, 14))
        return np.asarray(cv2.add(lit, cv2.merge([sensor] * 3), dtype=cv2.CV_8U)), ids


def _fill(target: NDArray[np.uint8], polygons: Polygons, color: Sequence[float], offset: tuple[int, int]) -> None:
    for outline in np.rint(polygons).astype(np.int32):
        cv2.fillPoly(target, [outline], color, offset=offset)


def look_up(ids: NDArray[np.uint8], values: ArrayLike, kind: type) -> NDArray[Any]:
    """The value of each id, of the type `kind`; several times faster than indexing."""
    table: NDArray[Any] = np.zeros(256, kind)
    table[: np.size(values)] = values
    return np.asarray(cv2.LUT(ids, table))
