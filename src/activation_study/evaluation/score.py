"""A network's weights scored on some pictures, and all that is known about it written beside the record."""

import time
from pathlib import Path

import numpy as np

from activation_study.data.dataset import Dataset
from activation_study.data.splits import Indices
from activation_study.evaluation.evaluate import Predictor, evaluate, resize_and_argmax
from activation_study.evaluation.plots import draw_confusion, draw_learning_curves, draw_predictions
from activation_study.metrics import Counts, summary
from activation_study.records import artifacts
from activation_study.records.record import Record

EXAMPLES = 6  # images that are drawn


def score(
    predict: Predictor, dataset: Dataset, indices: Indices, record: Record, folder: Path, part: str = "test"
) -> None:
    """Puts the scores into the record's results, and confusions, table and pictures into its folder.

    Args:
        predict: the network with the weights.
        dataset: the data.
        indices: which pictures.
        record: of the run; says how probabilities are resized.
        folder: the run's.
        part: how these pictures are called; metrics' names begin so.
    """
    label_type, options = dataset.label_type, record.config["evaluation"]
    started = time.perf_counter()
    confusions = evaluate(
        predict,
        dataset.preprocessed.images,
        dataset.source,
        label_type,
        indices,
        options["interpolation"],
        options["batch_size"],
    )
    record.results["evaluation_seconds"] = time.perf_counter() - started
    record.results.update(summary(confusions, label_type.classes, part))
    names = [dataset.source.names[index] for index in indices]
    image_hashes = dataset.preprocessed.image_hashes(indices)
    artifacts.write_confusions(folder, confusions, names, image_hashes, label_type.classes)
    draw(folder, record, dataset, indices, predict, confusions, part)


def draw(
    folder: Path,
    record: Record,
    dataset: Dataset,
    indices: Indices,
    predict: Predictor,
    confusions: Counts,
    part: str,
) -> None:
    """Draws `pictures/`: predictions of pictures spread evenly over the part, the course, the confusion."""
    resize, source, label_type = record.config["evaluation"]["interpolation"], dataset.source, dataset.label_type
    chosen = indices[np.unique(np.linspace(0, len(indices) - 1, EXAMPLES).round().astype(int))]
    examples = []
    for index, probabilities in zip(chosen, predict(dataset.preprocessed.images[chosen]), strict=True):
        truth = dataset.truth(index)
        height, width = truth.shape
        picture = source.image(index)[..., ::-1]
        examples.append(
            (source.names[index], picture, truth, resize_and_argmax(probabilities, (height, width), resize))
        )
    pictures, iou = folder / "pictures", record.results[f"{part}/mean_iou"]
    title = f"{record.name}: {len(examples)} of {len(indices)} {part} images, evenly spaced; mean IoU of all {iou:.3f}"
    draw_predictions(pictures / "predictions.png", examples, label_type, title)
    if record.epochs:
        draw_learning_curves(
            pictures / "learning_curves.png", record.epochs, int(record.results["best_epoch"]), record.name
        )
    draw_confusion(pictures / "confusion.png", confusions.sum(axis=0), label_type.classes, record.name)
