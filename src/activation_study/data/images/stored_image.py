"""Decoding of an image file into its values as they are stored: any type, any number of channels.

TIFF is read by tifffile, which knows every type and number of channels; NumPy reads `.npy`, OpenCV the other formats.
Every function raises ValueError with the reason if a file cannot be used.
"""

import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.image_io import FORMATS, MAX_CHANNELS, MAX_PIXELS, decode, decoding, load, open_header
from activation_study.errors import counted

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage, TiffPageSeries

_NPY = b"\x93NUMPY"
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION = 0x0112  # tag of EXIF and TIFF
_PLAIN = ("MINISBLACK", "RGB")  # ways to store colours in which values need no conversion
_ASSOCIATED_ALPHA, _UNASSOCIATED_ALPHA = 1, 2
_DICOM_AT = 128
_AS_STORED = -1  # cv2.IMREAD_UNCHANGED: 16 bits and transparency stay, the EXIF orientation is ignored


@dataclass(frozen=True)
class StoredImage:
    """An image as its file has it.

    Args:
        values: [height, width, channels] of the file's own type, in the file's order of channels (RGB), as viewers
            turn it.
        is_color: whether the first three channels are red, green and blue.
        has_alpha: whether the last channel is transparency.
    """

    values: NDArray[Any]
    is_color: bool
    has_alpha: bool


def read_stored(content: bytes) -> StoredImage:
    """An image file of any of `FORMATS`, or a NumPy array [height, width, channels] or [height, width]."""
    if content.startswith(_NPY):
        return _read_npy(content)
    if is_tiff(content):
        return _read_tiff(content)
    if content[_DICOM_AT : _DICOM_AT + 4] == b"DICM":
        raise ValueError("a DICOM file: expected an image; convert it to TIFF (docs/how-to/own-data-images.md)")
    header = open_header(content, FORMATS)
    values = decode(content, _AS_STORED)
    if values.ndim == 2:
        values = values[..., None]
    elif header.mode == "LA" or values.shape[-1] == 2:
        values = values[..., [0, -1]]
    else:
        values = values[..., [2, 1, 0, 3][: values.shape[-1]]]
    channels = values.shape[-1]
    oriented = _orient(values, header.getexif().get(_ORIENTATION, 1))
    return StoredImage(oriented, is_color=channels > 2, has_alpha=channels in (2, 4))


def is_tiff(content: bytes) -> bool:
    """Whether the content starts as a TIFF file does."""
    return content.startswith(_TIFF)


def bit_depth(content: bytes) -> int | None:
    """The bits of a value in a file that is no TIFF: 8, or 16 of some PNG files; None for a NumPy array."""
    if content.startswith(_NPY):
        return None
    return 16 if content.startswith(b"\x89PNG") and content[24:25] == b"\x10" else 8


def channels_in_header(content: bytes) -> int:
    """The channels of an image file of 8 bits; those of a palette are 3."""
    header = open_header(content, FORMATS)
    return {"P": 3, "CMYK": 3}.get(header.mode, len(header.getbands()))


def tiff_type(content: bytes) -> tuple[np.dtype[Any], bool]:
    """The type of a TIFF file's values, and whether OpenCV cannot read it as grey or colours.

    That is channels of its own, several pages, transparency, by which OpenCV multiplies the colours, or grey values
    that it mixes up.
    """
    with _open_tiff(content) as tiff, decoding():
        series, page = tiff.series[0], _first_page(tiff.series[0])
        own = (
            "C" in series.axes
            or _rows_are_pages(series)
            or len(series) > 1
            or _UNASSOCIATED_ALPHA in page.extrasamples
            or page.samplesperpixel > 4
            or (page.samplesperpixel > 3 and _photometric(page) == "RGB" and not _has_alpha(page))
            or (_photometric(page) == "MINISBLACK" and _many(page))
            or _opencv_mixes_up(page)
        )
        return np.dtype(page.dtype), own


def _opencv_mixes_up(page: "TiffPage") -> bool:
    """Whether OpenCV refuses or garbles a grey image, as it does for any two of 16 bits, transparency and cut tiles."""
    is_cut = page.is_tiled and page.imagewidth % page.tilewidth > 0
    reasons = (page.dtype == np.uint16, page.samplesperpixel == 2, is_cut)
    return _photometric(page) in ("MINISBLACK", "MINISWHITE") and page.samplesperpixel < 3 and sum(reasons) > 1


def _many(page: "TiffPage") -> bool:
    return bool(page.samplesperpixel > 2 or (page.samplesperpixel == 2 and not _has_alpha(page)))


def _open_tiff(content: bytes) -> "TiffFile":
    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # about metadata that nothing here needs
    with decoding():
        return tifffile.TiffFile(io.BytesIO(content))


