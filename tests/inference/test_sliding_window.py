"""A picture as a whole or in windows: every pixel is asked, in whatever batches, and mirrored back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study.inference.sliding_window import InferenceOptions, predict_label_map


def by_brightness(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class 0 where a pixel's first channel is below 128, else 1: knows nothing of a pixel's surroundings."""
    bright = (images[..., 0] >= 128).astype(np.float32)
    return np.stack([1 - bright, bright], axis=-1)


def by_side(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Class 0 in the left half of the network's input, a little; else 1, a lot: sees where a pixel is."""
    left = np.zeros(images.shape[:3], np.float32)
    left[:, :, : images.shape[2] // 2] = 1
    return np.stack([0.6 * left, 0.9 * (1 - left)], axis=-1)


def picture(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(8, 16), (8, 17), (31, 50), (64, 16), (3, 5), (3, 40), (20, 7), (9, 200)])
@pytest.mark.parametrize("flip", [False, True])
def test_windows_ask_about_every_pixel_of_any_size(size: tuple[int, int], flip: bool) -> None:
    found = predict_label_map(
        by_brightness, picture(*size), InferenceOptions((8, 16), "bgr", "lanczos4", windows=True, flip=flip)
    )
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, picture(*size)[..., 0] >= 128)


def test_windows_are_in_the_networks_colours() -> None:
    found = predict_label_map(
        by_brightness, picture(20, 30), InferenceOptions((8, 16), "rgb", "lanczos4", windows=True)
    )
    np.testing.assert_array_equal(found, picture(20, 30)[..., 2] >= 128)


def test_a_pixel_listens_to_the_window_in_whose_middle_it_is() -> None:
    wide = picture(8, 48)  # windows begin at 0, 8, 16, 24, 32

    def by_window(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The class is the place of the window in the picture."""
        places = [next(k for k in range(5) if np.array_equal(wide[:, 8 * k : 8 * k + 16], each)) for each in images]
        return np.eye(5, dtype=np.float32)[places][:, None, None] * np.ones((1, 8, 16, 1), np.float32)

    found = predict_label_map(by_window, wide, InferenceOptions((8, 16), "bgr", "lanczos4", windows=True))
    centres = 8 + 8 * np.arange(5) - 0.5
    nearest = np.abs(np.arange(48)[:, None] - centres).argmin(axis=1)
    np.testing.assert_array_equal(found, np.broadcast_to(nearest, (8, 48)))


@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_batches_change_nothing(batch_size: int) -> None:
    ways = [InferenceOptions((8, 16), "bgr", "lanczos4", windows=True, batch_size=size) for size in (3, batch_size)]
    one, other = (predict_label_map(by_side, picture(30, 70), way) for way in ways)
    np.testing.assert_array_equal(one, other)


def test_a_resized_picture_comes_back_in_its_own_size() -> None:
    halves = np.zeros((40, 60, 3), np.uint8)
    halves[:, 30:] = 255
    found = predict_label_map(by_brightness, halves, InferenceOptions((8, 16), "bgr", "bilinear"))
    assert found.shape == (40, 60)
    np.testing.assert_array_equal(found[:, :26], 0)
    np.testing.assert_array_equal(found[:, 34:], 1)


def test_flipping_takes_the_mean_of_both_answers() -> None:
    alone = predict_label_map(by_side, picture(8, 16), InferenceOptions((8, 16), "bgr", "lanczos4"))
    assert set(np.unique(alone)) == {0, 1}
    both = predict_label_map(by_side, picture(8, 16), InferenceOptions((8, 16), "bgr", "lanczos4", flip=True))
    np.testing.assert_array_equal(both, 1)  # 0.45 against 0.3 on each side
