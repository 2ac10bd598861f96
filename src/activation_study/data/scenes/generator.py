"""Composes scenes and offers them as a source of images and labels."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.image_reader import ImageFacts, facts_of
from activation_study.data.labels.label_types import LABEL_TYPES, UNKNOWN
from activation_study.data.scenes import landscape, objects
from activation_study.data.scenes.canvas import GRASS, MOUNTAIN, ROAD, TREE, WATER, Canvas, Thing, look_up
from activation_study.errors import BadInput
from activation_study.seeding import stream

_SURFACE_OF_REGION = np.array((0, 2, 1, 1, 1, 2, 2, 2), np.int8)
_SIZES = ((320, 240), (320, 213), (240, 320))  # width, height
# Places: classes of the ground from the horizon to the eye; class and half width in metres of a strip that leads away
# through it; probability of buildings along each side.
_PLACES: tuple[tuple[tuple[int, ...], tuple[int, float] | None, float], ...] = (
    ((ROAD,), (ROAD, 3.5), 0.9),  # street
    ((GRASS,), (ROAD, 3.0), 0.0),  # country road
    ((GRASS, GRASS), None, 0.0),  # meadow
    ((GRASS, WATER, GRASS), None, 0.0),  # lake
    ((GRASS,), (WATER, 4.5), 0.0),  # river
    ((WATER, ROAD), None, 0.0),  # quay
    ((ROAD, GRASS), (GRASS, 2.0), 0.4),  # square
)
# Kinds of things: what makes one, the largest number, depths from 0 (the horizon) to 1, the ground that they need.
_KINDS = (
    (objects.house, 3, (0.03, 0.2), {GRASS, ROAD}),
    (objects.tree, 5, (0.04, 0.55), {GRASS, ROAD}),
    (objects.foreground_object, 5, (0.13, 0.98), {GRASS, ROAD, WATER}),
)


@dataclass(frozen=True)
class Scene:
    """One image, uint8 [height, width, 3] BGR, and its labels [height, width]; −1 = unknown."""

    image: NDArray[np.uint8]
    regions: NDArray[np.int8]
    surfaces: NDArray[np.int8]
    layers: NDArray[np.uint8]


class Scenes:
    """Drawn scenes, in the order of their names, as a source of images and labels."""

    name = "scenes"

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self._scenes = tuple(scenes)
        self.names = tuple(f"scene{index:04d}" for index in range(len(self._scenes)))

    def image(self, index: int) -> NDArray[np.uint8]:
        """uint8 [height, width, 3], OpenCV's BGR; a copy."""
        return self._scenes[index].image.copy()

    def facts(self, index: int) -> ImageFacts:
        """As those of a file."""
        return facts_of(self._scenes[index].image)

    def label(self, index: int, label_type: str) -> NDArray[np.int16]:
        """int16 [height, width] of the type `regions`, `surfaces` or `layers`; −1 = unknown; a copy."""
        if label_type not in LABEL_TYPES:
            raise ValueError(f"no label type {label_type!r}: expected one of {', '.join(LABEL_TYPES)}")
        return np.asarray(getattr(self._scenes[index], label_type).astype(np.int16))

    @cached_property
    def digest(self) -> str:
        """sha256 (hex) of everything: the names, the sizes, the images and the three labels."""
        content = hashlib.sha256()
        for name, scene in zip(self.names, self._scenes, strict=True):
            content.update(f"{name} {scene.image.shape}\n".encode())
            for part in (scene.image, scene.regions, scene.surfaces, scene.layers):
                content.update(part.tobytes())
        return content.hexdigest()


def draw_scenes(count: int, seed: int) -> Scenes:
    """The first `count` scenes of a seed, about 10 ms each.

    A scene depends on the seed and its index alone, so a longer set begins with a shorter one of the same seed.
    """
    if not 1 <= count <= 10_000:
        raise BadInput(f"{count} scenes cannot be drawn: expected a number from 1 to 10000")
    return Scenes([_draw_scene(stream(seed, "scene", index)) for index in range(count)])


