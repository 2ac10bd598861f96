"""Images of the same scene, by local features."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from activation_study.data.same_scene import same_scene_pairs
from activation_study.data.scenes.generator import draw_scenes

# Pairs of the Stanford set, found by eye: 6000321 and 6000078 are the street corner that thumbnails miss.
STANFORD = (
    ("6000112", "6000113"),
    ("6000078", "6000321"),
    ("6000132", "6000133"),
    ("9004070", "9004427"),
    ("6000088", "6000089"),
)
OTHERS = [f"{number:07d}" for number in (47, 51, 59, 72, 87, 97, 1000051, 3000119, 5000120, 6000022, 6000203, 9001619)]


def pairs_of(images: Sequence[np.ndarray[Any, Any]]) -> list[tuple[int, int]]:
    found = same_scene_pairs(lambda index: images[index], len(images), lambda items, what: items)
    return [(pair.first, pair.second) for pair in found]


def photograph(seed: int) -> np.ndarray[Any, Any]:
    """Blurred noise: corners everywhere, none of them like those of another seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(noise, (640, 480), interpolation=cv2.INTER_CUBIC))


def moved(image: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """From another place, in other light."""
    view = np.array([[1.1, 0.05, -20], [-0.05, 1.1, 10], [1e-4, 5e-5, 1]])
    return np.asarray(cv2.warpPerspective(image, view, (640, 480)) * 0.7 + 30).astype(np.uint8)


def test_very_narrow_images_have_no_features() -> None:
    lines = [
        np.random.default_rng(0).integers(0, 256, size, np.uint8) for size in ((2, 900, 3), (900, 1, 3), (1, 1, 3))
    ]
    assert pairs_of([*lines, *lines]) == []


def test_two_views_of_a_scene_are_found_and_other_images_are_not() -> None:
    images = [photograph(seed) for seed in range(6)]
    assert pairs_of(images) == []
    images[4] = moved(images[1])
    assert pairs_of(images) == [(1, 4)]
    assert pairs_of(images) == pairs_of(images), "nothing is left to chance"


def test_a_mirrored_image_is_another_scene() -> None:
    image = photograph(0)
    assert pairs_of([image, image[:, ::-1].copy()]) == []


def test_images_of_any_size_type_and_number_of_channels_are_compared() -> None:
    gray = photograph(3).mean(axis=2)
    small = cv2.resize(photograph(3), (160, 120), interpolation=cv2.INTER_AREA)
    images = [(gray * 16).astype(np.uint16)[..., None], photograph(5), np.repeat(gray[..., None] / 255, 5, 2), small]
    assert {(0, 2), (0, 3), (2, 3)} == set(pairs_of(images))


def test_images_without_features_are_of_no_scene() -> None:
    blank = np.zeros((240, 320, 3), np.uint8)
    assert pairs_of([blank, blank, blank + 9]) == []
    assert pairs_of([np.zeros((1, 1, 3), np.uint8)]) == []
    assert pairs_of([]) == []


def test_drawn_scenes_are_all_different() -> None:
    scenes = draw_scenes(12, 0)
    assert pairs_of([scenes.image(index) for index in range(12)]) == []


def test_the_street_corner_of_the_stanford_set_is_found(stanford_root: Path) -> None:
    names = [*(name for pair in STANFORD for name in pair), *OTHERS]
    paths = [stanford_root / "images" / f"{name}.jpg" for name in sorted(names)]
    paths = [path for path in paths if path.is_file()]
    assert len(paths) >= 2 * len(STANFORD)
    found = pairs_of([cv2.imread(str(path)) for path in paths])
    assert {(paths[first].stem, paths[second].stem) for first, second in found} == set(STANFORD)
