"""Pictures and labels at the network's size, made once and read from disk ever after.

Cached by content digest and preparation options: pictures once for all label types. The files are
memory-mapped: a training process holds two batches, not the data set.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.input_convention import to_channel_order
from activation_study.data.label_types import LabelResize, LabelType, resize_label, resize_way
from activation_study.data.source import Source
from activation_study.errors import BadInput
from activation_study.files import replacing

# Raised when the code below makes other arrays from the same pictures.
PREPARATION_VERSION = 1


@dataclass(frozen=True)
class PreprocessedData:
    """A data set at the network's size.

    Args:
        images: uint8 [N, height, width, 3].
        labels: int8 [N, height, width], −1 = the article's all-zero target.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int8]

    def image_hashes(self, indices: NDArray[np.int64]) -> list[str]:
        """A digest of each chosen picture's pixels: equal for one photograph under two names."""
        return [hashlib.sha256(self.images[index].tobytes()).hexdigest()[:16] for index in indices]


def preprocess(
    source: Source,
    label_type: LabelType,
    size: tuple[int, int],
    channel_order: str,
    label_interpolation: LabelResize,
    cache: Path,
) -> PreprocessedData:
    """The prepared arrays of a source, from the cache or made now.

    Pictures: resized by bilinear interpolation as uint8. Labels: `resize_label`.

    Args:
        source: pictures and raw labels.
        label_type: which labels, and what the target is.
        size: (height, width).
        channel_order: `bgr`, as OpenCV reads and the article trains, or `rgb`.
        label_interpolation: `bilinear` or `nearest`.
        cache: folder of the prepared arrays.

    Raises:
        BadInput: the cache cannot be written.
    """
    import cv2

    height, width = size
    count = len(source.names)
    way = resize_way(label_type, label_interpolation)
    home = cache / f"{source.digest[:16]}-v{PREPARATION_VERSION}-opencv{cv2.__version__}"

    def image(index: int) -> NDArray[Any]:
        picture = cv2.resize(source.image(index), (width, height), interpolation=cv2.INTER_LINEAR)
        return to_channel_order(np.asarray(picture, np.uint8), channel_order)

    def label(index: int) -> NDArray[Any]:
        return resize_label(label_type.target(source.label(index, label_type.name)), size, way)

    return PreprocessedData(
        images=_cached(
            home / f"images-{height}x{width}-{channel_order}.npy", image, (count, height, width, 3), "uint8"
        ),
        labels=_cached(home / f"{label_type.key}-{height}x{width}-{way}.npy", label, (count, height, width), "int8"),
    )


def _cached(path: Path, make: Callable[[int], NDArray[Any]], shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    found = _read(path, shape, dtype)
    if found is None:
        try:
            # Written, not mapped: on a full disk a mapped file ends the process by SIGBUS.
            with replacing(path) as temporary, open(temporary, "wb") as file:
                header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for index in range(shape[0]):
                    file.write(np.ascontiguousarray(make(index), dtype).tobytes())
        except OSError as error:
            raise BadInput(f"{path.parent}: cannot write prepared arrays: {error}; choose data.cache=FOLDER") from error
        found = _read(path, shape, dtype)
        assert found is not None, path
    return found


def _read(path: Path, shape: tuple[int, ...], dtype: str) -> NDArray[Any] | None:
    """The array, or None where there is none or the file is not whole."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    whole = array.shape == shape and array.dtype == dtype and os.path.getsize(path) >= array.nbytes
    return array if whole else None
