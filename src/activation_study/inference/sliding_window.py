"""The predicted classes of one picture of any size: as a whole, resized, or in overlapping windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.evaluation.evaluate import Predictor, resize_and_argmax


@dataclass(frozen=True)
class InferenceOptions:
    """How a picture is given to a network, and its answer read.

    Args:
        size: (height, width) of the network's input.
        color: `bgr` or `rgb`, as it was trained.
        resize: see `evaluation.resize_and_argmax`; of a picture that is resized.
        windows: the picture in its own resolution, in windows of the network's size that overlap by half.
        flip: the mean of the answers for the picture and its mirror image.
        batch_size: windows per forward pass; changes nothing but speed and memory.
    """

    size: tuple[int, int]
    color: str
    resize: str
    windows: bool = False
    flip: bool = False
    batch_size: int = 8


def predict_label_map(predict: Predictor, picture: NDArray[np.uint8], way: InferenceOptions) -> NDArray[np.uint8]:
    """The class ids, uint8 [height, width], of a picture uint8 [height, width, 3], BGR.

    Resized, as in the article: the whole picture by bilinear interpolation to the network's size, the probabilities
    back to the picture's. Windows: the probabilities of windows are added with weights sin²(π (i + ½) / n) along each
    side of n pixels, so that each pixel listens to the windows in whose middle it is; a picture smaller than a window
    is continued by its edge. In both the class is the one with the largest sum.
    """
    import cv2

    if way.color == "rgb":
        picture = np.ascontiguousarray(picture[..., ::-1])
    if way.windows:
        return _predict_windows(predict, picture, way)
    resized = cv2.resize(picture, way.size[::-1], interpolation=cv2.INTER_LINEAR)
    probabilities = _predict_batches(predict, np.asarray(resized, np.uint8)[None], way)[0]
    height, width = picture.shape[:2]
    return resize_and_argmax(probabilities, (height, width), way.resize).astype(np.uint8)


def _predict_batches(predict: Predictor, pictures: NDArray[np.uint8], way: InferenceOptions) -> NDArray[np.float32]:
    """The probabilities [N, height, width, C], in batches."""
    parts = []
    for start in range(0, len(pictures), way.batch_size):
        batch = pictures[start : start + way.batch_size]
        found = predict(batch)
        if way.flip:
            found = np.float32(0.5) * (found + predict(batch[:, :, ::-1])[:, :, ::-1])
        parts.append(found)
    return np.concatenate(parts)


def _predict_windows(predict: Predictor, picture: NDArray[np.uint8], way: InferenceOptions) -> NDArray[np.uint8]:
    import cv2

    (rows, columns), (height, width) = way.size, picture.shape[:2]
    missing = max(0, rows - height), max(0, columns - width)
    padded = cv2.copyMakeBorder(picture, 0, missing[0], 0, missing[1], cv2.BORDER_REPLICATE)
    picture = np.asarray(padded, np.uint8)
    weights = (_weights(rows)[:, None] * _weights(columns))[..., None]
    tops, lefts = _starts(picture.shape[0], rows), _starts(picture.shape[1], columns)
    result = np.empty(picture.shape[:2], np.uint8)
    sums: NDArray[np.float32] | None = None  # [rows, width, C]: of the rows that a window still covers, not of all
    for top, following in zip(tops, [*tops[1:], picture.shape[0]], strict=True):
        windows = np.stack([picture[top : top + rows, left : left + columns] for left in lefts])
        found = _predict_batches(predict, windows, way)
        if sums is None:
            sums = np.zeros((rows, picture.shape[1], found.shape[-1]), np.float32)
        for left, probabilities in zip(lefts, found, strict=True):
            sums[:, left : left + columns] += weights * probabilities
        done = following - top
        result[top:following] = sums[:done].argmax(axis=-1)
        sums[: rows - done] = sums[done:]
        sums[rows - done :] = 0
    return result[:height, :width]


def _starts(length: int, window: int) -> list[int]:
    """Where windows begin that cover the length and overlap by half or more."""
    count = -(-(length - window) // max(1, window // 2)) + 1
    return [round(start) for start in np.linspace(0, length - window, count)]


def _weights(length: int) -> NDArray[np.float32]:
    return (np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2).astype(np.float32)
