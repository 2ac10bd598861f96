"""Random augmentation of training images together with their labels: a pure function of batch and generator."""

import numpy as np
from numpy.typing import NDArray

from activation_study.data.batching import Batch
from activation_study.data.images.resize import resize_bilinear
from activation_study.data.labels.label_types import Labels
from activation_study.data.labels.nearest import resize_nearest

MIN_CROP = 0.75
MAX_CONTRAST_CHANGE = 0.2
MAX_BRIGHTNESS_CHANGE = 0.1


def augment(batch: Batch, name: str, generator: np.random.Generator) -> Batch:
    """A batch in which each image is changed independently of the others.

    `flip` mirrors an image left to right with probability 1/2. `flip_crop_color` does this first. Then it crops a
    window whose sides are s times those of the image, s uniform in [0.75, 1] and its position uniform, and resizes it
    to the image's size, by bilinear interpolation for images and by nearest neighbour for labels. Then each value v of
    0 … 255 becomes g · (v − 127.5) + 127.5 + 255 · h, rounded and clipped, with contrast g uniform in [0.8, 1.2] and
    brightness h uniform in [−0.1, 0.1], the same for all channels, transparency included.

    Args:
        batch: images uint8 [N, height, width, channels], labels [N, height, width]; not modified.
        name: `none`, `flip` or `flip_crop_color`.
        generator: used for this step only, so that a resumed training gets the same images.
    """
    if name == "none":
        return batch
    images, labels = batch[0].copy(), batch[1].copy()
    mirrored = generator.random(len(images)) < 0.5
    images[mirrored], labels[mirrored] = images[mirrored, :, ::-1], labels[mirrored, :, ::-1]
    if name == "flip_crop_color":
        for image, label in zip(images, labels, strict=True):
            _crop(image, label, generator)
            _change_colors(image, generator)
    return images, labels


def _crop(image: NDArray[np.uint8], label: Labels, generator: np.random.Generator) -> None:
    height, width = label.shape
    scale = generator.uniform(MIN_CROP, 1)
    rows, columns = round(scale * height), round(scale * width)
    top, left = generator.integers(0, (height - rows + 1, width - columns + 1))
    window = np.s_[top : top + rows, left : left + columns]
    image[:] = resize_bilinear(image[window], (height, width))
    label[:] = resize_nearest(label[window], (height, width))


def _change_colors(image: NDArray[np.uint8], generator: np.random.Generator) -> None:
    import cv2

    contrast = generator.uniform(1 - MAX_CONTRAST_CHANGE, 1 + MAX_CONTRAST_CHANGE)
    brightness = generator.uniform(-MAX_BRIGHTNESS_CHANGE, MAX_BRIGHTNESS_CHANGE)
    values = np.arange(256)
    table = np.clip(np.rint(contrast * (values - 127.5) + 127.5 + 255 * brightness), 0, 255).astype(np.uint8)
    image[:] = cv2.LUT(image, table).reshape(image.shape)  # OpenCV drops a single channel
