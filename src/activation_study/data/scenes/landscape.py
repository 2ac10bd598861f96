"""The backdrop of a drawn scene: how it is seen and lit, sky, mountains, far trees and the ground."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from activation_study.data.scenes.canvas import (
    Canvas,
    Colour,
    Polygons,
    Shape,
    bgr,
    ellipses,
    mix,
    pick,
    polygon,
    ridge,
    shade,
    strokes,
    vary,
)

SKY, TREE, ROAD, GRASS, WATER, BUILDING, MOUNTAIN, FOREGROUND = range(8)

# Each class has colours that another class has too (green water and trees, grey roads and walls, brown mountains and
# walls, …): a network must look at shapes and places, not only at colours.
GREENS = (0x3F6B2E, 0x4A7434, 0x35592F, 0x47703A, 0x62823A)
_GRASSES = (0x8CB84C, 0x9CC058, 0x82AC46, 0xB4B460, 0x628F3C)
_ROADS = (0x77787A, 0x6C6C70, 0x8D8A86, 0x808084, 0x9C8468)
_WATERS = (0x2F6F9E, 0x3878A2, 0x3A7F96, 0x5B8CB0, 0x5F7D6A)
_MOUNTAINS = (0x77749A, 0x857CA0, 0x7A7FA6, 0x8C7A66, 0x6F7F6A)
SKIES = {  # top and horizon
    "clear": ((0x4A88CC, 0x6199D4, 0x7FB0DC), (0xC9DDEB, 0xDDE4E4, 0xB7D3EA)),
    "overcast": ((0x9AA5B0, 0x8792A0, 0xB4BABF), (0xD5D8DA, 0xC3C9CE, 0xE0DDD6)),
    "dusk": ((0x5A6C9E, 0x7C7CAA, 0x4E6E9E), (0xF0B27A, 0xE8937C, 0xF3CF9A)),
}


@dataclass(frozen=True)
class View:
    """How a scene is seen and lit; lengths in canvas pixels unless said otherwise.

    Args:
        horizon: row where the ground plane ends.
        vanishing_x: column where roads that lead away end.
        eye: height of the eye above the ground, metres.
        mood: `clear`, `overcast` or `dusk`.
        sun_side: −1 light from the left, 1 from the right.
        foliage: the scene's usual tree colour.
        haze: colour that far things fade to.
    """

    horizon: int
    vanishing_x: float
    eye: float
    mood: str
    sun_side: int
    foliage: Colour
    haze: Colour

    def scale(self, y: float) -> float:
        """Canvas pixels per metre for what stands on the ground at row `y`."""
        return max(y - self.horizon, 1.0) / self.eye


def draw_sky(canvas: Canvas, rng: np.random.Generator, view: View) -> None:
    """Fills the whole canvas: gradient, sun, clouds. Made small and enlarged, since it is all soft."""
    rows, columns, horizon = canvas.height // 4 + 1, canvas.width // 4 + 1, view.horizon / 4
    share = np.clip(np.arange(rows) / horizon, 0, 1)[:, None, None] ** rng.uniform(0.7, 1.4)
    zenith = np.array(pick(rng, SKIES[view.mood][0]))
    sky: NDArray[Any] = (zenith * (1 - share) + np.array(view.haze) * share).astype(np.uint8)
    sky = cv2.resize(sky, (columns, rows), interpolation=cv2.INTER_NEAREST)
    if view.mood == "dusk" and rng.random() < 0.6:
        x, y = rng.uniform(0.1, 0.9) * columns, horizon * rng.uniform(0.6, 1.0)
        for radius, light in ((0.5, 0.15), (0.3, 0.25), (0.12, 0.5), (0.07, 1.0)):
            colour = mix(view.haze, bgr(0xFFF3C8), light)
            cv2.circle(sky, (int(x), int(y)), int(radius * horizon), colour, -1)
        sky = cv2.GaussianBlur(sky, (0, 0), 3)
    _draw_clouds(sky, rng, view)
    sky = cv2.GaussianBlur(sky, (0, 0), rng.uniform(0.8, 2.2))
    canvas.pixels[:] = cv2.resize(sky, (canvas.width, canvas.height), interpolation=cv2.INTER_LINEAR)
    canvas.regions.append(SKY)
    canvas.textures.append((0.015, rng.uniform(0, 0.03), rng.uniform(0, 0.03), 0.0))


def _draw_clouds(sky: NDArray[Any], rng: np.random.Generator, view: View) -> None:
    """Up to six heaps of puffs, each with a grey lower side, on the small sky; in place."""
    columns, horizon = sky.shape[1], view.horizon / 4
    bright, dim = mix(view.haze, bgr(0xFFFFFF), 0.75), mix(view.haze, bgr(0x8A94A4), rng.uniform(0.3, 0.8))
    if view.mood == "overcast":
        bright = mix(bright, dim, 0.5)
    for _ in range(rng.integers(0, 7)):
        x, y, size = rng.uniform(0, columns), horizon * rng.uniform(0.05, 0.85), rng.uniform(0.04, 0.13) * columns
        puffs = int(rng.integers(4, 10))
        along, up = size * rng.uniform(-1.6, 1.6, puffs), size * rng.uniform(-0.5, 0.1, puffs)
        across = size * rng.uniform(0.3, 0.8, puffs)
        for colour, lower, scale in ((dim, 0.12 * size, 1.0), (bright, 0.0, 0.9)):
            for puff in ellipses(x + along, y + up + lower, across * scale, across * scale * 0.55):
                cv2.fillPoly(sky, [np.rint(puff).astype(np.int32)], mix(colour, view.haze, 0.08))


def _skyline(canvas: Canvas, heights: NDArray[np.float64], base: float) -> Polygons:
    """A polygon across the whole width whose upper edge is `heights` canvas pixels above `base`."""
    x = np.linspace(-2, canvas.width + 2, len(heights))
    upper = np.stack([x, base - heights], axis=-1)
    return np.concatenate([upper, [[canvas.width + 2, base + 4], [-2, base + 4]]])[None]


def draw_mountains(canvas: Canvas, rng: np.random.Generator, view: View) -> None:
    """One or two ranges, the nearer one darker; facets in light and shadow, snow on some."""
    colour, tallest, snowy = pick(rng, _MOUNTAINS), view.horizon * rng.uniform(0.35, 0.9), rng.random() < 0.35
    for distance in range(int(rng.integers(1, 3)), 0, -1):
        heights = ridge(rng, 41, rng.uniform(0.4, 0.62)) * tallest * (0.35 + 0.3 * distance) + rng.uniform(2, 14)
        outline = _skyline(canvas, heights, view.horizon)
        body = mix(vary(rng, colour, 0.06), view.haze, 0.08 * distance)
        upper = outline[0, :41]
        slope = np.sign(np.diff(upper[:, 1])) * view.sun_side
        shadow, details = shade(body, 0.82), []
        for place in np.flatnonzero(slope < 0):  # the flanks that the sun does not reach
            (x0, y0), (x1, y1) = upper[place], upper[place + 1]
            lean = view.sun_side * -0.5 * (view.horizon - min(y0, y1))
            details.append(polygon(x0, y0, x1, y1, x1 + lean, view.horizon, x0 + lean * 0.4, view.horizon))
        flanks: list[Shape] = [(np.concatenate(details), shadow)] if details else []
        if snowy:
            line = view.horizon - tallest * rng.uniform(0.35, 0.6) + rng.uniform(-8, 8, 41)
            lower = np.stack([upper[:, 0], np.maximum(line, upper[:, 1])], axis=-1)[::-1]
            flanks.append((np.concatenate([upper, lower])[None], mix(bgr(0xF4F6FA), body, 0.12)))
        base = mix(body, view.haze, 0.25)
        canvas.add(MOUNTAIN, [(outline, base)], flanks, (0.04, 0.10, 0.03, 0.0), top=None if flanks else body)


def draw_treeline(canvas: Canvas, rng: np.random.Generator, view: View) -> None:
    """Far trees along a part of the horizon, as one thing."""
    left = canvas.width * rng.uniform(-0.2, 0.7)
    right = left + canvas.width * rng.uniform(0.3, 1.1)
    tall = view.horizon * rng.uniform(0.08, 0.24)
    count = int((right - left) / tall * 1.6) + 2
    x = np.linspace(left, right, count) + rng.uniform(-0.2, 0.2, count) * tall
    size = tall * rng.uniform(0.5, 1.0, count)
    colour = mix(view.foliage, view.haze, rng.uniform(0.1, 0.4))
    crowns = ellipses(x, view.horizon - size * 0.5, size * 0.55, size * 0.65)
    silhouette: list[Shape] = [(crowns[i : i + 1], vary(rng, colour, 0.08)) for i in range(count)]
    silhouette.append(
        (
            polygon(
                left,
                view.horizon - tall * 0.3,
                right,
                view.horizon - tall * 0.3,
                right,
                view.horizon + 3,
                left,
                view.horizon + 3,
            ),
            shade(colour, 0.85),
        )
    )
    leaves = ellipses(
        rng.uniform(left, right, 60), view.horizon - rng.uniform(0.1, 0.9, 60) * tall, tall * 0.09, tall * 0.07
    )
    details: list[Shape] = [(leaves[:30], shade(colour, 1.12)), (leaves[30:], shade(colour, 0.8))]
    canvas.add(TREE, silhouette, details, (0.10, 0.12, 0.0, 0.05))


def ground_colour(rng: np.random.Generator, region: int) -> Colour:
    """A usual colour of a kind of ground."""
    return pick(rng, {GRASS: _GRASSES, ROAD: _ROADS, WATER: _WATERS}[region])


def draw_ground(
    canvas: Canvas,
    rng: np.random.Generator,
    view: View,
    region: int,
    outline: Polygons,
    marks: Sequence[Shape] = (),
) -> None:
    """A piece of ground with the details of its kind and the marks painted on it, paler towards the horizon."""
    colour = ground_colour(rng, region)
    depth = rng.uniform(0.02, 1.0, 90) ** 1.4
    x, y = rng.uniform(0, canvas.width, 90), view.horizon + depth * (canvas.height - view.horizon)
    unit = depth * (canvas.height - view.horizon) / 100
    if region == WATER:
        glints = ellipses(x, y, unit * rng.uniform(4, 16, 90), unit * rng.uniform(0.5, 1.4, 90))
        details = [(glints[:50], mix(colour, view.haze, 0.45)), (glints[50:], shade(colour, 0.84))]
        texture = (0.03, 0.04, rng.uniform(0.05, 0.14), 0.0)
    elif region == GRASS:
        patches = ellipses(x, y, unit * rng.uniform(6, 22, 90), unit * rng.uniform(1, 4, 90))
        blades = strokes(
            x, y, x + unit * rng.uniform(-1.5, 1.5, 90), y - unit * rng.uniform(4, 9, 90), 0.8 + unit * 0.5
        )
        flowers = ellipses(x[:24], y[:24] - 3, 0.6 + unit[:24] * 0.8, 0.6 + unit[:24] * 0.8)
        details = [(patches[:25], shade(colour, 1.07)), (patches[25:50], shade(colour, 0.92))]
        details += [(blades[50:70], shade(colour, 1.18)), (blades[70:], shade(colour, 0.75))]
        if rng.random() < 0.3:
            details.append((flowers, pick(rng, (0xF2E9E4, 0xE8C840, 0xC85A6A))))
        texture = (0.09, 0.07, 0.0, rng.uniform(0.05, 0.16))
    else:
        stains = ellipses(x[:24], y[:24], unit[:24] * rng.uniform(4, 20, 24), unit[:24] * rng.uniform(1, 3, 24))
        details = [(stains[:12], shade(colour, 1.06)), (stains[12:], shade(colour, 0.93))]
        texture = (rng.uniform(0.05, 0.12), 0.05, 0.02, 0.0)
    far = mix(colour, view.haze, rng.uniform(0.15, 0.4))
    canvas.add(region, [(outline, colour)], [*details, *marks], texture, top=far)


def whole_ground(canvas: Canvas, rng: np.random.Generator, view: View, swell: float) -> Polygons:
    """Everything below the horizon; `swell` canvas pixels of gentle hills above it."""
    return _below(canvas, view.horizon - ridge(rng, 25, 0.25) * swell)


def near_bank(canvas: Canvas, rng: np.random.Generator, view: View) -> Polygons:
    """The near part of the ground, up to an uneven, often sloping line."""
    depth = (canvas.height - view.horizon) * rng.uniform(0.3, 0.85)
    slope = np.linspace(-0.5, 0.5, 25) * rng.uniform(-1, 1) * depth * 1.2
    return _below(canvas, view.horizon + np.maximum(depth + slope + (ridge(rng, 25, 0.35) - 0.5) * 0.35 * depth, 3))


def _below(canvas: Canvas, y: NDArray[np.float64]) -> Polygons:
    edge = np.stack([np.linspace(-2, canvas.width + 2, len(y)), y], axis=-1)
    return np.concatenate([edge, [[canvas.width + 2, canvas.height + 2], [-2, canvas.height + 2]]])[None]


def strip(canvas: Canvas, view: View, offset: float, half_width: float, bend: float) -> Polygons:
    """A road or river that leads away: metres right of the eye, half its width in metres, bend in canvas pixels."""
    y = view.horizon + np.linspace(0.004, 1.02, 28) ** 1.6 * (canvas.height - view.horizon)
    left, right = (_along(canvas, view, offset + side * half_width, bend, y) for side in (-1, 1))
    return np.concatenate([left, right[::-1]])[None]


def _along(canvas: Canvas, view: View, metres: float, bend: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [n, 2] at the rows `y` of a line that leads away, `metres` right of the eye."""
    share = (y - view.horizon) / (canvas.height - view.horizon)
    straight = view.vanishing_x + metres * (y - view.horizon) / view.eye
    return np.stack([straight + bend * np.sin(share * np.pi * 1.5) * (1 - share), y], axis=-1)


def lane_marks(canvas: Canvas, view: View, offset: float, bend: float) -> list[Polygons]:
    """The dashes in the middle of a road, `offset` metres right of the eye."""
    marks, far = [], canvas.height - view.horizon
    for place in range(12):
        near_scale, far_scale = (1.4 / (1 + 0.45 * (place + part)) for part in (0.0, 0.5))
        y = view.horizon + far * np.minimum(np.linspace(far_scale, near_scale, 4), 1.02)
        left, right = (_along(canvas, view, offset + side * 0.09, bend, y) for side in (-1, 1))
        marks.append(np.concatenate([left, right[::-1]])[None])
    return marks
