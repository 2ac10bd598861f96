"""Training pictures changed at random, labels along with them: a pure function of a batch and a generator."""

import numpy as np
from numpy.typing import NDArray

from activation_study.data.batching import Batch

SMALLEST_CROP = 0.75
LARGEST_GAIN = 0.2
LARGEST_SHIFT = 0.1


def augmented(batch: Batch, how: str, generator: np.random.Generator) -> Batch:
    """A batch with each of its pictures changed on its own.

    `flip`: mirrored left to right with probability 1/2. `flip_crop_color`: after that, a window whose sides are s
    times the picture's, s uniform in [0.75, 1] and its place uniform, is resized to the picture's size (pictures by
    bilinear interpolation, labels by nearest neighbour); then each value v of 0 … 255 becomes
    g · (v − 127.5) + 127.5 + 255 · h, rounded and clipped, with contrast g uniform in [0.8, 1.2] and brightness h
    uniform in [−0.1, 0.1].

    Args:
        batch: images uint8 [N, height, width, 3], labels int8 [N, height, width]; left as they are.
        how: `none`, `flip` or `flip_crop_color`.
        generator: of this step alone, so that a resumed training meets the same pictures.
    """
    if how == "none":
        return batch
    images, labels = batch[0].copy(), batch[1].copy()
    mirrored = generator.random(len(images)) < 0.5
    images[mirrored], labels[mirrored] = images[mirrored, :, ::-1], labels[mirrored, :, ::-1]
    if how == "flip_crop_color":
        for picture, label in zip(images, labels, strict=True):
            _crop(picture, label, generator)
            _recolor(picture, generator)
    return images, labels


def _crop(picture: NDArray[np.uint8], label: NDArray[np.int8], generator: np.random.Generator) -> None:
    import cv2

    height, width = label.shape
    side = generator.uniform(SMALLEST_CROP, 1)
    rows, columns = round(side * height), round(side * width)
    top, left = generator.integers(0, (height - rows + 1, width - columns + 1))
    window = np.s_[top : top + rows, left : left + columns]
    picture[:] = cv2.resize(picture[window], (width, height), interpolation=cv2.INTER_LINEAR)
    label[:] = cv2.resize(label[window], (width, height), interpolation=cv2.INTER_NEAREST)


def _recolor(picture: NDArray[np.uint8], generator: np.random.Generator) -> None:
    import cv2

    gain = generator.uniform(1 - LARGEST_GAIN, 1 + LARGEST_GAIN)
    shift = generator.uniform(-LARGEST_SHIFT, LARGEST_SHIFT)
    values = np.arange(256)
    table = np.clip(np.rint(gain * (values - 127.5) + 127.5 + 255 * shift), 0, 255).astype(np.uint8)
    picture[:] = cv2.LUT(picture, table)
