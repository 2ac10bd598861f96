"""The network's input: uint8 images, their channel order and their scale.

Inside this package an image is uint8 [height, width, 3] in the order in which OpenCV reads it: blue, green, red (BGR).
The network takes the order of its configuration (`data.channel_order`), as float32 in [0, 1].
Figures, pages and other programs take RGB.

`scale` and `scale_tensor` round alike: first to float32, then divided by 255.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_VALUE = 255.0  # of a uint8 channel; becomes 1


def bgr_to_rgb(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A BGR image [..., 3], or several, as RGB; a view."""
    return image[..., ::-1]


def rgb_to_bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An RGB image [..., 3], or several, as BGR; a view."""
    return image[..., ::-1]


def to_channel_order(image: NDArray[np.uint8], channel_order: str) -> NDArray[np.uint8]:
    """A BGR image [..., 3], or several, in the network's channel order, "bgr" or "rgb"; a view."""
    return bgr_to_rgb(image) if channel_order == "rgb" else image


def scale(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 as the network takes them: float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(MAX_VALUE)


def scale_tensor(images: Any) -> Any:
    """The same as `scale`, as part of a Keras model."""
    from keras import ops

    return ops.cast(images, "float32") / MAX_VALUE


def rgb_tensor_to_input(images: Any, channel_order: str) -> Any:
    """RGB uint8 [N, height, width, 3] as the network takes it, as part of a Keras model."""
    from keras import ops

    return scale_tensor(ops.flip(images, axis=-1) if channel_order == "bgr" else images)
