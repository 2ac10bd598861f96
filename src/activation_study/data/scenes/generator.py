"""`data=scenes`: drawn outdoor scenes with exact labels, made in memory from a seed.

They stand in for the Stanford Background Dataset where none is at hand (the demo, the tests): the
same three label types, the same class ids, about the same picture sizes and shares of unknown.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from activation_study.data.label_types import LABEL_TYPES
from activation_study.data.scenes.canvas import SUPERSAMPLING, Canvas, Shape, bgr, develop, pick
from activation_study.data.scenes.landscape import (
    GRASS,
    GREENS,
    ROAD,
    SKIES,
    WATER,
    View,
    draw_ground,
    draw_mountains,
    draw_sky,
    draw_treeline,
    lane_marks,
    near_bank,
    strip,
    whole_ground,
)
from activation_study.data.scenes.objects import draw_building, draw_object, draw_street_side, draw_tree
from activation_study.errors import BadInput

_UNKNOWN = -1
_SURFACE_OF_REGION = np.array((0, 2, 1, 1, 1, 2, 2, 2), np.int8)  # of sky, tree, road, grass, water, building, …
_SIZES = ((320, 240), (320, 213), (240, 320), (300, 225), (320, 214), (284, 213))  # width, height
_SIZE_SHARES = (0.74, 0.09, 0.06, 0.05, 0.03, 0.03)
_MOODS, _MOOD_SHARES = ("clear", "overcast", "dusk"), (0.66, 0.22, 0.12)


@dataclass(frozen=True)
class Scene:
    """One picture, uint8 [height, width, 3] BGR, and its labels [height, width]; −1 = unknown."""

    image: NDArray[np.uint8]
    regions: NDArray[np.int8]
    surfaces: NDArray[np.int8]
    layers: NDArray[np.uint8]


@dataclass(frozen=True)
class Place:
    """A kind of landscape: what the ground is made of and how much stands on it.

    Args:
        ground: the class of the whole ground.
        bank: class and chance of a near part of the ground.
        strip: class, chance and half width in metres of what leads away through the ground.
        mountains, treeline, street: chances of a range, of far trees, and of house fronts on each side.
        houses, trees, objects: the most of each.
    """

    ground: int
    bank: tuple[int, float]
    strip: tuple[int, float, float]
    mountains: float
    treeline: float
    street: float
    houses: int
    trees: int
    objects: int


_PLACES = (
    Place(ROAD, (GRASS, 0.25), (ROAD, 1.0, 3.5), 0.15, 0.5, 0.9, 2, 4, 5),  # street
    Place(GRASS, (ROAD, 0.3), (ROAD, 1.0, 3.0), 0.6, 0.6, 0.0, 3, 6, 4),  # country road
    Place(GRASS, (GRASS, 0.3), (ROAD, 0.35, 0.9), 0.7, 0.6, 0.0, 2, 7, 5),  # meadow
    Place(WATER, (GRASS, 0.7), (WATER, 0.0, 1.0), 0.7, 0.7, 0.0, 2, 5, 5),  # lake
    Place(GRASS, (GRASS, 0.0), (WATER, 1.0, 4.5), 0.6, 0.7, 0.0, 3, 6, 4),  # river
    Place(WATER, (ROAD, 1.0), (WATER, 0.0, 1.0), 0.5, 0.4, 0.0, 3, 2, 5),  # quay
    Place(ROAD, (GRASS, 0.5), (GRASS, 0.3, 2.0), 0.15, 0.5, 0.4, 5, 5, 6),  # square
)


class Scenes:
    """Drawn scenes as a source of pictures and labels.

    Args:
        scenes: the drawn scenes, in the order of their names.
    """

    name = "scenes"

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self._scenes = tuple(scenes)
        self.names = tuple(f"scene{index:04d}" for index in range(len(self._scenes)))

    def image(self, index: int) -> NDArray[np.uint8]:
        """uint8 [height, width, 3], OpenCV's BGR; a copy."""
        return self._scenes[index].image.copy()

    def label(self, index: int, label_type: str) -> NDArray[np.int16]:
        """int16 [height, width] of the type `regions`, `surfaces` or `layers`; −1 = unknown; a copy."""
        if label_type not in LABEL_TYPES:
            raise ValueError(f"no label type {label_type!r}: expected one of {', '.join(LABEL_TYPES)}")
        label: NDArray[np.int16] = getattr(self._scenes[index], label_type).astype(np.int16)
        return label

    @cached_property
    def digest(self) -> str:
        """sha256 (hex) of everything: the names, the sizes, the pictures and the three labels."""
        content = hashlib.sha256()
        for name, scene in zip(self.names, self._scenes, strict=True):
            content.update(f"{name} {scene.image.shape}\n".encode())
            for part in (scene.image, scene.regions, scene.surfaces, scene.layers):
                content.update(part.tobytes())
        return content.hexdigest()


def draw_scenes(count: int, seed: int) -> Scenes:
    """The first `count` scenes of a seed, about 12 ms each.

    Scene i depends on (seed, i) alone, so a longer set begins with a shorter one of the same seed.
    """
    if not 1 <= count <= 10_000:
        raise BadInput(f"{count} scenes cannot be drawn: expected a number from 1 to 10000")
    return Scenes([_draw_scene(np.random.default_rng(np.random.SeedSequence([seed, index]))) for index in range(count)])