def _draw_scene(rng: np.random.Generator) -> Scene:
    width, height = _SIZES[rng.choice(len(_SIZES), p=(0.75, 0.15, 0.1))]
    view = landscape.random_view(rng, width, height)
    canvas = Canvas(landscape.sky(rng, view))
    for thing in _backdrop(rng, view):
        canvas.add(thing)
    things = _standing(rng, view, canvas)
    canvas.cast_shadows(things, view.sun_side)
    for thing in things:
        canvas.add(thing)
    image, ids = canvas.develop(rng, view.sun_side)
    visible = np.bincount(ids.ravel(), minlength=len(canvas.regions)) > 0
    layers = look_up(ids, np.cumsum(visible) - 1, np.uint8)  # hidden things get no number
    regions = look_up(ids, canvas.regions, np.int8)
    surfaces = look_up(ids, _SURFACE_OF_REGION[canvas.regions], np.int8)
    spots = _spots(rng, layers)
    regions[spots] = UNKNOWN
    if rng.random() < 0.06:
        surfaces[spots] = UNKNOWN
    return Scene(image, regions, surfaces, layers)


def _backdrop(rng: np.random.Generator, view: landscape.View) -> Iterator[Thing]:
    """The horizon, the ground, and buildings along a street, from far to near."""
    grounds, strip, street = _PLACES[rng.integers(len(_PLACES))]
    if rng.random() < 0.65:
        yield landscape.skyline(rng, view, MOUNTAIN, rng.uniform(0.35, 0.9))
    if rng.random() < 0.6:
        yield landscape.skyline(rng, view, TREE, rng.uniform(0.08, 0.25))
    depths = (0.0, *np.sort(rng.uniform(0.05, 0.85, len(grounds) - 1)))
    for region, depth in zip(grounds, depths, strict=True):
        yield landscape.plain(rng, view, region, depth)
    if strip:
        region, half_width = strip
        yield landscape.strip(rng, view, region, half_width * rng.uniform(0.7, 1.4))
    for side in (-1, 1):
        if rng.random() < street:
            yield from objects.street_side(rng, view, side * rng.uniform(5, 9))


def _standing(rng: np.random.Generator, view: landscape.View, canvas: Canvas) -> list[Thing]:
    """Houses, trees and objects from far to near, each where the ground suits it."""
    spots = []
    for make, number, (least, most), suitable in _KINDS:
        for _ in range(2 * rng.integers(0, number + 1)):  # about every second spot does not suit
            depth = least + (most - least) * rng.random() ** 1.6
            x, y = view.width * rng.uniform(-0.05, 1.0), view.horizon + depth * view.depth
            scale = (y - view.horizon) / view.eye
            columns = np.clip((x - 1.3 * scale, x, x + 1.3 * scale), 0, view.width - 1).astype(int)
            regions = {canvas.regions[layer] for layer in canvas.layers[int(y), columns]}
            if len(regions) == 1 and regions <= suitable:
                spots.append((objects.Spot(x, y, scale, regions.pop()), make))
    return [make(rng, view, spot) for spot, make in sorted(spots, key=lambda pair: pair[0].y)]


def _spots(rng: np.random.Generator, layers: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Up to four spots at borders, [height, width], as annotators leave them unknown."""
    spots = np.zeros_like(layers)
    rows, columns = np.nonzero(layers[:, 1:] != layers[:, :-1])
    for index in rng.integers(len(rows), size=rng.integers(0, 5)) if len(rows) else ():
        center, half_axes = (int(columns[index]), int(rows[index])), rng.integers(2, 11, 2).tolist()
        cv2.ellipse(spots, center, half_axes, rng.uniform(0, 180), 0, 360, 1, -1)
    return spots > 0
