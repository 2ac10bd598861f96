"""Images and labels at the network's size, computed once and cached on disk.

The cache is keyed by the content's digest and the preprocessing options; all label types share the images. The files
are memory-mapped, so a training process holds two batches in memory, not the data set.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.algorithms import NEAREST_LABELS
from activation_study.console import track_progress
from activation_study.data.folders.image_folder import image_decoding
from activation_study.data.images.image_reader import COLOR_IMAGES, ImageReader
from activation_study.data.images.input_convention import to_channel_order
from activation_study.data.images.resize import resize_bilinear
from activation_study.data.labels.label_types import (
    LabelInterpolation,
    Labels,
    LabelType,
    interpolation_for,
    label_dtype,
    resize_label,
)
from activation_study.data.source import Source
from activation_study.errors import BadInput
from activation_study.files import replacing

# Increased when the code below makes other arrays from the same images.
PREPROCESSING_VERSION = 1


@dataclass(frozen=True)
class PreprocessedData:
    """A data set at the network's size.

    Args:
        images: uint8 [N, height, width, channels], in the network's channel order.
        labels: int8, or int16 (see `label_dtype`) [N, height, width], −1 = unknown (an all-zero target in the article).
    """

    images: NDArray[np.uint8]
    labels: Labels

    def image_hashes(self, indices: NDArray[np.int64]) -> list[str]:
        """A digest of each chosen image's pixels: equal for identical images under two names."""
        return [hashlib.sha256(self.images[index].tobytes()).hexdigest()[:16] for index in indices]


def preprocess(
    source: Source,
    label_type: LabelType,
    size: tuple[int, int],
    channel_order: str,
    label_interpolation: LabelInterpolation,
    cache: Path,
    reader: ImageReader = COLOR_IMAGES,
    check_source: Callable[[], None] = lambda: None,
) -> PreprocessedData:
    """The preprocessed arrays of a source, read from the cache or computed.

    Images are resized by bilinear interpolation as uint8, labels by `resize_label`.

    Args:
        source: images and raw labels.
        label_type: which labels.
        size: (height, width).
        channel_order: `bgr`, as in the article and as OpenCV decodes, or `rgb`; of images with 3 channels.
        label_interpolation: `bilinear` or `nearest`; see `interpolation_for`.
        cache: the folder of the preprocessed arrays.
        reader: that the source reads its images with.
        check_source: raises BadInput if the source's files have changed since their digest was computed.

    Raises:
        BadInput: the cache cannot be written, or from `check_source`.
    """
    import cv2

    height, width = size
    count = len(source.names)
    interpolation = interpolation_for(label_type, label_interpolation)
    dtype = label_dtype(len(label_type.classes))
    folder = cache / f"{source.digest[:16]}-v{PREPROCESSING_VERSION}-opencv{cv2.__version__}"

    def image(index: int) -> NDArray[Any]:
        return to_channel_order(resize_bilinear(source.image(index), size), channel_order)

    def label(index: int) -> NDArray[Any]:
        return resize_label(label_type.target(source.label(index, label_type.name)), size, interpolation, dtype)

    images_file = folder / f"images-{height}x{width}-{_image_kind(reader, channel_order)}{image_decoding(source)}.npy"
    method = interpolation if interpolation == "bilinear" else f"nearest{NEAREST_LABELS}"
    labels_file = folder / f"{label_type.key}-{height}x{width}-{method}.npy"
    return PreprocessedData(
        images=_cached(images_file, image, (count, height, width, reader.channels), "uint8", check_source),
        labels=_cached(labels_file, label, (count, height, width), dtype, check_source),
    )


def _image_kind(reader: ImageReader, channel_order: str) -> str:
    """What distinguishes the images of one source at one size."""
    channels = channel_order if reader.channels == 3 else f"{reader.channels}ch"
    if reader.value_range is None:
        return channels
    low, high = reader.value_range
    return f"{channels}-{low!r}to{high!r}"


def _cached(
    path: Path, compute: Callable[[int], NDArray[Any]], shape: tuple[int, ...], dtype: str, check: Callable[[], None]
) -> NDArray[Any]:
    """The array in the file; computed and stored first if it is not there, unless the check then fails."""
    array = _read(path, shape, dtype)
    if array is None:
        try:
            # Not written through a memory map, which would end the process by SIGBUS on a full disk.
            with replacing(path) as temporary, open(temporary, "wb") as file:
                header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for index in track_progress(range(shape[0]), f"preprocessing {path.stem.partition('-')[0]}"):
                    file.write(np.ascontiguousarray(compute(index), dtype).tobytes())
                check()
        except OSError as error:
            raise BadInput(
                f"{path.parent}: cannot write the preprocessed arrays: {error}. Set data.cache=FOLDER"
            ) from error
        array = _read(path, shape, dtype)
        assert array is not None, path
    return array


def _read(path: Path, shape: tuple[int, ...], dtype: str) -> NDArray[Any] | None:
    """The memory-mapped array; None if the file is missing, incomplete, or has another shape or type."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    valid = array.shape == shape and array.dtype == dtype and os.path.getsize(path) >= array.nbytes
    return array if valid else None
