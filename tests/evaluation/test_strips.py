"""Strips have the same bits as the whole image."""

import cv2
import numpy as np
import pytest

from activation_study.evaluation.evaluate import resize_and_argmax
from activation_study.evaluation.strips import label_map, resized_strips

FLAGS = {"lanczos4": cv2.INTER_LANCZOS4, "bilinear": cv2.INTER_LINEAR}


@pytest.mark.parametrize("interpolation", FLAGS)
@pytest.mark.parametrize("channels", [2, 3, 4, 5, 8, 21, 128])
def test_strips_have_the_bits_of_the_whole(channels: int, interpolation: str) -> None:
    generator = np.random.default_rng(channels)
    for size in ((5, 700), (301, 333), (97, 16), (640, 131)):
        rows, columns = generator.integers(2, 120, 2)
        probabilities = generator.random((rows, columns, channels), np.float32)
        height, width = size
        whole = cv2.resize(probabilities, (width, height), interpolation=FLAGS[interpolation])
        joined = np.full_like(whole, np.nan)
        strips = list(
            resized_strips(probabilities, size, interpolation, strip_bytes=16 * max(rows, height) * channels * 4)
        )
        for strip in strips:
            joined[strip.rows, strip.columns] = strip.probabilities
        np.testing.assert_array_equal(joined, whole)
        whole_only = interpolation == "bilinear" and channels <= 4
        assert (len(strips) == 1) == (whole_only or width <= 16)
        classes = label_map(strips, size)
        assert classes.dtype == np.uint8
        np.testing.assert_array_equal(classes, whole.argmax(axis=-1))
        np.testing.assert_array_equal(resize_and_argmax(probabilities, size, interpolation), classes)


def test_of_equal_values_the_first_class_counts() -> None:
    probabilities = np.zeros((4, 4, 3), np.float32)
    probabilities[..., 1:] = 0.5
    assert set(resize_and_argmax(probabilities, (9, 9), "bilinear").ravel()) == {1}


@pytest.mark.parametrize("channels", [1, 255])
def test_one_class_and_the_most_classes(channels: int) -> None:
    probabilities = np.zeros((4, 4, channels), np.float32)
    probabilities[..., -1] = 1
    classes = resize_and_argmax(probabilities, (8, 8), "lanczos4")
    np.testing.assert_array_equal(classes, np.full((8, 8), channels - 1))
