"""Pictures and label images of any usual format as arrays, or the reason why a file is none.

A picture's size is known before anything is unpacked. Pictures come as every viewer shows them: turned by their EXIF
orientation, 16 bits reduced to 8, grey and CMYK as colours, transparency ignored, the first one of several.
"""

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from activation_study.data.jpeg import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP")
_LABEL_MODES = ("1", "L", "P", "I;16", "I;16B", "I")


def read_picture(content: bytes) -> NDArray[np.uint8]:
    """A picture file as uint8 [height, width, 3], BGR. ValueError with the reason why it is none."""
    import cv2

    _opened(content, _FORMATS)
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        picture = None
    if picture is None:
        raise ValueError("cannot be decoded: the file is damaged")
    return np.asarray(picture, np.uint8)


def check_whole(content: bytes) -> None:
    """ValueError with the reason if a picture file is cut off: `read_picture` may fill the rest with grey."""
    _decoded(_opened(content, _FORMATS))


def read_label_image(content: bytes) -> NDArray[np.int32]:
    """A label image's values, int32 [height, width]: the indices of an indexed PNG, the values of a grey one.

    Raises:
        ValueError: no PNG file; colours or transparency; damaged.
    """
    picture = _opened(content, ("PNG",))
    if picture.mode not in _LABEL_MODES:
        raise ValueError(f"colours ({picture.mode}): expected an indexed or grey PNG whose values are ids")
    ids = np.asarray(_decoded(picture)).astype(np.int32)
    depth, kind = content[24], content[25]  # of the header, which was read
    if kind == 0 and depth in (2, 4):  # grey of few bits comes spread over 0 … 255
        ids //= 255 // (2**depth - 1)
    return ids


def _opened(content: bytes, formats: tuple[str, ...]) -> "Image":
    """The picture with its header read."""
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise ValueError("empty file")
    # Ours is the smaller limit, and an exception.
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    try:
        picture = Image.open(io.BytesIO(content), formats=formats)
    except UnidentifiedImageError as error:
        raise ValueError(f"no {', '.join(formats)} file, or its header is damaged") from error
    except Image.DecompressionBombError as error:
        raise ValueError(f"more than {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # of a hostile file's header Pillow may raise anything
        raise ValueError(f"cannot be decoded: {error}") from error
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels: expected at most {MAX_PIXELS:,}")
    return picture


def _decoded(picture: "Image") -> "Image":
    try:
        picture.load()
    except Exception as error:  # likewise
        raise ValueError(f"cannot be decoded: {error}") from error
    return picture
