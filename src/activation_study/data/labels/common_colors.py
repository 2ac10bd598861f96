"""English names of colours, as a hint for a reader: the 16 of HTML 4 and a few more, by the nearest one."""

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.packed_color import channels

_COLORS = {
    "black": 0x000000,
    "dark grey": 0x404040,
    "grey": 0x808080,
    "light grey": 0xC0C0C0,
    "white": 0xFFFFFF,
    "maroon": 0x800000,
    "red": 0xFF0000,
    "olive": 0x808000,
    "yellow": 0xFFFF00,
    "green": 0x008000,
    "lime": 0x00FF00,
    "teal": 0x008080,
    "cyan": 0x00FFFF,
    "navy": 0x000080,
    "blue": 0x0000FF,
    "purple": 0x800080,
    "magenta": 0xFF00FF,
    "orange": 0xFFA500,
    "brown": 0x8B4513,
    "pink": 0xFFC0CB,
    "sky blue": 0x87CEEB,
    "violet": 0x8A2BE2,
    "crimson": 0xDC143C,
    "light green": 0x90EE90,
}

_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # of sRGB


def nearest_name(color: int) -> str:
    """The name of the nearest colour, by the Euclidean distance in CIELAB, in which equal distances look equal.

    Args:
        color: red · 2¹⁶ + green · 2⁸ + blue, as sRGB.
    """
    lab = _lab(color)
    return min(_COLORS, key=lambda name: float(np.linalg.norm(_lab(_COLORS[name]) - lab)))


def _lab(color: int) -> NDArray[np.float64]:
    """L*, a*, b* with the white point D65."""
    srgb = channels(color) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(_XYZ @ linear / _XYZ.sum(axis=1))  # without the linear part of very dark colours
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
