"""Images of any number of channels at another size."""

import numpy as np
from numpy.typing import NDArray


def resize_bilinear(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image uint8 [height, width, channels] at another size (height, width), by bilinear interpolation."""
    import cv2

    resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8).reshape(*size, image.shape[-1])  # OpenCV drops a single channel


def resize_by_area(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The same by the mean over the area of each pixel, which OpenCV does for at most 4 channels at once."""
    import cv2

    channels = image.shape[-1]
    parts = [image] if channels <= 4 else [np.ascontiguousarray(image[..., index]) for index in range(channels)]
    resized = [cv2.resize(part, size[::-1], interpolation=cv2.INTER_AREA).reshape(*size, -1) for part in parts]
    return np.concatenate(resized, axis=-1).astype(np.uint8)
