"""Decoding of label images: the values of their pixels, as ids and as colours.

A file whose values may not be those that were labelled, or that is no label image, is refused with the reason.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.image_io import decoding, load, open_header
from activation_study.data.images.stored_image import is_tiff, read_stored
from activation_study.data.labels.class_problems import MAX_ID
from activation_study.data.labels.packed_color import GREY, is_grey, pack
from activation_study.errors import alternatives

if TYPE_CHECKING:
    from PIL.Image import Image

LABEL_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")
LOSSY_SUFFIXES = (".jpg", ".jpeg", ".webp")
WHY_NOT_LOSSY = "its compression changes values: export the labels as PNG"
_FORMATS = ("PNG", "TIFF", "BMP", "GIF")
_LOSSY_FORMATS = ("JPEG", "MPO", "WEBP")
_WHITE = {"1": 1, "L": 255, "LA": 255, "I;16": 65535, "I;16B": 65535, "I;16L": 65535, "I": None, "F": None}
_COLOR_MODES = ("RGB", "RGBA")
_LOSSY_TIFF = (6, 7, 34712)  # the tag Compression: JPEG in two versions, JPEG 2000
_TAG_BITS, _TAG_COMPRESSION = 258, 259
_SAVE = "save the labels as uint8 or uint16"


@dataclass(frozen=True)
class LabelImage:
    """A decoded label image.

    Args:
        values: int32 [height, width]: the values of a grey image, the indices of an indexed one; of a colour image
            red · 2¹⁶ + green · 2⁸ + blue.
        is_color: whether it is a colour image.
        palette: of an indexed image, the colour of each index, in the same form.
        white: of a grey image, the value that is white; None if there is none.
    """

    values: NDArray[np.int32]
    is_color: bool = False
    palette: NDArray[np.int32] | None = None
    white: int | None = None

    def ids(self) -> NDArray[np.int32] | None:
        """The values as ids; None of a colour image with unequal channels."""
        if not self.is_color:
            return self.values
        blue = self.values & 255
        return blue if np.array_equal(self.values, blue * GREY) else None

    def colors(self) -> NDArray[np.int32] | None:
        """The colours as red · 2¹⁶ + green · 2⁸ + blue; None if the image has none: more than 8 bits, no palette."""
        if self.is_color:
            return self.values
        if self.palette is not None:
            return self.palette[self.values] if self.values.max(initial=0) < len(self.palette) else None
        if self.white is None or self.white > 255:
            return None
        return self.values * (255 // self.white) * GREY


def read_label_image(content: bytes) -> LabelImage:
    """Decodes a lossless PNG, TIFF, BMP or GIF file.

    Grey images may have values of any type that are whole; colour images 8 bits per channel; an alpha channel must be
    opaque. A GIF file whose palette is grey is a grey image: the format has no other form of these, and programs number
    the grey values of each file anew.

    Raises:
        ValueError: with the reason.
    """
    try:
        image = open_header(content, (*_FORMATS, *_LOSSY_FORMATS[:1], *_LOSSY_FORMATS[2:]))
    except ValueError:
        if not is_tiff(content):
            raise
        return LabelImage(_values_of_tiff(content))  # of a type that Pillow does not know
    if image.format in _LOSSY_FORMATS or set(_tag(image, _TAG_COMPRESSION)) & set(_LOSSY_TIFF):
        raise ValueError(f"a {image.format} file: {WHY_NOT_LOSSY}")
    with decoding():
        frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ValueError(f"{frames} images in one file: expected one")
    png_bits, png_type = (content[24], content[25]) if image.format == "PNG" else (8, None)
    if image.mode in ("RGB", "RGBA", "LA") and max((png_bits, *_tag(image, _TAG_BITS))) > 8:
        raise ValueError("16 bits per channel: expected 8 bits per channel, or one grey channel")
    load(image)
    if image.mode == "P":
        indices, palette = np.asarray(image).astype(np.int32), _palette(image)
        if image.format == "GIF" and is_grey(palette).all() and indices.max(initial=0) < len(palette):
            return LabelImage(palette[indices] & 255, white=255)
        return LabelImage(indices, palette=palette)
    if image.mode in _COLOR_MODES:
        return LabelImage(pack(_opaque(image)), is_color=True)
    if image.mode not in _WHITE:
        raise ValueError(f"pixel format {image.mode}: expected {alternatives(('indexed', 'grey', 'RGB', 'RGBA'))}")
    values, white = _whole(_opaque(image)), _WHITE[image.mode]
    bits = png_bits if png_type == 0 else max(_tag(image, _TAG_BITS), default=8)
    if image.mode == "L" and bits in (2, 4):  # Pillow scales grey values of few bits to 0 … 255
        white = 2**bits - 1
        values //= 255 // white
    return LabelImage(values, white=white)


def _opaque(image: "Image") -> NDArray[Any]:
    """The pixels without the alpha channel."""
    pixels = np.asarray(image)
    if not image.mode.endswith("A"):
        return pixels
    transparent = np.count_nonzero(pixels[..., -1] != 255)
    if transparent:
        raise ValueError(
            f"{transparent / pixels[..., -1].size:.1%} of its pixels are transparent: expected opaque ones; save it "
            "without transparency, with a value that is listed under unknown in their place"
        )
    return pixels[..., 0] if image.mode == "LA" else pixels[..., :3]


def _palette(image: "Image") -> NDArray[np.int32]:
    return pack(np.array(image.getpalette("RGB"), np.uint8).reshape(1, -1, 3))[0]


def _values_of_tiff(content: bytes) -> NDArray[np.int32]:
    """The values of a grey TIFF file of any type, as ids."""
    pixels = read_stored(content).values
    if pixels.shape[-1] > 1:
        raise ValueError(
            f"{pixels.shape[-1]} channels of {pixels.dtype} values: expected one channel of ids, or colours of 8 bits "
            "per channel"
        )
    return _whole(pixels[..., 0])


def _whole(pixels: NDArray[Any]) -> NDArray[np.int32]:
    """Grey values as ids."""
    if pixels.dtype.kind not in "buif":
        raise ValueError(f"{pixels.dtype} values: expected ids; {_SAVE}")
    if pixels.dtype.kind == "f" and not np.array_equal(pixels, np.rint(pixels)):  # also with NaN
        raise ValueError(f"floating-point values that are not whole: expected ids; {_SAVE}")
    may_be_outside = pixels.dtype.kind in "if" or pixels.dtype.itemsize > 2
    low, high = (float(pixels.min()), float(pixels.max())) if pixels.size else (0.0, 0.0)
    if may_be_outside and not 0 <= low <= high <= MAX_ID:
        raise ValueError(f"{pixels.dtype} values from {low:g} to {high:g}: expected ids from 0 to {MAX_ID}; {_SAVE}")
    return pixels.astype(np.int32)


def _tag(image: "Image", number: int) -> tuple[Any, ...]:
    """The values of a TIFF tag; none if it is not there, or in another format."""
    value = getattr(image, "tag_v2", {}).get(number, ())
    return value if isinstance(value, tuple) else (value,)
