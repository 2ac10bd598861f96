"""Nearest-neighbour resizing of label maps, aligned with the bilinear resizing of their images."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def resize_nearest(array: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """The array at another size, each pixel copied from an existing one; same dtype, [height, width, …].

    Pixel i of `target` pixels has its centre at (i + ½) · source / target, and takes the source pixel in which that
    lies: floor((2i + 1) · source / (2 · target)). OpenCV's bilinear interpolation uses the same centres.
    `cv2.INTER_NEAREST` does not: it takes floor(i · source / target), so its label maps lie up to half a target pixel
    to the lower right of their images. `cv2.INTER_NEAREST_EXACT` means these centres but rounds them in fixed point.

    Args:
        array: [rows, columns, …].
        size: (height, width) of the result.
    """
    rows, columns = (_sources(source, target) for source, target in zip(array.shape[:2], size, strict=True))
    return array.take(rows, axis=0).take(columns, axis=1)


def _sources(source: int, target: int) -> NDArray[np.int64]:
    """The source index of each target pixel along one axis, in integers: int64 [target]."""
    return (2 * np.arange(target) + 1) * source // (2 * target)
