"""The network's input: uint8 images, their channel order and their scale.

Inside this package an image is uint8 [height, width, channels]. Three channels are in the order in which OpenCV reads
them: blue, green, red (BGR). The network takes those in the order of its configuration (`data.channel_order`). Any
other number of channels stays in the order of the files. The network's values are float32 in [0, 1].
Figures and pages show RGB: see `displayed`. Other programs take RGB, or the order of the files.

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
    """A BGR image [..., 3], or several, in the network's channel order, "bgr" or "rgb"; a view.

    Images of another number of channels stay as they are.
    """
    return bgr_to_rgb(image) if channel_order == "rgb" and image.shape[-1] == 3 else image


def to_file_order(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images [..., channels] as other programs take them: BGR becomes RGB, other channels stay; a view."""
    return bgr_to_rgb(images) if images.shape[-1] == 3 else images


def to_grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A BGR image [height, width, 3] in grey, [height, width, 1]: 0.299 R + 0.587 G + 0.114 B."""
    import cv2

    return np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2GRAY), np.uint8)[..., None]


def displayed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image [height, width, channels] as people see it: RGB uint8 [height, width, 3].

    Of one or two channels the first is shown, as grey; of four and more the first three, as red, green and blue.
    """
    channels = image.shape[-1]
    if channels == 3:
        return bgr_to_rgb(image)
    return np.repeat(image[..., :1], 3, axis=-1) if channels < 3 else image[..., :3]


def scale(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 as the network takes them: float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(MAX_VALUE)


def scale_tensor(images: Any) -> Any:
    """The same as `scale`, as part of a Keras model."""
    from keras import ops

    return ops.cast(images, "float32") / MAX_VALUE


def file_order_to_input(images: Any, channel_order: str) -> Any:
    """Images uint8 [N, height, width, channels] as of `to_file_order` as the network takes them, in a Keras model."""
    from keras import ops

    flipped = channel_order == "bgr" and images.shape[-1] == 3
    return scale_tensor(ops.flip(images, axis=-1) if flipped else images)
