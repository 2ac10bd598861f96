"""The orientation that a camera stored beside the pixels."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

UPRIGHT = 1
TURNED = {
    **{2: "mirrored", 3: "turned by 180°", 4: "mirrored upside down", 5: "mirrored and turned by 90°"},
    **{6: "turned by 90° to the right", 7: "mirrored and turned by 90°", 8: "turned by 90° to the left"},
}
EXCHANGES_SIDES = (5, 6, 7, 8)  # the orientations that make height of width
_TAG = 0x0112


def exif_orientation(content: bytes) -> int:
    """The EXIF orientation of an image file, 2 to 8 where viewers turn or mirror it; otherwise 1.

    `TURNED` says how.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return orientation_of(image)
    except Exception:  # Pillow may raise anything for damaged metadata, which viewers ignore
        return UPRIGHT


def orientation_of(image: "Image") -> int:
    """Likewise, of an open image. Pillow may raise anything for damaged metadata."""
    value = image.getexif().get(_TAG, UPRIGHT)
    return value if value in range(1, 9) else UPRIGHT
