"""Predicts the label map of one image of any size: resized as a whole, or in overlapping windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.data.input_convention import to_channel_order
from activation_study.evaluation.evaluate import Predictor, resize_and_argmax


@dataclass(frozen=True)
class InferenceOptions:
    """How an image is given to a network and its output turned into a label map.

    Args:
        size: (height, width) of the network's input.
        channel_order: `bgr` or `rgb`, as the network was trained.
        interpolation: of the probabilities of a resized image; see `resize_and_argmax`.
        sliding_window: predict the image at its own resolution, in windows of the network's size that overlap by half.
        flip_tta: average the outputs for the image and its mirror image.
        batch_size: windows per forward pass; affects only speed and memory.
    """

    size: tuple[int, int]
    channel_order: str
    interpolation: str
    sliding_window: bool = False
    flip_tta: bool = False
    batch_size: int = 8


def predict_label_map(predict: Predictor, image: NDArray[np.uint8], options: InferenceOptions) -> NDArray[np.uint8]:
    """The class ids, uint8 [height, width], of an image uint8 [height, width, 3], BGR.

    Without windows, as in the article: the image is resized by bilinear interpolation to the network's size, and the
    probabilities are resized back. With windows: the probabilities of all windows are added up, weighted by
    sin²(π (i + ½) / n) along each side of n pixels, so that windows count most in their middle. An image smaller than
    a window is extended by its edge pixels. In both cases a pixel gets the class with the largest value.
    """
    import cv2

    image = np.ascontiguousarray(to_channel_order(image, options.channel_order))
    if options.sliding_window:
        return _predict_windows(predict, image, options)
    resized = cv2.resize(image, options.size[::-1], interpolation=cv2.INTER_LINEAR)
    probabilities = _predict_batches(predict, np.asarray(resized, np.uint8)[None], options)[0]
    height, width = image.shape[:2]
    return resize_and_argmax(probabilities, (height, width), options.interpolation).astype(np.uint8)


def _predict_batches(predict: Predictor, images: NDArray[np.uint8], options: InferenceOptions) -> NDArray[np.float32]:
    """The probabilities [N, height, width, C], computed in batches."""
    outputs = []
    for start in range(0, len(images), options.batch_size):
        batch = images[start : start + options.batch_size]
        probabilities = predict(batch)
        if options.flip_tta:
            mirrored = predict(batch[:, :, ::-1])[:, :, ::-1]
            probabilities = np.float32(0.5) * (probabilities + mirrored)
        outputs.append(probabilities)
    return np.concatenate(outputs)


def _predict_windows(predict: Predictor, image: NDArray[np.uint8], options: InferenceOptions) -> NDArray[np.uint8]:
    import cv2

    (rows, columns), (height, width) = options.size, image.shape[:2]
    missing = max(0, rows - height), max(0, columns - width)
    padded = cv2.copyMakeBorder(image, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    image = np.asarray(padded, np.uint8)
    weights = (_window_weights(rows)[:, None] * _window_weights(columns))[..., None]
    tops, lefts = _window_starts(image.shape[0], rows), _window_starts(image.shape[1], columns)
    label_map = np.empty(image.shape[:2], np.uint8)
    sums: NDArray[np.float32] | None = None  # [rows, width, C]: only the rows that a later window may still cover
    for top, next_top in zip(tops, [*tops[1:], image.shape[0]], strict=True):
        windows = np.stack([image[top : top + rows, left : left + columns] for left in lefts])
        outputs = _predict_batches(predict, windows, options)
        if sums is None:
            sums = np.zeros((rows, image.shape[1], outputs.shape[-1]), np.float32)
        for left, probabilities in zip(lefts, outputs, strict=True):
            sums[:, left : left + columns] += weights * probabilities
        finished = next_top - top
        label_map[top:next_top] = sums[:finished].argmax(axis=-1)
        sums[: rows - finished] = sums[finished:]
        sums[rows - finished :] = 0
    return label_map[:height, :width]


def _window_starts(length: int, window: int) -> list[int]:
    """Starts of windows that cover the length and overlap by half or more."""
    count = -(-(length - window) // max(1, window // 2)) + 1
    return [round(start) for start in np.linspace(0, length - window, count)]


def _window_weights(length: int) -> NDArray[np.float32]:
    return (np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2).astype(np.float32)
