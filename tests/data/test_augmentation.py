"""Augmentation: images and labels change together and depend on the generator alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study.config.algorithms import algorithms_of
from activation_study.config.identity import INTRODUCED_STEPS
from activation_study.data.augmentation import ImageByImage, Step, augment, make_steps
from activation_study.data.batching import Batch
from activation_study.errors import BadInput

NAMES = ("none", "flip", "flip_crop_color")


@pytest.fixture(scope="module")
def batch() -> Batch:
    """Smooth images; their labels are 1 where the image is bright and unknown in the middle."""
    rows, columns = np.mgrid[:32, :48]
    images = np.stack([(2 * rows + (3 + n % 3) * columns) % 256 for n in range(64)]).astype(np.uint8)
    labels = (images > 120).astype(np.int8)
    labels[:, 14:18, 20:28] = -1
    return np.repeat(images[..., None], 3, axis=-1), labels


def augment_with_seed(batch: Batch, name: str, seed: int = 0) -> Batch:
    return augment(batch, make_steps(INTRODUCED_STEPS[name]), np.random.default_rng(seed))


def equal(a: NDArray, b: NDArray) -> bool:
    return bool((a == b).all())


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_types_are_kept_and_the_batch_is_not_modified(batch: Batch, name: str) -> None:
    copies = [part.copy() for part in batch]
    for part, before in zip(augment_with_seed(batch, name), copies, strict=True):
        assert (part.shape, part.dtype) == (before.shape, before.dtype)
    assert all(equal(part, before) for part, before in zip(batch, copies, strict=True))


def test_none_returns_the_batch(batch: Batch) -> None:
    assert augment_with_seed(batch, "none") is batch


@pytest.mark.parametrize("name", NAMES[1:])
def test_equal_generators_give_equal_batches_and_other_generators_do_not(batch: Batch, name: str) -> None:
    first, again, other = (augment_with_seed(batch, name, seed) for seed in (0, 0, 1))
    for part in range(2):
        assert equal(first[part], again[part])
        assert not equal(first[part], other[part])


def test_a_flip_mirrors_about_half_of_the_images_with_their_labels(batch: Batch) -> None:
    images, labels = augment_with_seed(batch, "flip")
    mirrored = [equal(image, before[:, ::-1]) for image, before in zip(images, batch[0], strict=True)]
    same = [equal(image, before) for image, before in zip(images, batch[0], strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 20 <= sum(mirrored) <= 44  # of 64
    for flipped, label, before in zip(mirrored, labels, batch[1], strict=True):
        assert equal(label, before[:, ::-1] if flipped else before)


def test_labels_are_cropped_with_their_images() -> None:
    # Each quarter has its own grey and class. Whatever the colours become, a class has one grey, except at its edges.
    quarters = (np.arange(64)[:, None] >= 32).astype(np.int8) * 2 + (np.arange(96) >= 48).astype(np.int8)
    grey = np.repeat((60 + 45 * quarters)[..., None], 3, axis=-1).astype(np.uint8)
    batch = np.repeat(grey[None], 40, axis=0), np.repeat(quarters[None], 40, axis=0)
    edges = set()
    for image, label in zip(
        *augment(batch, make_steps(INTRODUCED_STEPS["flip_crop_color"]), np.random.default_rng(0)), strict=True
    ):
        for quarter in range(4):
            greys = image[..., 0][label == quarter]
            assert (greys == np.median(greys)).mean() > 0.85
        edges.add((int((label[:, 0] < 2).sum()), int((label[0] % 2 == 0).sum())))
    assert len(edges) > 20, "windows of many positions and sizes"


def test_colours_change_by_at_most_what_the_formula_allows() -> None:
    grey = np.full((500, 8, 8, 3), 127, np.uint8)
    images, labels = augment(
        (grey, np.zeros((500, 8, 8), np.int8)),
        make_steps(INTRODUCED_STEPS["flip_crop_color"]),
        np.random.default_rng(0),
    )
    values = images[:, 0, 0, 0].astype(int)
    assert (images == images[:, :1, :1, :1]).all()
    assert values.min() >= 127.5 - 25.5 - 2
    assert values.max() <= 127.5 + 25.5 + 2
    assert np.ptp(values) > 40
    assert not labels.any()
    black_and_white = np.zeros((200, 4, 4, 3), np.uint8)
    black_and_white[:, :2] = 255
    contrast = augment(
        (black_and_white, np.zeros((200, 4, 4), np.int8)),
        make_steps(INTRODUCED_STEPS["flip_crop_color"]),
        np.random.default_rng(0),
    )
    assert contrast[0].min() == 0
    assert contrast[0].max() == 255  # clipped, not wrapped: the order is kept
    assert (contrast[0].max(axis=(1, 2, 3)) > contrast[0].min(axis=(1, 2, 3)) + 150).all()


STEPS = "activation_study.data.augmentation"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"_target_": "os.system"}], r"augmentation\.steps, number 1\._target_=os\.system: only classes of"),
        ([{"_target_": f"{STEPS}.Step"}], "has no step of that name"),
        ([{"_target_": f"{STEPS}.Flip", "probability": 2}], "probability=2: expected a number from 0 to 1"),
        ([{"_target_": f"{STEPS}.Crop", "largest": 1}], "rejects {'largest': 1}"),
        (["flip"], "flip: expected a step's class and arguments"),
        (
            [{"_target_": f"{STEPS}.ImageByImage", "steps": [{"_target_": f"{STEPS}.Flip"}]}],
            "Flip changes whole batches",
        ),
    ],
)
def test_what_is_no_step_is_said(steps: list, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make_steps(steps)


def test_steps_are_taken_in_their_order_with_the_whole_batch(batch: Batch) -> None:
    flip = {"_target_": f"{STEPS}.Flip", "probability": 1}
    images, labels = augment(batch, make_steps([flip]), np.random.default_rng(0))
    assert equal(images, batch[0][:, :, ::-1])
    assert equal(labels, batch[1][:, :, ::-1])
    twice, _ = augment(batch, make_steps([flip, flip]), np.random.default_rng(0))
    assert equal(twice, batch[0])


def test_a_crop_records_how_labels_are_resized() -> None:
    crop = {"_target_": f"{STEPS}.Crop"}
    inside = {"_target_": f"{STEPS}.ImageByImage", "steps": [crop]}
    for steps in ([crop], [inside]):
        assert "nearest_labels" in algorithms_of({"augmentation": {"name": "mine", "steps": steps}})
    assert algorithms_of({"augmentation": {"name": "flip", "steps": [{"_target_": f"{STEPS}.Flip"}]}}) == {}


class Returning(Step):
    """Returns its result in the place of changing the image."""

    def change(self, image: NDArray, label: NDArray, generator: np.random.Generator) -> NDArray:
        return image[:, ::-1]


class ReturningBatch(Step):
    """Likewise of a whole batch."""

    def change_batch(self, images: NDArray, labels: NDArray, generator: np.random.Generator) -> NDArray:
        return images[:, :, ::-1]


@pytest.mark.parametrize("step", [Returning(), ReturningBatch(), ImageByImage([Returning()])])
def test_a_step_that_returns_its_result_is_refused(batch: Batch, step: Step) -> None:
    with pytest.raises(BadInput, match=r"Returning\w* returns a result: expected changes in place"):
        augment(batch, [step], np.random.default_rng(0))
