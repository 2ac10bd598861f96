"""Label maps of whole images and of windows, in batches of any size, with and without flipping."""

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study.evaluation.strips import Strip
from activation_study.inference.sliding_window import InferenceOptions, predict_label_map


def by_brightness(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class 0 where a pixel's first channel is below 128, else 1: depends on each pixel alone."""
    bright = (images[..., 0] >= 128).astype(np.float32)
    return np.stack([1 - bright, bright], axis=-1)


def by_side(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class 0 in the left half of the input with 0.6, else class 1 with 0.9: depends on the position."""
    left = np.zeros(images.shape[:3], np.float32)
    left[:, :, : images.shape[2] // 2] = 1
    return np.stack([0.6 * left, 0.9 * (1 - left)], axis=-1)


def noise_image(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(8, 16), (8, 17), (31, 50), (64, 16), (3, 5), (3, 40), (20, 7), (9, 200)])
@pytest.mark.parametrize("flip_tta", [False, True])
def test_windows_cover_every_pixel_of_an_image_of_any_size(size: tuple[int, int], flip_tta: bool) -> None:
    label_map = predict_label_map(
        by_brightness,
        noise_image(*size),
        InferenceOptions((8, 16), "bgr", "lanczos4", sliding_window=True, flip_tta=flip_tta),
    )
    assert label_map.dtype == np.uint8
    np.testing.assert_array_equal(label_map, noise_image(*size)[..., 0] >= 128)


def test_windows_have_the_channel_order_of_the_network() -> None:
    label_map = predict_label_map(
        by_brightness, noise_image(20, 30), InferenceOptions((8, 16), "rgb", "lanczos4", sliding_window=True)
    )
    np.testing.assert_array_equal(label_map, noise_image(20, 30)[..., 2] >= 128)


def test_a_pixel_gets_the_class_of_the_window_with_the_nearest_centre() -> None:
    wide = noise_image(8, 48)  # windows start at 0, 8, 16, 24, 32

    def by_window(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The class is the index of the window in the image."""
        indices = [next(k for k in range(5) if np.array_equal(wide[:, 8 * k : 8 * k + 16], image)) for image in images]
        return np.eye(5, dtype=np.float32)[indices][:, None, None] * np.ones((1, 8, 16, 1), np.float32)

    label_map = predict_label_map(by_window, wide, InferenceOptions((8, 16), "bgr", "lanczos4", sliding_window=True))
    centres = 8 + 8 * np.arange(5) - 0.5
    nearest = np.abs(np.arange(48)[:, None] - centres).argmin(axis=1)
    np.testing.assert_array_equal(label_map, np.broadcast_to(nearest, (8, 48)))


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_the_batch_size_changes_nothing(batch_size: int) -> None:
    options = [
        InferenceOptions((8, 16), "bgr", "lanczos4", sliding_window=True, batch_size=size) for size in (3, batch_size)
    ]
    one, other = (predict_label_map(by_side, noise_image(30, 70), each) for each in options)
    np.testing.assert_array_equal(one, other)


def test_a_wide_image_is_predicted_in_blocks_and_the_mean_of_its_windows_is_kept() -> None:
    """Blocks are 16 windows wide; by definition: the weighted mean over all windows that cover a pixel."""
    image, weight = noise_image(13, 700), np.sin(np.pi * (np.arange(16) + 0.5) / 16) ** 2
    rows = np.sin(np.pi * (np.arange(8) + 0.5) / 8) ** 2

    def by_column(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        value = images.mean(axis=(1, 2, 3), dtype=np.float32)[:, None, None] / 255 + np.linspace(0, 0.3, 16)
        value = np.broadcast_to(value, images.shape[:3]).astype(np.float32)
        return np.stack([value, 1 - value], axis=-1)

    sums, weights = np.zeros((13, 700, 2)), np.zeros((13, 700, 1))
    for top in (0, 2, 5):
        for left in np.linspace(0, 684, 87).round().astype(int):
            window = (rows[:, None] * weight)[..., None]
            sums[top : top + 8, left : left + 16] += window * by_column(image[None, top : top + 8, left : left + 16])[0]
            weights[top : top + 8, left : left + 16] += window
    kept = np.full((13, 700, 2), np.nan, np.float32)

    def keep(strip: Strip) -> None:
        assert np.isnan(kept[strip.rows, strip.columns]).all()
        kept[strip.rows, strip.columns] = strip.probabilities

    options = InferenceOptions((8, 16), "bgr", "lanczos4", sliding_window=True)
    classes = predict_label_map(by_column, image, options, keep)
    np.testing.assert_allclose(kept, sums / weights, atol=1e-5)
    np.testing.assert_array_equal(classes, kept.argmax(axis=-1))


def test_a_resized_image_gets_a_label_map_of_its_original_size() -> None:
    halves = np.zeros((40, 60, 3), np.uint8)
    halves[:, 30:] = 255
    label_map = predict_label_map(by_brightness, halves, InferenceOptions((8, 16), "bgr", "bilinear"))
    assert label_map.shape == (40, 60)
    np.testing.assert_array_equal(label_map[:, :26], 0)
    np.testing.assert_array_equal(label_map[:, 34:], 1)


def test_flip_tta_averages_both_outputs() -> None:
    alone = predict_label_map(by_side, noise_image(8, 16), InferenceOptions((8, 16), "bgr", "lanczos4"))
    assert set(np.unique(alone)) == {0, 1}
    both = predict_label_map(by_side, noise_image(8, 16), InferenceOptions((8, 16), "bgr", "lanczos4", flip_tta=True))
    np.testing.assert_array_equal(both, 1)  # 0.45 against 0.3 on each side
