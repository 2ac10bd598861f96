"""Decoding of image files. Every function raises ValueError with the reason if a file cannot be used.

Pillow reads the header first, so the size of an image is checked before any pixel is decoded. OpenCV decodes images.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".npy")
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
# Formats of images that are not read; files of other formats (.txt, .json) are passed over.
UNREAD_SUFFIXES = (
    *(".gif", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".jfif", ".ppm", ".pgm", ".pnm", ".tga", ".psd"),
    *(".svg", ".dng", ".nef", ".cr2", ".cr3", ".arw", ".raw", ".exr", ".hdr", ".dcm", ".nii", ".mha", ".mat"),
)
MAX_CHANNELS = 8
MAX_PIXELS = 64_000_000  # a JPEG file of a few hundred kilobytes can decode to gigabytes
_JPEG_END = b"\xff\xd9"  # cannot occur within the pixel data


@contextmanager
def decoding() -> Iterator[None]:
    """Raises ValueError in the place of whatever a library raises for a damaged or malicious file in the block."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"cannot be decoded: {error}") from error


def is_unread_image(path: str) -> bool:
    """Whether a file is an image of a format that is not read, judging by its name."""
    return path.lower().endswith(UNREAD_SUFFIXES) or bool(conversion_hint(path))


def conversion_hint(path: str) -> str:
    """What is added to an error about a file of medical imaging; empty for other files."""
    kinds = ((".dcm", "DICOM"), (".nii", "NIfTI"), (".nii.gz", "NIfTI"))
    kind = next((kind for suffix, kind in kinds if path.lower().endswith(suffix)), None)
    return f"; convert {kind} to TIFF (docs/how-to/own-data-images.md)" if kind else ""


def read_image(content: bytes) -> NDArray[np.uint8]:
    """An image file of any of `FORMATS`, as viewers show it: uint8 [height, width, 3], BGR.

    The EXIF orientation is applied, 16 bits are reduced to 8, grey and CMYK are converted to BGR, transparency is
    dropped, and of several images the first is taken. Truncated files of other formats than JPEG may be accepted and
    filled with grey: see `check_image`.
    """
    import cv2

    open_header(content, FORMATS)
    return np.asarray(decode(content, cv2.IMREAD_COLOR), np.uint8)


def read_jpeg(content: bytes) -> NDArray[np.uint8]:
    """As `read_image`, but JPEG only, and in the stored orientation: the EXIF orientation is ignored."""
    import cv2

    open_header(content, ("JPEG",))
    return np.asarray(decode(content, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION), np.uint8)


def check_image(content: bytes) -> None:
    """Decodes the whole image with Pillow, which refuses truncated files of any format.

    This takes as long as `read_image` itself, so call it once per file and not at each read.
    """
    load(open_header(content, FORMATS))


def open_header(content: bytes, formats: tuple[str, ...]) -> "Image":
    """The image with only its header read. A JPEG file is refused if it is truncated."""
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise ValueError("empty file")
    # Pillow warns about large images, which are refused below, and about damaged metadata, which does not matter.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    stream = io.BytesIO(content)
    try:
        image = Image.open(stream, formats=formats)
    except UnidentifiedImageError as error:
        raise ValueError(f"not a {' or '.join(formats)} file, or its header is damaged") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"more than {MAX_PIXELS:,} pixels: cut it into tiles") from error
    except Exception as error:  # Pillow may raise anything for a malicious header
        raise ValueError(f"cannot be decoded: {error}") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels: expected at most {MAX_PIXELS:,}; cut it into tiles")
    # The decoders may fill missing pixels with grey. The stream is at the pixels now, after any embedded thumbnail,
    # which has an end marker of its own.
    if image.format in ("JPEG", "MPO") and content.find(_JPEG_END, stream.tell()) < 0:
        raise ValueError("truncated: the end marker is missing")
    return image


def load(image: "Image") -> None:
    """Decodes the pixels of an image with Pillow, in place."""
    with decoding():
        image.load()


def decode(content: bytes, flags: int) -> NDArray[Any]:
    """The pixels of an image as OpenCV decodes them with these flags."""
    import cv2

    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise ValueError("cannot be decoded: the file is damaged")
    return image
