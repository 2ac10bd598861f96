"""A canvas that keeps a drawn picture and its label map together, and the shapes that things are made of."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = tuple[float, float, float]  # blue, green, red; 0 to 255
Polygons = NDArray[np.float64]  # [polygons, corners, (x, y)] in canvas pixels
Numbers = float | NDArray[np.floating[Any]]  # one number, or one for each of n
Shape = tuple[Polygons, Colour]
Texture = tuple[float, float, float, float]  # relative strength of grain, blotches, level streaks, upright streaks

SUPERSAMPLING = 2  # canvas pixels per picture pixel: edges come out smooth while labels stay whole numbers
_FINE_BITS = 3  # corners are placed to 1/8 canvas pixel
_TEXTURE_CELLS = ((1, 1), (6, 6), (1, 14), (7, 1))  # rows, columns of a cell of each texture's noise
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
        return self.regions[int(self.layers[row, column])]

    def look_up(self, ids: NDArray[np.uint8], values: ArrayLike, kind: type) -> NDArray[Any]:
        """The value of each pixel's layer, of the type `kind`; several times faster than indexing."""
        table: NDArray[Any] = np.zeros(256, kind)
        table[: len(self.regions)] = values
        found: NDArray[Any] = cv2.LUT(ids, table)
        return found

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
        ids = self.layers[horizon : horizon + depth]
        reflects = self.look_up(ids, np.array(self.regions) == region, np.uint8)
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
    return vary(rng, bgr(colours[int(rng.integers(len(colours)))]))


def polygon(*coordinates: float) -> Polygons:
    """x, y, x, y, … as one polygon [1, corners, 2]."""
    return np.array(coordinates, np.float64).reshape(1, -1, 2)


def ellipses(x: Numbers, y: Numbers, across: Numbers, down: Numbers) -> Polygons:
    """Ellipses [n, 14, 2] from centres and half axes; each a number or an array [n]."""
    result = np.empty((max(np.size(part) for part in (x, y, across, down)), len(_CIRCLE), 2))
    for axis, (centre, half) in enumerate(((x, across), (y, down))):
        result[..., axis] = np.reshape(half, (-1, 1)) * _CIRCLE[:, axis] + np.reshape(centre, (-1, 1))
    return result


def strokes(x0: Numbers, y0: Numbers, x1: Numbers, y1: Numbers, thickness: Numbers) -> Polygons:
    """Straight strokes [n, 4, 2] between two points each; thickness in canvas pixels."""
    ends = np.empty((5, max(np.size(part) for part in (x0, y0, x1, y1, thickness))))
    ends[0], ends[1], ends[2], ends[3], ends[4] = x0, y0, x1, y1, thickness
    (from_x, from_y), (to_x, to_y) = ends[:2], ends[2:4]
    half = ends[4] / 2 / np.maximum(np.hypot(to_x - from_x, to_y - from_y), 1e-6)
    across, down = (from_y - to_y) * half, (to_x - from_x) * half
    x = np.array((from_x + across, to_x + across, to_x - across, from_x - across))
    y = np.array((from_y + down, to_y + down, to_y - down, from_y - down))
    return np.stack([x.T, y.T], axis=-1)


def ridge(rng: np.random.Generator, points: int, roughness: float) -> NDArray[np.float64]:
    """Heights [points] in 0 to 1 of a random ridge line, by midpoint displacement; smooth where roughness is small."""
    heights: NDArray[np.float64] = rng.uniform(0, 1, 3)
    step = 0.5
    while len(heights) < points:
        step *= roughness
        middle = (heights[1:] + heights[:-1]) / 2 + rng.uniform(-step, step, len(heights) - 1)
        longer = np.empty(len(heights) + len(middle))
        longer[::2], longer[1::2] = heights, middle
        heights = longer
    heights = heights[:points] - heights[:points].min()
    heights /= max(float(heights.max()), 1e-6)
    return heights


def develop(
    canvas: Canvas, rng: np.random.Generator, ids: NDArray[np.uint8], mood: str, sun_side: int
) -> NDArray[np.uint8]:
    """The finished picture, uint8 [height, width, 3]: textures, light, lens and sensor.

    Args:
        canvas: what was drawn.
        rng: of the noise and the exposure.
        ids: the layers at the finished size.
        mood: `clear`, `overcast` (greyer) or `dusk` (redder).
        sun_side: −1: the left is brighter, 1: the right.

    Channel by channel, since numpy is several times slower on an innermost axis of three.
    """
    height, width = ids.shape
    picture: NDArray[Any] = cv2.resize(canvas.pixels, (width, height), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 0.9))
    if mood != "clear":
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        vivid = 0.7 if mood == "overcast" else 0.9
        picture = cv2.addWeighted(picture, vivid, grey, 1 - vivid, 0)
    side = 0.08 * sun_side
    light = np.linspace(1 - side, 1 + side, width, dtype=np.float32) * np.float32(rng.uniform(0.9, 1.18))
    gain = np.ones((height, width), np.float32)
    for strengths, (rows, columns) in zip(np.array(canvas.textures, np.float32).T, _TEXTURE_CELLS, strict=True):
        noise = rng.random((height // rows + 1, width // columns + 1), np.float32) * 2 - 1
        field: NDArray[Any] = cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
        gain += field * canvas.look_up(ids, strengths, np.float32)
    gain *= light
    tint = np.array((0.86, 0.93, 1.08) if mood == "dusk" else (1, 1, 1)) * rng.uniform(0.95, 1.05, 3)
    sensor = (rng.random((height, width), np.float32) - np.float32(0.5)) * np.float32(rng.uniform(3, 14))
    channels = [
        np.clip(channel * (gain * np.float32(t)) + sensor, 0, 255)
        for channel, t in zip(cv2.split(picture), tint, strict=True)
    ]
    picture = cv2.merge([channel.astype(np.uint8) for channel in channels])
    return picture
