"""Images as data URIs, so that a page is a single file."""

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.input_convention import rgb_to_bgr
from activation_study.data.labels.nearest import resize_nearest
from activation_study.evaluation.plots import colorize

MAX_WIDTH = 320  # pixels of an image on the page
MAX_HEIGHT = 10 * MAX_WIDTH  # likewise; JPEG has at most 65,500


def label_map_uri(ids: NDArray[Any], colors: Sequence[str]) -> str:
    """A label map of class ids [height, width], negative = unknown, in colours, as a data URI."""
    return _encode(".png", _downscale(colorize(ids, colors), resize_nearest))


def image_uri(image: NDArray[np.uint8]) -> str:
    """An image RGB uint8 [height, width, 3] as a data URI."""
    return _encode(".jpg", _downscale(image, _resize_by_area))


def _downscale(
    image: NDArray[np.uint8], resize: Callable[[NDArray[np.uint8], tuple[int, int]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(1.0, MAX_WIDTH / width, MAX_HEIGHT / height)
    return resize(image, (max(1, round(scale * height)), max(1, round(scale * width))))


def _resize_by_area(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    resized: Any = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    return resized


def _encode(suffix: str, image: NDArray[np.uint8]) -> str:
    """An image RGB uint8 [height, width, 3] as a data URI in the file format of the suffix."""
    import cv2

    full_color = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]  # thin outlines keep theirs
    _, content = cv2.imencode(suffix, np.ascontiguousarray(rgb_to_bgr(image)), full_color if suffix == ".jpg" else [])
    mime = {".png": "image/png", ".jpg": "image/jpeg"}[suffix]
    return f"data:{mime};base64,{base64.b64encode(content.tobytes()).decode()}"
