"""Nearest-neighbour resizing: against its definition in fractions, and in place with bilinear resizing."""

from fractions import Fraction
from math import floor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation_study.data.labels.nearest import resize_nearest

sides = st.integers(1, 40)


@given(sides, sides, sides, sides)
def test_each_pixel_is_the_one_that_its_centre_lies_in(rows: int, columns: int, height: int, width: int) -> None:
    array = np.arange(rows * columns).reshape(rows, columns)

    def source(target: int, old: int, new: int) -> int:
        return floor((target + Fraction(1, 2)) * old / new)

    expected = [
        [array[source(y, rows, height), source(x, columns, width)] for x in range(width)] for y in range(height)
    ]
    assert resize_nearest(array, (height, width)).tolist() == expected


def test_large_sides_are_exact_too() -> None:
    # 2 · 30,000 · 65,000 does not fit into 31 bits, and floating point would round some centres to the next pixel.
    array = np.arange(65_000)[None]
    expected = [(2 * i + 1) * 65_000 // 60_000 for i in range(30_000)]
    assert resize_nearest(array, (1, 30_000))[0].tolist() == expected


@pytest.mark.parametrize(("old", "new"), [(240, 64), (320, 64), (240, 224), (320, 224), (50, 64), (213, 48)])
def test_it_is_aligned_with_bilinear_interpolation(old: int, new: int) -> None:
    """A ramp shows where each pixel comes from: on average at the same place, and nowhere further than half a pixel."""
    ramp = np.tile(np.arange(old, dtype=np.float32), (3, 1))
    offset = (resize_nearest(ramp, (3, new)) - cv2.resize(ramp, (new, 3), interpolation=cv2.INTER_LINEAR))[0]
    assert np.abs(offset).max() <= 0.5 + 1e-3
    assert abs(offset.mean()) < 0.1


def test_the_type_and_further_axes_are_kept() -> None:
    colors = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    resized = resize_nearest(colors, (4, 2))
    assert (resized.dtype, resized.shape) == (np.uint8, (4, 2, 3))
    assert resized[0].tolist() == [[3, 4, 5], [9, 10, 11]]
