"""Augmentation: pictures and labels change together, by the generator alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study.data.augmentation import augmented
from activation_study.data.batching import Batch

HOWS = ("none", "flip", "flip_crop_color")


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Smooth pictures; a label is 1 where the picture is bright, in the middle unknown."""
    rows, columns = np.mgrid[:32, :48]
    images = np.stack([(2 * rows + (3 + n % 3) * columns) % 256 for n in range(64)]).astype(np.uint8)
    labels = (images > 120).astype(np.int8)
    labels[:, 14:18, 20:28] = -1
    return np.repeat(images[..., None], 3, axis=-1), labels


def of_seed(batch: Batch, how: str, seed: int = 0) -> Batch:
    return augmented(batch, how, np.random.default_rng(seed))


def equal(a: NDArray, b: NDArray) -> bool:
    return bool((a == b).all())


@pytest.mark.parametrize("how", HOWS)
def test_shapes_and_types_stay_and_the_batch_itself_is_left_as_it_is(batch: Batch, how: str) -> None:
    kept = [part.copy() for part in batch]
    for part, before in zip(of_seed(batch, how), kept, strict=True):
        assert (part.shape, part.dtype) == (before.shape, before.dtype)
    assert all(equal(part, before) for part, before in zip(batch, kept, strict=True))


def test_none_changes_nothing(batch: Batch) -> None:
    assert of_seed(batch, "none") is batch


@pytest.mark.parametrize("how", HOWS[1:])
def test_equal_generators_give_equal_batches_and_others_others(batch: Batch, how: str) -> None:
    first, again, other = of_seed(batch, how), of_seed(batch, how), of_seed(batch, how, seed=1)
    for part in range(2):
        assert equal(first[part], again[part])
        assert not equal(first[part], other[part])


def test_a_flip_mirrors_about_half_of_the_pictures_with_their_labels(batch: Batch) -> None:
    images, labels = of_seed(batch, "flip")
    mirrored = [equal(image, before[:, ::-1]) for image, before in zip(images, batch[0], strict=True)]
    same = [equal(image, before) for image, before in zip(images, batch[0], strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 20 <= sum(mirrored) <= 44  # of 64
    for flipped, label, before in zip(mirrored, labels, batch[1], strict=True):
        assert equal(label, before[:, ::-1] if flipped else before)


def test_labels_are_cropped_with_their_pictures() -> None:
    # Four quarters of four greys, each a class: whatever the colours become, a class is one grey, but for its edges.
    quarters = (np.arange(64)[:, None] >= 32).astype(np.int8) * 2 + (np.arange(96) >= 48).astype(np.int8)
    grey = np.repeat((60 + 45 * quarters)[..., None], 3, axis=-1).astype(np.uint8)
    batch = np.repeat(grey[None], 40, axis=0), np.repeat(quarters[None], 40, axis=0)
    edges = set()
    for image, label in zip(*augmented(batch, "flip_crop_color", np.random.default_rng(0)), strict=True):
        for quarter in range(4):
            own = image[..., 0][label == quarter]
            assert (own == np.median(own)).mean() > 0.85
        edges.add((int((label[:, 0] < 2).sum()), int((label[0] % 2 == 0).sum())))
    assert len(edges) > 20, "windows of many places and sizes"


def test_colours_move_by_no_more_than_the_formula_says() -> None:
    grey = np.full((500, 8, 8, 3), 127, np.uint8)
    images, labels = augmented((grey, np.zeros((500, 8, 8), np.int8)), "flip_crop_color", np.random.default_rng(0))
    values = images[:, 0, 0, 0].astype(int)
    assert (images == images[:, :1, :1, :1]).all()
    assert values.min() >= 127.5 - 25.5 - 2
    assert values.max() <= 127.5 + 25.5 + 2
    assert np.ptp(values) > 40
    assert not labels.any()
    black_and_white = np.zeros((200, 4, 4, 3), np.uint8)
    black_and_white[:, :2] = 255
    contrast = augmented((black_and_white, np.zeros((200, 4, 4), np.int8)), "flip_crop_color", np.random.default_rng(0))
    assert contrast[0].min() == 0
    assert contrast[0].max() == 255  # clipped, not wrapped: the order stays
    assert (contrast[0].max(axis=(1, 2, 3)) > contrast[0].min(axis=(1, 2, 3)) + 150).all()
