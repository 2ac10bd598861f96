"""The backdrop of a scene: how it is seen, the sky, mountains, and the ground."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from activation_study.data.scenes.canvas import GRASS, MOUNTAIN, ROAD, SUPERSAMPLING, TREE, WATER, Thing
from activation_study.data.scenes.shapes import Color, Polygons, Shape, bgr, mix, pick

# Classes share colors (green water and trees, grey roads and walls, brown mountains and walls, …), so that a network
# must use shape and position as well.
_GROUNDS = {
    ROAD: (0x77787A, 0x6C6C70, 0x8D8A86, 0x9C8468, 0xA59A80),
    GRASS: (0x8CB84C, 0x9CC058, 0x82AC46, 0xB4B460, 0x628F3C, 0xA89A68),
    WATER: (0x2F6F9E, 0x3878A2, 0x3A7F96, 0x5B8CB0, 0x5F7D6A, 0x7C8A86),
}
_SKYLINES = {
    MOUNTAIN: (0x77749A, 0x857CA0, 0x7A7FA6, 0x8C7A66, 0x6F7F6A, 0x4F6B4A),
    TREE: (0x3F6B2E, 0x4A7434, 0x35592F, 0x62823A, 0x9A7A32),
}
_ZENITHS = (0x4A88CC, 0x6199D4, 0x7FB0DC, 0x9AA5B0, 0x5A6C9E)
_HORIZONS = (0xC9DDEB, 0xDDE4E4, 0xB7D3EA, 0xC3C9CE, 0xF0B27A)


@dataclass(frozen=True)
class View:
    """How a scene is seen and lit; lengths in canvas pixels unless stated otherwise."""

    width: int  # of the canvas
    horizon: int  # row where the ground plane ends
    depth: int  # rows from there to the lower edge
    vanishing_x: float  # column where roads that lead away end
    eye: float  # metres above the ground
    sun_side: int  # −1 for light from the left, 1 from the right
    haze: Color  # of the horizon, which distant things fade to


def random_view(rng: np.random.Generator, width: int, height: int) -> View:
    """A view for an image of this size."""
    width, height = width * SUPERSAMPLING, height * SUPERSAMPLING
    horizon, vanishing_x = int(height * rng.uniform(0.22, 0.56)), width * rng.uniform(0.25, 0.75)
    sun_side, haze = int(rng.choice((-1, 1))), pick(rng, _HORIZONS).clip(0, 255)
    return View(width, horizon, height - horizon, vanishing_x, rng.uniform(1.6, 4.0), sun_side, haze)


def _noise(rng: np.random.Generator, rows: int, columns: int, cells: int, roughness: float) -> NDArray[np.float64]:
    """Random heights from 0 to 1, [rows, columns], with `cells` main bumps in a row; smooth where roughness is low."""
    heights = np.zeros((rows, columns))
    for octave in range(4):
        knots = rng.random((max(rows * cells * 2**octave // 60, 1), cells * 2**octave))
        heights += roughness**octave * cv2.resize(knots, (columns, rows), interpolation=cv2.INTER_CUBIC)
    heights -= heights.min()
    return heights / heights.max()


def sky(rng: np.random.Generator, view: View) -> NDArray[np.uint8]:
    """A sky with clouds that fills the canvas, uint8 [height, width, 3]; drawn at a quarter of the size, for speed."""
    height = view.horizon + view.depth
    fraction = np.clip(np.linspace(0, height / view.horizon, height // 4), 0, 1)[:, None, None]
    noise = _noise(rng, height // 4, view.width // 4, 4, 0.5)[..., None]
    cover, light = np.clip((noise - rng.uniform(0.4, 0.9)) * 5, 0, 0.9), np.clip(1.6 - 1.5 * noise, 0, 1)
    clear, clouds = mix(pick(rng, _ZENITHS), view.haze, fraction), mix(bgr(0x8A94A4), bgr(0xF4F6FA), light)
    small = mix(clear, clouds, cover).astype(np.uint8)
    return np.asarray(cv2.resize(small, (view.width, height), interpolation=cv2.INTER_LINEAR))


def _below(view: View, upper: NDArray[np.float64]) -> Polygons:
    """Everything below a line across the whole width, given by its rows [points]."""
    line = np.stack([np.linspace(-2, view.width + 2, len(upper)), upper], axis=-1)
    lower = view.horizon + view.depth + 2
    return np.concatenate([line, [(view.width + 2, lower), (-2, lower)]])[None]


def skyline(rng: np.random.Generator, view: View, region: int, tallest: float) -> Thing:
    """Mountains or far trees along the horizon, with shadowed flanks; `tallest` is a fraction of the sky."""
    cells = 3 if region == MOUNTAIN else 12
    heights = (1.2 * _noise(rng, 1, 81, cells, rng.uniform(0.4, 0.6))[0] - 0.2) * view.horizon * tallest
    outline, color = _below(view, view.horizon - heights), mix(pick(rng, _SKYLINES[region]), view.haze, 0.2)
    feet = np.stack([outline[0, :81, 0] - 0.5 * view.sun_side * heights, np.full(81, view.horizon)], axis=-1)
    flanks = np.stack([outline[0, :80], outline[0, 1:81], feet[1:], feet[:-1]], axis=1)
    return Thing(region, [(outline, color), (flanks[np.diff(heights) * view.sun_side > 0], color * 0.82)])


def ground(rng: np.random.Generator, view: View, region: int, outline: Polygons, marks: Sequence[Shape] = ()) -> Thing:
    """A piece of ground with the marks painted on it, paler towards the horizon."""
    color = pick(rng, _GROUNDS[region])
    return Thing(region, [(outline, color), *marks], top=mix(color, view.haze, rng.uniform(0.15, 0.4)))


def plain(rng: np.random.Generator, view: View, region: int, depth: float) -> Thing:
    """Ground from an uneven, often sloping line at a depth (0: the horizon, 1: the lower edge) to the eye."""
    uneven = np.linspace(0.4, 1.6, 41)[:: rng.choice((-1, 1))] + 0.35 * (_noise(rng, 1, 41, 3, 0.35)[0] - 0.5)
    return ground(rng, view, region, _below(view, view.horizon + depth * view.depth * uneven))


def strip(rng: np.random.Generator, view: View, region: int, half_width: float) -> Thing:
    """A road, with dashes, or a river or path that leads away through the ground; half its width is in metres."""
    offset, bend = rng.uniform(-1.5, 1.5) * half_width, view.width * rng.normal(0, 0.12)

    def outline(half: float, depths: NDArray[np.float64]) -> Polygons:
        middle = view.vanishing_x + bend * np.sin(depths * np.pi * 1.5) * (1 - depths)
        metre, y = depths * view.depth / view.eye, view.horizon + depths * view.depth
        left, right = (np.stack([middle + (offset + side * half) * metre, y], axis=-1) for side in (-1, 1))
        return np.concatenate([left, right[::-1]])[None]

    dashes = [1.4 / (1 + 0.45 * np.linspace(start, start + 0.5, 4)) for start in range(12)] if region == ROAD else []
    marks = [(outline(0.09, depths), bgr(0xE4E2DA)) for depths in dashes]
    return ground(rng, view, region, outline(half_width, np.linspace(0, 1.02, 28) ** 1.6), marks)
