"""The best weights on a split: one pass, one confusion matrix per image, at each label's own size."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from activation_study.data.label_types import LabelType
from activation_study.data.source import Source
from activation_study.data.splits import Indices
from activation_study.metrics import Counts, confusion

# uint8 [N, height, width, 3] → float32 probabilities [N, height, width, C]
Predictor = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def resize_and_argmax(probabilities: NDArray[np.float32], size: tuple[int, int], resize: str) -> NDArray[np.int64]:
    """The predicted class of each pixel at another size: int64 [height, width].

    Args:
        probabilities: float32 [rows, columns, C].
        size: (height, width) of the result.
        resize: `lanczos4`, the article's, or `bilinear`; of the probabilities, before argmax.
    """
    import cv2

    interpolation = {"lanczos4": cv2.INTER_LANCZOS4, "bilinear": cv2.INTER_LINEAR}[resize]
    height, width = size
    return np.argmax(cv2.resize(probabilities, (width, height), interpolation=interpolation), axis=-1)


def predictions(
    predict: Predictor, images: NDArray[np.uint8], indices: Indices, batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """The probabilities [height, width, C] of each chosen image in turn."""
    for start in range(0, len(indices), batch_size):
        yield from predict(images[indices[start : start + batch_size]])


def evaluate(
    predict: Predictor,
    images: NDArray[np.uint8],
    source: Source,
    label_type: LabelType,
    indices: Indices,
    resize: str,
    batch_size: int,
) -> Counts:
    """Confusion matrices of the chosen images against their original labels: int64 [images, C + 1, C].

    Args:
        predict: the network.
        images: the prepared pictures of the whole source, uint8 [N, height, width, 3].
        source: where the original labels are.
        label_type: which labels.
        indices: the chosen images.
        resize: see `resize_and_argmax`.
        batch_size: images per forward pass.
    """
    confusions = np.zeros((len(indices), len(label_type.classes) + 1, len(label_type.classes)), np.int64)
    for row, (index, probabilities) in enumerate(
        zip(indices, predictions(predict, images, indices, batch_size), strict=True)
    ):
        truth = label_type.target(source.label(index, label_type.name))
        height, width = truth.shape
        predicted = resize_and_argmax(probabilities, (height, width), resize)
        confusions[row] = confusion(truth, predicted, len(label_type.classes))
    return confusions
