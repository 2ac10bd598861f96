"""Predictions and confusion matrices of chosen images, at each label's own size."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.label_types import LabelType
from activation_study.data.source import Source
from activation_study.data.splitting.splits import Indices
from activation_study.evaluation.strips import Strip, label_map, resized_strips
from activation_study.image_metrics.image_metric import ImageMetric
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


def resize_and_rate(
    probabilities: NDArray[np.float32], size: tuple[int, int], interpolation: str
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The predicted class of each pixel at another size, and its probability: uint8 and float32 [height, width].

    Arguments as of `resize_and_argmax`. With `lanczos4`, a probability may be a little above 1.
    """
    confidence = np.empty(size, np.float32)

    def keep(strip: Strip) -> None:
        confidence[strip.rows, strip.columns] = strip.values.max(axis=-1)

    return label_map(resized_strips(probabilities, size, interpolation), size, keep), confidence


def predict_in_batches(
    predict: Predictor, images: NDArray[np.uint8], indices: Indices, batch_size: int
) -> Iterator[NDArray[np.float32]]:
    """Yields the probabilities [height, width, C] of each chosen image."""
    for start in range(0, len(indices), batch_size):
        yield from predict(images[indices[start : start + batch_size]])


def count_images(
    predict: Predictor,
    images: NDArray[np.uint8],
    source: Source,
    label_type: LabelType,
    indices: Indices,
    interpolation: str,
    batch_size: int,
    metrics: Sequence[ImageMetric] = (),
) -> tuple[Counts, dict[str, Counts]]:
    """The confusion matrix of each chosen image against its original label, and the counts of further metrics.

    Args:
        predict: the network.
        images: the preprocessed images of the whole source, uint8 [N, height, width, channels].
        source: has the original labels.
        label_type: which labels.
        indices: the chosen images.
        interpolation: see `resize_and_argmax`.
        batch_size: images per forward pass.
        metrics: the further metrics.

    Returns:
        int64 [images, C + 1, C], and for each metric by its name int64 [images, ...].
    """
    classes = len(label_type.classes)
    confusions = np.zeros((len(indices), classes + 1, classes), np.int64)
    further: dict[str, list[Counts]] = {metric.name: [] for metric in metrics}
    outputs = predict_in_batches(predict, images, indices, batch_size)
    for row, (index, probabilities) in enumerate(zip(indices, outputs, strict=True)):
        truth = label_type.target(source.label(index, label_type.name))
        height, width = truth.shape
        predicted, confidence = resize_and_rate(probabilities, (height, width), interpolation)
        confusions[row] = confusion(truth, predicted, classes)
        for metric in metrics:
            further[metric.name].append(metric.count(truth, predicted, confidence, classes))
    return confusions, {name: np.stack(counts) for name, counts in further.items()}