def _draw_scene(rng: np.random.Generator) -> Scene:
    width, height = _SIZES[rng.choice(len(_SIZES), p=_SIZE_SHARES)]
    canvas = Canvas(width, height)
    view = _look(rng, canvas)
    place = _PLACES[rng.integers(len(_PLACES))]
    _draw_backdrop(canvas, rng, view, place)
    _draw_standing(canvas, rng, view, place)
    ids = np.ascontiguousarray(canvas.layers[::SUPERSAMPLING, ::SUPERSAMPLING])
    image = develop(canvas, rng, ids, view.mood, view.sun_side)
    seen = np.bincount(ids.ravel(), minlength=len(canvas.regions)) > 0
    layers = canvas.look_up(ids, np.cumsum(seen) - 1, np.uint8)  # numbered without the things that are wholly hidden
    regions = canvas.look_up(ids, canvas.regions, np.int8)
    surfaces = canvas.look_up(ids, _SURFACE_OF_REGION[canvas.regions], np.int8)
    _forget(rng, layers, regions, surfaces)
    return Scene(image, regions, surfaces, layers)


def _look(rng: np.random.Generator, canvas: Canvas) -> View:
    mood = _MOODS[rng.choice(len(_MOODS), p=_MOOD_SHARES)]
    return View(
        horizon=int(canvas.height * rng.uniform(0.22, 0.56)),
        vanishing_x=canvas.width * rng.uniform(0.25, 0.75),
        eye=rng.uniform(1.6, 4.0),
        mood=mood,
        sun_side=1 if rng.random() < 0.5 else -1,
        foliage=pick(rng, GREENS),
        haze=pick(rng, SKIES[mood][1]),
    )


def _draw_backdrop(canvas: Canvas, rng: np.random.Generator, view: View, place: Place) -> None:
    """Sky, what lies at the horizon, and the ground."""
    draw_sky(canvas, rng, view)
    if rng.random() < place.mountains:
        draw_mountains(canvas, rng, view)
    swell = canvas.height * rng.uniform(0, 0.04) if place.ground == GRASS else 0.0
    if rng.random() < place.treeline:
        draw_treeline(canvas, rng, view)
    draw_ground(canvas, rng, view, place.ground, whole_ground(canvas, rng, view, swell))
    if place.ground == WATER and rng.random() < 0.6:  # the far shore
        shore = whole_ground(canvas, rng, view, 0.0)
        shore[0, -2:, 1] = view.horizon + (canvas.height - view.horizon) * rng.uniform(0.03, 0.12)
        draw_ground(canvas, rng, view, GRASS, shore)
    region, chance, half_width = place.strip
    if rng.random() < chance:
        offset, bend = rng.uniform(-1.5, 1.5) * half_width, canvas.width * rng.normal(0, 0.12)
        marks: list[Shape] = []
        if region == ROAD and half_width > 2 and rng.random() < 0.8:
            marks = [(mark, bgr(0xE4E2DA)) for mark in lane_marks(canvas, view, offset, bend)]
        outline = strip(canvas, view, offset, half_width * rng.uniform(0.7, 1.4), bend)
        draw_ground(canvas, rng, view, region, outline, marks)
    region, chance = place.bank
    if rng.random() < chance:
        draw_ground(canvas, rng, view, region, near_bank(canvas, rng, view))
    canvas.mirror(WATER, view.horizon, rng.uniform(0.1, 0.5))


def _draw_standing(canvas: Canvas, rng: np.random.Generator, view: View, place: Place) -> None:
    """Street fronts, then houses, trees and objects from far to near, each where the ground fits."""
    for side in (-1, 1):
        if rng.random() < place.street:
            draw_street_side(canvas, rng, view, side * rng.uniform(5, 9))
    spread = canvas.height - view.horizon
    things = []
    kinds = (
        (draw_building, place.houses, (0.03, 0.2), {GRASS, ROAD}),
        (draw_tree, place.trees, (0.04, 0.55), {GRASS, ROAD}),
        (draw_object, place.objects, (0.13, 0.98), {ROAD, GRASS, WATER}),
    )
    for draw, most, (least_depth, most_depth), suits in kinds:
        for _ in range(2 * rng.integers(0, most + 1)):  # about every second place does not fit
            depth = least_depth + (most_depth - least_depth) * rng.random() ** 1.6
            x, y = canvas.width * rng.uniform(-0.05, 1.0), view.horizon + depth * spread
            regions = {canvas.region_at(x + metres * view.scale(y), y) for metres in (-1.3, 0, 1.3)}
            if len(regions) == 1 and regions <= suits:
                things.append((y, x, draw, regions.pop()))
    for y, x, draw, region in sorted(things, key=lambda thing: thing[0]):
        draw(canvas, rng, view, x, y, region)


def _forget(
    rng: np.random.Generator, layers: NDArray[np.uint8], regions: NDArray[np.int8], surfaces: NDArray[np.int8]
) -> None:
    """Makes pixels unknown, as people leave them: bits near edges, seldom a whole patch; in place."""
    height, width = layers.shape
    unknown = np.zeros(layers.shape, np.uint8)
    if rng.random() < 0.6:
        rows, columns = np.nonzero(layers[:, 1:] != layers[:, :-1])
        for place in rng.integers(len(rows), size=rng.integers(1, 5)) if len(rows) else ():
            axes = (int(rng.integers(2, 13)), int(rng.integers(2, 8)))
            centre = (int(columns[place]), int(rows[place]))
            cv2.ellipse(unknown, centre, axes, rng.uniform(0, 180), 0, 360, 1, -1)
    if rng.random() < 0.012:
        row, column = int(height * rng.uniform(0, 0.6)), int(width * rng.uniform(0, 0.6))
        unknown[row : row + int(0.4 * height), column : column + int(0.4 * width)] = 1
    regions[unknown > 0] = _UNKNOWN
    if rng.random() < 0.15:
        row, column = rng.integers(height - 6), rng.integers(width - 9)
        surfaces[row : row + 5, column : column + 8] = _UNKNOWN
