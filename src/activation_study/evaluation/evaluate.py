"""Predictions and confusion matrices of chosen images, at each label's own size."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.label_types import LabelType
from activation_study.data.source import Source
from activation_study.data.splitting.splits import Indices
from activation_study.evaluation.strips import label_map, resized_strips
from activation_study.metrics import Counts, confusion

# uint8 [N, height, width, channels] → float32 probabilities [N, height, width, C]
Predictor = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


def resize_and_argmax(
    probabilities: NDArray[np.float32], size: tuple[int, int], interpolation: str
) -> NDArray[np.uint8]:
    """The predicted class of each pixel at another size: uint8 [height, width].

    Args:
        probabilities: float32 [rows, columns, C]; resized before the argmax.
        size: (height, width) of the result.
        interpolation: `lanczos4`, as in the article, or `bilinear`.
    """
    return label_map(resized_strips(probabilities, size, interpolation), size)


def predict_in_batches(
    predict: Predictor, images: NDArray[np.uint8], indices: Indices, batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """Yields the probabilities [height, width, C] of each chosen image."""
    for start in range(0, len(indices), batch_size):
        yield from predict(images[indices[start : start + batch_size]])


def confusion_matrices(
    predict: Predictor,
    images: NDArray[np.uint8],
    source: Source,
    label_type: LabelType,
    indices: Indices,
    interpolation: str,
    batch_size: int,
) -> Counts:
    """One confusion matrix per chosen image against its original label: int64 [images, C + 1, C].

    Args:
        predict: the network.
        images: the preprocessed images of the whole source, uint8 [N, height, width, channels].
        source: has the original labels.
        label_type: which labels.
        indices: the chosen images.
        interpolation: see `resize_and_argmax`.
        batch_size: images per forward pass.
    """
    confusions = np.zeros((len(indices), len(label_type.classes) + 1, len(label_type.classes)), np.int64)
    outputs = predict_in_batches(predict, images, indices, batch_size)
    for row, (index, probabilities) in enumerate(zip(indices, outputs, strict=True)):
        truth = label_type.target(source.label(index, label_type.name))
        height, width = truth.shape
        predicted = resize_and_argmax(probabilities, (height, width), interpolation)
        confusions[row] = confusion(truth, predicted, len(label_type.classes))
    return confusions
