"""Images as data URIs, so that a page is a single file."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.input_convention import rgb_to_bgr
from activation_study.evaluation.plots import colorize

MAX_WIDTH = 320  # pixels of an image on the page


def label_map_uri(ids: NDArray[Any], colors: Sequence[str]) -> str:
    """A label map of class ids [height, width], negative = unknown, in colours, as a data URI."""
    return _encode(".png", _downscale(colorize(ids, colors), nearest=True))


def image_uri(image: NDArray[np.uint8]) -> str:
    """An image RGB uint8 [height, width, 3] as a data URI."""
    return _encode(".jpg", _downscale(image, nearest=False))


def _downscale(image: NDArray[np.uint8], nearest: bool) -> NDArray[np.uint8]:
    import cv2

    height, width = image.shape[:2]
    scale = min(1.0, MAX_WIDTH / width)
    size = (round(scale * width), round(scale * height))
    resized: Any = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST if nearest else cv2.INTER_AREA)
    return resized


def _encode(suffix: str, image: NDArray[np.uint8]) -> str:
    """An image RGB uint8 [height, width, 3] as a data URI in the file format of the suffix."""
    import cv2

    _, content = cv2.imencode(suffix, np.ascontiguousarray(rgb_to_bgr(image)))
    mime = {".png": "image/png", ".jpg": "image/jpeg"}[suffix]
    return f"data:{mime};base64,{base64.b64encode(content.tobytes()).decode()}"
