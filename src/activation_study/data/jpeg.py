"""One JPEG file as an array, or the reason why it is none; its size is known before anything is unpacked."""

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 64_000_000  # of one picture: a JPEG of a few hundred kilobytes can unpack to gigabytes


def read_jpeg(content: bytes) -> NDArray[np.uint8]:
    """A JPEG file's picture, uint8 [height, width, 3], BGR; grey and CMYK become BGR. ValueError with the reason."""
    import cv2

    height, width = _jpeg_size(content)
    if height * width > MAX_PIXELS:
        raise ValueError(f"{width}×{height} pixels: expected at most {MAX_PIXELS:,}")
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        picture = None
    if picture is None:
        raise ValueError("cannot be decoded: the file is damaged")
    return np.asarray(picture, np.uint8)


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """(height, width) from the header, before anything is unpacked. ValueError if it is damaged or cut off."""
    if not content:
        raise ValueError("empty file")
    if not content.startswith(b"\xff\xd8"):
        raise ValueError("no JPEG file")
    place = 2
    while content[place : place + 1] == b"\xff" and place + 9 <= len(content):
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame header
            height, width = (int.from_bytes(content[place + at : place + at + 2]) for at in (5, 7))
            if not height or not width:
                raise ValueError("empty picture")
            if content.rfind(b"\xff\xd9") < place:  # some OpenCV versions would fill the rest with grey
                raise ValueError("truncated: its end is missing")
            return height, width
        if marker == 0xFF:  # padding
            place += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:  # markers without a length
            place += 2
        elif marker == 0xDA or length < 2:
            break
        else:
            place += 2 + length
    raise ValueError("cannot be decoded: no picture size in its header")
