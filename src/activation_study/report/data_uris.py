"""Pictures inside a page, so that the page is one file."""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.input_convention import rgb_to_bgr
from activation_study.evaluation.plots import colorize

WIDTH = 320  # pixels of a picture on the page, at most


def label_map_uri(ids: NDArray[Any], colors: Sequence[str]) -> str:
    """A map of class ids [height, width], negative = unknown, in colours, as a data address."""
    return _encoded(".png", _smaller(colorize(ids, colors), nearest=True))


def image_uri(picture: NDArray[np.uint8]) -> str:
    """A picture RGB uint8 [height, width, 3] as a data address."""
    return _encoded(".jpg", _smaller(picture, nearest=False))


def _smaller(picture: NDArray[np.uint8], nearest: bool) -> NDArray[np.uint8]:
    import cv2

    height, width = picture.shape[:2]
    scale = min(1.0, WIDTH / width)
    size = (round(scale * width), round(scale * height))
    resized: Any = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST if nearest else cv2.INTER_AREA)
    return resized


def _encoded(kind: str, picture: NDArray[np.uint8]) -> str:
    """RGB uint8 [height, width, 3] as a data address."""
    import cv2

    _, content = cv2.imencode(kind, np.ascontiguousarray(rgb_to_bgr(picture)))
    mime = {".png": "image/png", ".jpg": "image/jpeg"}[kind]
    return f"data:{mime};base64,{base64.b64encode(content.tobytes()).decode()}"