def _read_tiff(content: bytes) -> StoredImage:
    with _open_tiff(content) as tiff:
        with decoding():
            series = tiff.series[0]
            page = _first_page(series)
            color, alpha, orientation = _photometric(page), _has_alpha(page), page.tags.get(_ORIENTATION)
        channel_axis = _channel_axis(series)
        height, width = (size for axis, size in enumerate(series.shape) if axis != channel_axis)
        _check_size(height, width)
        if color not in _PLAIN and page.dtype in (np.uint8, np.bool_):
            values, orientation = _read_by_pillow(content, "L" if color == "MINISWHITE" else "RGB"), None
            return StoredImage(values, is_color=values.shape[-1] == 3, has_alpha=False)
        if any(offset + count > len(content) for offset, count in zip(page.dataoffsets, page.databytecounts)):  # noqa: B905
            raise ValueError("cannot be decoded: the file is truncated")
        try:
            values = series.asarray()
        except Exception as error:
            if "imagecodecs" not in str(error):
                raise ValueError(f"cannot be decoded: {error}") from error
            return StoredImage(_as_shown(_read_compressed(content, page), color), color == "RGB", alpha)
    values = values[..., None] if channel_axis is None else np.moveaxis(values, channel_axis, -1)
    values = _orient(_as_shown(values, color), orientation.value if orientation else 1)
    return StoredImage(values, color == "RGB", alpha)


def _as_shown(values: NDArray[Any], color: str) -> NDArray[Any]:
    """Values of 1 bit as 0 and 255, and whole numbers whose zero is white inverted."""
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    if color == "MINISWHITE" and values.dtype.kind == "u":
        values = np.iinfo(values.dtype).max - values
    return values


def _first_page(series: "TiffPageSeries") -> "TiffPage":
    page: Any = series.keyframe
    return page  # type: ignore[no-any-return]


def _channel_axis(series: "TiffPageSeries") -> int | None:
    """Which axis of a series are the channels: samples (S), channels (C), or few pages without a meaning (Q, I)."""
    others = [axis for axis in series.axes if axis not in "YX"]
    if not others:
        return None
    if _rows_are_pages(series):
        return 2
    pages = len(series) > 1 and series.axes[0] in "QI" and series.shape[0] <= MAX_CHANNELS
    if len(others) > 1 or not (others[0] in "SC" or pages):
        stack = ", ".join(f"{length} along {axis}" for axis, length in zip(series.axes, series.shape, strict=True))
        raise ValueError(f"a stack of images ({stack}): expected one image; save each one as a file")
    return series.axes.index(others[0])


def _rows_are_pages(series: "TiffPageSeries") -> bool:
    """Whether an array [height, width, channels] was written by tifffile as if its rows were images."""
    shape = series.shape
    return series.kind == "shaped" and series.axes == "QYX" and len(shape) == 3 and shape[2] <= MAX_CHANNELS < shape[0]


def _has_alpha(page: "TiffPage") -> bool:
    return any(sample in (_ASSOCIATED_ALPHA, _UNASSOCIATED_ALPHA) for sample in page.extrasamples)


def _photometric(page: "TiffPage") -> str:
    """How a page stores colours, as tifffile names it."""
    return str(getattr(page.photometric, "name", page.photometric))


def _read_compressed(content: bytes, page: "TiffPage") -> NDArray[Any]:
    """A TIFF whose compression tifffile cannot read, by Pillow, which reads few types."""
    compression = getattr(page.compression, "name", page.compression)
    reason = (
        f"compressed by {compression}, which only the package imagecodecs reads for {page.dtype} values with "
        f"{counted(page.samplesperpixel, 'channel')}: `pip install imagecodecs`, or save it without compression"
    )
    try:
        values = _read_by_pillow(content, None)
    except ValueError as error:
        raise ValueError(reason) from error
    if values.dtype != page.dtype or values.shape[-1] != page.samplesperpixel:
        raise ValueError(reason)
    return values


def _read_by_pillow(content: bytes, mode: str | None) -> NDArray[Any]:
    """An image [height, width, channels] as Pillow reads it, turned as viewers show it."""
    header = open_header(content, ("TIFF",))
    load(header)
    values = np.asarray(header if mode is None else header.convert(mode))
    return values[..., None] if values.ndim == 2 else values


def _read_npy(content: bytes) -> StoredImage:
    stream = io.BytesIO(content)
    with decoding():
        version = np.lib.format.read_magic(stream)
        read_header = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
        shape, _, dtype = read_header(stream)
    if len(shape) not in (2, 3) or min(shape) == 0:
        raise ValueError(f"an array {list(shape)}: expected [height, width, channels]")
    if len(shape) == 3 and shape[2] > MAX_CHANNELS >= shape[0]:
        raise ValueError(f"an array {list(shape)}: expected [height, width, channels]; use np.moveaxis(array, 0, -1)")
    _check_size(*shape[:2])
    if dtype.kind not in "buif" or (len(shape) == 3 and shape[2] > MAX_CHANNELS):
        what = f"values of the type {dtype}" if dtype.kind not in "buif" else f"{shape[2]} channels"
        raise ValueError(f"{what}: expected numbers, in at most {MAX_CHANNELS} channels")
    with decoding():
        values: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    if values.ndim == 2:
        values = values[..., None]
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * 255
    return StoredImage(values, is_color=values.shape[-1] == 3, has_alpha=False)


def _check_size(height: int, width: int) -> None:
    if height * width == 0:
        raise ValueError(f"{width}×{height} pixels: the file is damaged")
    if height * width > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels: expected at most {MAX_PIXELS:,}")


def _orient(values: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Values [height, width, channels] turned by an EXIF orientation, 1 … 8, as viewers show them."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values
