from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.data.scenes.generator import Scenes, draw_scenes
from activation_study.errors import BadInput

COUNT = 60
SURFACE_OF_REGION = np.array([0, 2, 1, 1, 1, 2, 2, 2])


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return draw_scenes(COUNT, seed=0)


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(threads)


def content(scenes: Scenes, index: int) -> list[np.ndarray]:
    return [scenes.image(index), *(scenes.label(index, label_type) for label_type in LABEL_TYPES)]


def test_same_seed_gives_the_same_scenes(scenes: Scenes) -> None:
    again = draw_scenes(COUNT, seed=0)
    assert again.names == scenes.names
    assert again.digest == scenes.digest


def test_global_random_state_and_threads_do_not_matter(scenes: Scenes, one_thread: None) -> None:
    state = np.random.get_state()
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    few = draw_scenes(4, seed=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.random.set_state(state)
    for index in range(4):
        for here, there in zip(content(few, index), content(scenes, index), strict=True):
            np.testing.assert_array_equal(here, there)


def test_a_longer_set_begins_with_the_shorter_one(scenes: Scenes) -> None:
    few = draw_scenes(5, seed=0)
    assert few.names == scenes.names[:5]
    for index in range(5):
        for here, there in zip(content(few, index), content(scenes, index), strict=True):
            np.testing.assert_array_equal(here, there)


def test_other_seeds_give_other_scenes() -> None:
    first, second = draw_scenes(3, seed=1), draw_scenes(3, seed=2)
    assert not any(np.array_equal(first.image(index), second.image(index)) for index in range(3))


def test_all_scenes_of_a_set_differ(scenes: Scenes) -> None:
    assert len({scenes.image(index).tobytes() for index in range(COUNT)}) == COUNT


def test_digest_changes_with_count_and_seed() -> None:
    digests = {draw_scenes(count, seed).digest for count, seed in ((2, 0), (3, 0), (2, 1), (3, 1))}
    assert len(digests) == 4
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in digests)


@pytest.mark.parametrize("part", ["image", "regions", "surfaces", "layers"])
def test_digest_covers_every_part(part: str) -> None:
    scenes, before = draw_scenes(2, seed=0), draw_scenes(2, seed=0).digest
    getattr(scenes._scenes[1], part)[0, 0] += 1
    assert scenes.digest != before


def test_names_are_sorted_and_distinct(scenes: Scenes) -> None:
    assert scenes.name == "scenes"
    assert list(scenes.names) == sorted(set(scenes.names))
    assert scenes.names[0] == "scene0000"


def test_types_and_shapes_agree(scenes: Scenes) -> None:
    for index in range(COUNT):
        image = scenes.image(index)
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3
        for label_type in LABEL_TYPES:
            label = scenes.label(index, label_type)
            assert label.dtype == np.int16
            assert label.shape == image.shape[:2]


def test_changing_what_was_returned_does_not_change_the_scenes() -> None:
    scenes = draw_scenes(1, seed=0)
    for part, again in zip(content(scenes, 0), content(scenes, 0), strict=True):
        part[:] = 0
        assert again.any()
    assert all(part.any() for part in content(scenes, 0))


def test_sizes_are_mostly_320_by_240_and_several_others(scenes: Scenes) -> None:
    sizes = [scenes.image(index).shape[:2] for index in range(COUNT)]
    assert len(set(sizes)) >= 3
    assert 0.5 < sizes.count((240, 320)) / COUNT < 0.95
    assert all(150 <= height <= 320 and 200 <= width <= 320 for height, width in sizes)


def test_surfaces_follow_from_regions_where_both_are_known(scenes: Scenes) -> None:
    for index in range(COUNT):
        regions, surfaces = scenes.label(index, "regions"), scenes.label(index, "surfaces")
        known = (regions >= 0) & (surfaces >= 0)
        np.testing.assert_array_equal(surfaces[known], SURFACE_OF_REGION[regions[known]])


def test_layers_are_contiguous_and_of_one_class_each(scenes: Scenes) -> None:
    for index in range(COUNT):
        layers, regions = scenes.label(index, "layers"), scenes.label(index, "regions")
        ids = np.unique(layers)
        np.testing.assert_array_equal(ids, np.arange(len(ids)))
        known = regions >= 0
        pairs = np.unique(layers[known].astype(int) * 8 + regions[known])
        assert len(np.unique(pairs // 8)) == len(pairs)


def test_every_class_occurs_in_a_fifth_of_the_scenes(scenes: Scenes) -> None:
    regions = [scenes.label(index, "regions") for index in range(COUNT)]
    for class_id in range(8):
        assert np.mean([(label == class_id).mean() > 0.002 for label in regions]) >= 0.2, class_id
    assert {int(value) for label in regions for value in np.unique(label)} == set(range(-1, 8))
    surfaces = {int(value) for index in range(COUNT) for value in np.unique(scenes.label(index, "surfaces"))}
    assert surfaces <= set(range(-1, 3))
    assert surfaces >= set(range(3))


def test_some_scenes_lack_some_classes(scenes: Scenes) -> None:
    assert all(len(np.unique(scenes.label(index, "regions"))) < 9 for index in range(COUNT))


def test_fractions_of_unknown_are_like_those_of_the_real_set(scenes: Scenes) -> None:
    pixels = sum(scenes.image(index)[..., 0].size for index in range(COUNT))
    unknown = {
        label_type: sum(int((scenes.label(index, label_type) < 0).sum()) for index in range(COUNT)) / pixels
        for label_type in LABEL_TYPES
    }
    assert 0.001 < unknown["regions"] < 0.02
    assert 0 < unknown["surfaces"] < 0.001
    assert unknown["layers"] == 0


def test_labels_are_drawn_from_the_same_shapes_as_the_image(scenes: Scenes) -> None:
    """The image changes much more along the borders of layers than inside them."""
    at_borders, inside = [], []
    for index in range(20):
        change = np.abs(np.diff(scenes.image(index).astype(int), axis=1)).sum(axis=2)
        border = np.diff(scenes.label(index, "layers"), axis=1) != 0
        at_borders.append(change[border].mean())
        inside.append(change[~border].mean())
    assert np.mean(at_borders) > 2.5 * np.mean(inside)


def test_colour_alone_does_not_determine_the_class(scenes: Scenes) -> None:
    """The best classifier by colour (16 levels per channel), fitted to the same pixels, is often wrong."""
    colours = np.concatenate([scenes.image(index)[::2, ::2].reshape(-1, 3) // 16 for index in range(COUNT)]).astype(int)
    regions = np.concatenate([scenes.label(index, "regions")[::2, ::2].ravel() for index in range(COUNT)])
    code = colours @ (256, 16, 1)
    known = regions >= 0
    counts = np.bincount(code[known] * 8 + regions[known], minlength=4096 * 8).reshape(4096, 8)
    assert counts.max(axis=1).sum() / counts.sum() < 0.8


def test_unknown_label_type_is_refused(scenes: Scenes) -> None:
    with pytest.raises(ValueError, match="no label type 'horizons': expected one of regions, surfaces, layers"):
        scenes.label(0, "horizons")


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_impossible_counts_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match="expected a number from 1 to 10000"):
        draw_scenes(count, seed=0)
