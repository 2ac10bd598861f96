"""Class probabilities at an image's size, computed in strips, so that memory does not grow with the image.

The values of a strip have the same bits as those of the whole image. What a strip needs of the whole width is in a
temporary file.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STRIP_BYTES = 2**27  # of the probabilities of a strip; an image with fewer is one strip
COLUMNS = 16  # a strip's columns are a multiple of it, so that vector instructions treat them as in the whole
_MAX_CHANNELS = 128  # of an image in OpenCV
_WHOLE_CHANNELS = 4  # OpenCV may have other code for bilinear interpolation of so few channels


@dataclass(frozen=True)
class Strip:
    """A part of an image.

    Args:
        rows: of the image.
        columns: of the image.
        values: of each class, float32 [rows, columns, C]; overwritten when the next strip is asked for.
        weights: by which the values have been multiplied, float32 [rows, columns, 1].
    """

    rows: slice
    columns: slice
    values: NDArray[np.float32]
    weights: NDArray[np.float32] | float = 1.0

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """Of each class, float32 [rows, columns, C]."""
        return np.asarray(self.values / np.float32(self.weights), np.float32)


Keep = Callable[[Strip], None]


def label_map(strips: Iterable[Strip], size: tuple[int, int], keep: Keep | None = None) -> NDArray[np.uint8]:
    """The class with the largest value at each pixel, the first of equal ones: uint8 [height, width].

    Args:
        strips: of the image; they cover it.
        size: (height, width) of the image.
        keep: is given each strip, to store it.
    """
    classes = np.empty(size, np.uint8)
    for strip in strips:
        part = classes[strip.rows, strip.columns]
        step = max(1, STRIP_BYTES // (64 * part.shape[1]))  # argmax makes integers of 8 bytes
        for top in range(0, len(part), step):
            part[top : top + step] = strip.values[top : top + step].argmax(axis=-1)
        if keep is not None:
            keep(strip)
    return classes


def resized_strips(
    probabilities: NDArray[np.float32], size: tuple[int, int], interpolation: str, strip_bytes: int = STRIP_BYTES
) -> Iterator[Strip]:
    """The probabilities at another size, as `cv2.resize` makes them.

    OpenCV resizes the rows first, then the columns, and treats each column alike. So strips of some columns, all of
    them resized in width before, have the same bits as the whole. With `lanczos4`, values may be a little below 0 or
    above 1.

    Args:
        probabilities: float32 [rows, columns, C].
        size: (height, width) of the result.
        interpolation: `lanczos4`, as in the article, or `bilinear`.
        strip_bytes: of the values of one strip, about.
    """
    import cv2

    flag = {"lanczos4": cv2.INTER_LANCZOS4, "bilinear": cv2.INTER_LINEAR}[interpolation]
    (height, width), (rows, _, channels) = size, probabilities.shape
    pixel = 4 * channels  # bytes

    def resize(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
        groups = np.array_split(values, -(-channels // _MAX_CHANNELS), axis=-1)
        resized = [cv2.resize(np.ascontiguousarray(group), (width, height), interpolation=flag) for group in groups]
        joined = resized[0] if len(resized) == 1 else np.concatenate(resized, axis=-1)
        return np.asarray(joined, np.float32).reshape(height, width, channels)  # of one channel, the axis is dropped

    if height * width * pixel <= strip_bytes or (flag == cv2.INTER_LINEAR and channels <= _WHOLE_CHANNELS):
        yield Strip(slice(0, height), slice(0, width), resize(probabilities, height, width))
        return

    with tempfile.TemporaryFile() as wide:  # the probabilities resized in width alone
        band = max(1, strip_bytes // (width * pixel))  # rows
        for top in range(0, rows, band):
            part = probabilities[top : top + band]
            wide.write(resize(part, len(part), width).data)
        step = max(COLUMNS, strip_bytes // (max(rows, height) * pixel) // COLUMNS * COLUMNS)
        for left in range(0, width, step):
            columns = slice(left, min(width, left + step))
            part = np.empty((rows, columns.stop - left, channels), np.float32)
            for row in range(rows):
                wide.seek((row * width + left) * pixel)
                wide.readinto(part[row].data)
            yield Strip(slice(0, height), columns, resize(part, height, columns.stop - left))
