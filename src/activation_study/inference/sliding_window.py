"""Predicts the label map of one image of any size: resized as a whole, or in overlapping windows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.input_convention import to_channel_order
from activation_study.data.images.resize import resize_bilinear
from activation_study.evaluation.evaluate import Predictor
from activation_study.evaluation.strips import Keep, Strip, label_map, resized_strips

BLOCK = 16  # windows side by side that are predicted together; bounds the memory that a wide image takes


@dataclass(frozen=True)
class InferenceOptions:
    """How an image is given to a network and its output turned into a label map.

    Args:
        size: (height, width) of the network's input.
        channel_order: `bgr` or `rgb`, as the network was trained; of images with 3 channels.
        interpolation: of the probabilities of a resized image; see `resized_strips`.
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


def predict_label_map(
    predict: Predictor, image: NDArray[np.uint8], options: InferenceOptions, keep: Keep | None = None
) -> NDArray[np.uint8]:
    """The class ids, uint8 [height, width], of an image uint8 [height, width, channels].

    Without windows, as in the article: the image is resized by bilinear interpolation to the network's size, and the
    probabilities are resized back. With windows: the mean of the probabilities of all windows, weighted by
    sin²(π (i + ½) / n) along each side of n pixels, so that windows count most in their middle. An image smaller than
    a window is extended by its edge pixels. In both cases a pixel gets the class with the largest value.

    Args:
        predict: the network.
        image: the image.
        options: how.
        keep: is given the probabilities, strip by strip.
    """
    strips = _predict_windows if options.sliding_window else _predict_resized
    image = np.ascontiguousarray(to_channel_order(image, options.channel_order))
    return label_map(strips(predict, image, options), (image.shape[0], image.shape[1]), keep)


def _predict_resized(predict: Predictor, image: NDArray[np.uint8], options: InferenceOptions) -> Iterator[Strip]:
    resized = resize_bilinear(image, options.size)
    (probabilities,) = _predict_batches(predict, iter([resized]), options)
    return resized_strips(probabilities, (image.shape[0], image.shape[1]), options.interpolation)


def _predict_batches(
    predict: Predictor, images: Iterator[NDArray[np.uint8]], options: InferenceOptions
) -> Iterator[NDArray[np.float32]]:
    """The probabilities [height, width, C] of each image, computed in batches."""
    while batch := list(islice(images, options.batch_size)):
        stacked = np.stack(batch)
        probabilities = predict(stacked)
        if options.flip_tta:
            mirrored = predict(stacked[:, :, ::-1])[:, :, ::-1]
            probabilities = np.float32(0.5) * (probabilities + mirrored)
        yield from probabilities


def _predict_windows(predict: Predictor, image: NDArray[np.uint8], options: InferenceOptions) -> Iterator[Strip]:
    """The strips of an image from windows: some rows of a block of columns each."""
    import cv2

    (rows, columns), (height, width) = options.size, image.shape[:2]
    missing = max(0, rows - height), max(0, columns - width)
    padded = cv2.copyMakeBorder(image, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    image = np.asarray(padded, np.uint8).reshape(*padded.shape[:2], -1)  # OpenCV drops a single channel
    lefts = _window_starts(image.shape[1], columns)
    block = BLOCK * columns
    for left in range(0, width, block):
        right = min(width, left + block)
        overlapping = [start for start in lefts if left - columns < start < right]
        for strip in _predict_block(predict, image, overlapping, options):
            wanted = np.s_[: height - strip.rows.start, left - overlapping[0] : right - overlapping[0]]
            weights = np.asarray(strip.weights)
            part_rows = slice(strip.rows.start, min(height, strip.rows.stop))
            yield Strip(part_rows, slice(left, right), strip.values[wanted], weights[wanted])


def _predict_block(
    predict: Predictor, image: NDArray[np.uint8], lefts: Sequence[int], options: InferenceOptions
) -> Iterator[Strip]:
    """The strips of the columns that some windows cover, each complete in all rows that no later window covers."""
    rows, columns = options.size
    first, last = lefts[0], lefts[-1] + columns
    window = (_window_weights(rows)[:, None] * _window_weights(columns))[..., None]
    tops = _window_starts(image.shape[0], rows)
    sums: NDArray[np.float32] | None = None  # [rows, columns of the block, C]: rows that a later window may still cover
    weights = np.zeros((rows, last - first, 1), np.float32)  # of the windows in `sums`
    for top, next_top in zip(tops, [*tops[1:], image.shape[0]], strict=True):
        windows = (image[top : top + rows, left : left + columns] for left in lefts)
        for left, probabilities in zip(lefts, _predict_batches(predict, windows, options), strict=True):
            if sums is None:
                sums = np.zeros((rows, last - first, probabilities.shape[-1]), np.float32)
            sums[:, left - first : left - first + columns] += window * probabilities
            weights[:, left - first : left - first + columns] += window
        assert sums is not None
        finished = next_top - top
        yield Strip(slice(top, next_top), slice(first, last), sums[:finished], weights[:finished])
        for values in (sums, weights):
            values[: rows - finished] = values[finished:]
            values[rows - finished :] = 0


def _window_starts(length: int, window: int) -> list[int]:
    """Starts of windows that cover the length and overlap by half or more."""
    count = -(-(length - window) // max(1, window // 2)) + 1
    return [round(start) for start in np.linspace(0, length - window, count)]


def _window_weights(length: int) -> NDArray[np.float32]:
    return (np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2).astype(np.float32)
