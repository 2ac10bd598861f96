"""Colors and polygons, of which the things of a scene are made."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Color = NDArray[np.float64]  # [3]: blue, green, red, 0 to 255
Polygons = NDArray[np.float64]  # [polygons, corners, (x, y)] in canvas pixels
Shape = tuple[Polygons, Color]

_CIRCLE = np.array([(np.cos(angle), np.sin(angle)) for angle in np.linspace(0, 2 * np.pi, 14, endpoint=False)])


def bgr(code: int) -> Color:
    """0xRRGGBB as OpenCV orders the channels."""
    return np.array((code & 255, code >> 8 & 255, code >> 16), np.float64)


def pick(rng: np.random.Generator, codes: Sequence[int]) -> Color:
    """One of the 0xRRGGBB colors, somewhat lighter or darker and with a slightly different hue."""
    return bgr(codes[int(rng.integers(len(codes)))]) * rng.uniform(0.86, 1.14) * rng.uniform(0.95, 1.05, 3)


def mix(first: Color, second: Color, fraction: ArrayLike) -> Color:
    """A color between two: `fraction` is the part of the second."""
    return first + (second - first) * np.asarray(fraction)


def polygon(*coordinates: float) -> Polygons:
    """x, y, x, y, … as one polygon [1, corners, 2]."""
    return np.array(coordinates, np.float64).reshape(1, -1, 2)


def ellipses(x: ArrayLike, y: ArrayLike, across: ArrayLike, down: ArrayLike) -> Polygons:
    """Ellipses [n, 14, 2] from centers and half axes; each a number or an array [n]."""
    parts = np.stack(np.broadcast_arrays(*map(np.atleast_1d, (x, y, across, down))), axis=-1)
    return parts[:, None, :2] + parts[:, None, 2:] * _CIRCLE
