"""The things in a scene: trees, buildings and foreground objects."""

from typing import NamedTuple

import cv2
import numpy as np

from activation_study.data.scenes.canvas import BUILDING, FOREGROUND, TREE, Thing
from activation_study.data.scenes.landscape import View
from activation_study.data.scenes.shapes import Polygons, Shape, bgr, ellipses, pick, polygon
from activation_study.data.scenes.sprites import SPRITES

_FOLIAGE = (0x3F6B2E, 0x4A7434, 0x35592F, 0x47703A, 0x62823A, 0x9A7A32)
_BARKS = (0x5A4632, 0x6E5840, 0x4A4038, 0x8A7C6C)
_WALLS = (0xB0583F, 0xC9A06A, 0xD8B888, 0xC47A55, 0xA85A44, 0xD0A070, 0xE0C8A0, 0x8E8D8B, 0x7C8FA3, 0x8C7A66)
_ROOFS = (0x8A4B3A, 0x5C5A5E, 0x74503E, 0x9C6248, 0x6B7078)
_PANES = (0x3E4C5C, 0x54687C, 0x8FA9BE, 0x2F3640, 0xA9BCC8)
_PAINTS = (0xC8302A, 0xE0A020, 0x2A48A8, 0xE8E8E4, 0x2A2C30, 0xB02A60, 0x8E959C, 0x4A7A42)


class Spot(NamedTuple):
    """A position for a thing: x, y in canvas pixels, canvas pixels per metre, and the class of the ground."""

    x: float
    y: float
    scale: float
    ground: int


def tree(rng: np.random.Generator, view: View, spot: Spot) -> Thing:
    """A conifer, or a broad-leaved tree whose crown has 16 clumps, the upper ones lighter and in front, with leaves."""
    x, y, color = spot.x, spot.y, pick(rng, _FOLIAGE)
    height = min(rng.uniform(3.5, 9) * spot.scale, view.depth * 1.5)
    half, top = 0.025 * height + 1, y - 0.6 * height
    trunk = (polygon(x - half, y, x + half, y, x + half, top, x - half, top), pick(rng, _BARKS))
    if rng.random() < 0.3:
        low, wide = y - height * np.linspace(0.1, 0.75, 5), height * rng.uniform(0.16, 0.26) * np.linspace(1, 0.35, 5)
        tiers = np.stack([x - wide, low, x + wide, low, np.full(5, x), low - 0.3 * height], 1).reshape(5, 1, 3, 2)
        return Thing(TREE, [trunk, *((tier, color * (0.68 + 0.07 * i)) for i, tier in enumerate(tiers))])
    across, down = rng.uniform(-1, 1, 16), np.sort(rng.uniform(-1, 1, 16))[::-1]
    clump_x, clump_y = x + 0.26 * height * across, y - height * (0.65 - 0.2 * down * np.sqrt(1 - across**2))
    clumps = ellipses(clump_x, clump_y, *(height * rng.uniform(0.08, 0.15, (2, 16))))[:, None]
    leaf_x, leaf_y = np.tile((clump_x, clump_y), 3) + rng.normal(0, 0.05 * height, (2, 48))
    leaves = ellipses(leaf_x, leaf_y, 0.02 * height, 0.016 * height)
    crown = [(clump, color * light) for clump, light in zip(clumps, np.linspace(0.78, 1.14, 16), strict=True)]
    return Thing(TREE, [trunk, *crown, (leaves[::2], color * 0.75), (leaves[1::2], color * 1.2)])


def house(rng: np.random.Generator, view: View, spot: Spot) -> Thing:
    """A house with a pitched roof, or a taller block, seen from the front; its lower left corner is at the spot."""
    block, width = rng.random() < 0.4, rng.uniform(8, 20)
    height = rng.uniform(9, 28) if block else rng.uniform(3.2, 7)
    left, right, top = spot.x, spot.x + width * spot.scale, spot.y - height * spot.scale
    front = _facade(rng, polygon(left, spot.y, right, spot.y, right, top, left, top), height, 1.0)
    if block:
        return front
    over, rise = 0.5 * spot.scale, rng.uniform(1.8, 3.8) * spot.scale
    inset = (right - left) * rng.choice((0.0, 0.12, 0.5))  # gables at the sides, hipped roof, gable to the front
    roof = polygon(left - over, top, right + over, top, right - inset, top - rise, left + inset, top - rise)
    return Thing(BUILDING, [*front.shapes, (roof, pick(rng, _ROOFS))])


def street_side(rng: np.random.Generator, view: View, metres: float) -> list[Thing]:
    """Adjoining buildings along a road, `metres` right of the eye (negative: left), from far to near."""
    beside = view.width - view.vanishing_x if metres > 0 else view.vanishing_x
    near, buildings = rng.uniform(1.0, 1.6) * beside / abs(metres), []  # pixels per metre; begins outside the image
    for _ in range(rng.integers(2, 5)):
        far, height = near * rng.uniform(0.4, 0.7), rng.uniform(5, 13)
        scales, up = np.array((near, far, far, near)), np.array((0, 0, height, height))
        corners = np.stack([view.vanishing_x + metres * scales, view.horizon + (view.eye - up) * scales], axis=-1)
        buildings.append(_facade(rng, corners[None], height, 1.05 if metres * view.sun_side < 0 else 0.78))
        near = far
    return buildings[::-1]


def _facade(rng: np.random.Generator, outline: Polygons, height: float, light: float) -> Thing:
    """A wall with windows, `height` metres tall; `light` scales its color; the outline [1, 4, 2] may be slanted."""
    color, columns, floors = pick(rng, _WALLS) * light, int(rng.integers(2, 8)), max(int(height / 3.2), 1)
    square = np.array(((0, 0), (1, 0), (1, 1), (0, 1)), np.float32)
    to_canvas = cv2.getPerspectiveTransform(square, outline[0].astype(np.float32))
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(floors)), axis=-1).reshape(-1, 1, 2)
    corners = (grid + 0.5 + (2 * square - 1) * rng.uniform(0.2, 0.4, 2)) / (columns, floors)
    windows = np.float64(cv2.perspectiveTransform(corners.reshape(-1, 1, 2), to_canvas)).reshape(-1, 4, 2)
    lit = rng.random(len(windows)) < 0.12
    panes: list[Shape] = [(windows[~lit], pick(rng, _PANES)), (windows[lit], bgr(0xF6D58A))]
    return Thing(BUILDING, [(outline, color), *panes])


def foreground_object(rng: np.random.Generator, view: View, spot: Spot) -> Thing:
    """An object that fits the ground of the spot."""
    sprites = SPRITES[spot.ground]
    metres, parts = sprites[rng.integers(len(sprites))]
    height, paint = min(metres * rng.uniform(0.9, 1.2) * spot.scale, 0.6 * view.depth), pick(rng, _PAINTS)
    stretch = np.array((rng.choice((-height, height)), -height))
    shapes = [((spot.x, spot.y) + outline * stretch, paint if code is None else bgr(code)) for code, outline in parts]
    return Thing(FOREGROUND, shapes)
