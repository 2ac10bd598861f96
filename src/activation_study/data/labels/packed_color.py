"""A colour as one number: red · 2¹⁶ + green · 2⁸ + blue."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

GREY = 0x010101  # times a value of 0 … 255


def pack(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The colours of pixels RGB [..., 3]."""
    values = pixels[..., 0].astype(np.int32)
    for channel in (1, 2):
        values <<= 8
        values |= pixels[..., channel]
    return values


def channels(color: int) -> NDArray[np.float64]:
    """Red, green and blue of a colour, 0 … 255."""
    return np.array([color >> 16, color >> 8 & 255, color & 255], np.float64)


def is_grey(colors: Any) -> Any:
    """Whether a colour, or each of an array, has three equal channels."""
    return colors == (colors & 255) * GREY


def to_hex(color: int) -> str:
    """A colour as "#RRGGBB"."""
    return f"#{color:06X}"
