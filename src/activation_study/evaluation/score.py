"""Scores of one network on one part of the data, with their files and plots."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from activation_study.config.article_score import deserves_article_score
from activation_study.console import announced_wait
from activation_study.data.dataset import Dataset
from activation_study.data.images.input_convention import displayed
from activation_study.data.splitting.splits import Indices
from activation_study.errors import counted
from activation_study.evaluation.evaluate import Predictor, count_images, resize_and_argmax
from activation_study.evaluation.plots import draw_confusion, draw_learning_curves, draw_predictions
from activation_study.image_metrics.image_metric import ImageMetric
from activation_study.image_metrics.registry import image_metrics, image_scores
from activation_study.metrics import Counts, mean_iou, other_scores, summary
from activation_study.records.artifacts import write_confusions
from activation_study.records.record import Record
from activation_study.records.run import Run

EXAMPLES = 6  # images in the plot of predictions


def confusions_of(predict: Predictor, dataset: Dataset, indices: Indices, record: Record) -> Counts:
    """The confusion matrix of each image, int64 [images, C + 1, C]; adds their time to the record's results.

    Arguments as of `score`.
    """
    return _counts(predict, dataset, indices, record, ())[0]


def _counts(
    predict: Predictor, dataset: Dataset, indices: Indices, record: Record, metrics: Sequence[ImageMetric]
) -> tuple[Counts, dict[str, Counts]]:
    """The counts of each image, as of `count_images`; adds their time to the record's results."""
    options, started = record.config["evaluation"], time.perf_counter()
    with announced_wait(f"evaluating {counted(len(indices), 'image')}"):
        counts = count_images(
            predict,
            dataset.preprocessed.images,
            dataset.source,
            dataset.label_type,
            indices,
            options["interpolation"],
            options["batch_size"],
            metrics,
        )
    seconds = record.results.get("evaluation_seconds", 0.0) + time.perf_counter() - started
    record.results["evaluation_seconds"] = seconds
    return counts


def score(
    predict: Predictor,
    dataset: Dataset,
    indices: Indices,
    record: Record,
    folder: Path,
    part: str = "test",
    others: Mapping[str, Counts] | None = None,
    trained_on: Indices | None = None,
) -> None:
    """Adds the scores to the record's results and writes confusion matrices, IoU table and plots into the run folder.

    Args:
        predict: the network with the weights to score.
        dataset: the data.
        indices: which images.
        record: of the run; its configuration says how probabilities are resized.
        folder: of the run.
        part: the name of these images, used as prefix of the metrics' names.
        others: the confusion matrices of further weights of the same training, by their names.
        trained_on: the training images, of which digests are kept.
    """
    label_type = dataset.label_type
    metrics = image_metrics(record.config["evaluation"].get("metrics", []))
    confusions, image_counts = _counts(predict, dataset, indices, record, list(metrics.values()))
    every_class_occurs = bool(confusions[:, :-1].any(axis=(0, 2)).all())
    article = deserves_article_score(record.config, every_class_occurs)
    record.results.update(summary(confusions, label_type.classes, part, article))
    record.results.update(other_scores(others or {}, part))
    record.results.update({f"{part}/{name}": value for name, value in image_scores(metrics, image_counts).items()})
    run = Run(
        record=record,
        folder=folder,
        confusions=confusions,
        images=tuple(dataset.source.names[index] for index in indices),
        image_hashes=tuple(dataset.preprocessed.image_hashes(indices)),
        groups=() if dataset.groups is None else tuple(dataset.groups[index] for index in indices),
        training_hashes=() if trained_on is None else tuple(dataset.preprocessed.image_hashes(trained_on)),
        others=dict(others or {}),
        image_counts=image_counts,
    )
    write_confusions(run, article)
    draw_plots(predict, dataset, indices, record, folder, part, confusions)


def example_rows(confusions: Counts) -> list[int]:
    """Which images are drawn: `EXAMPLES` ones, spread evenly, and last the one with the smallest mean IoU.

    Args:
        confusions: int64 [images, C + 1, C]. An image without a known pixel is not the worst.
    """
    known = confusions[:, :-1].any(axis=(1, 2))
    worst = int(np.argmin(np.where(known, mean_iou(confusions), np.inf)))
    spaced = np.unique(np.linspace(0, len(confusions) - 1, EXAMPLES).round().astype(int))
    return [*(row for row in spaced.tolist() if row != worst), worst]


def draw_plots(
    predict: Predictor,
    dataset: Dataset,
    indices: Indices,
    record: Record,
    folder: Path,
    part: str,
    confusions: Counts,
) -> None:
    """Draws `pictures/`: predictions of some images, learning curves, confusion matrix.

    Arguments as of `score`; `confusions` are int64 [images, C + 1, C].
    """
    interpolation, source, label_type = record.config["evaluation"]["interpolation"], dataset.source, dataset.label_type
    ious, rows = mean_iou(confusions), example_rows(confusions)
    chosen = indices[rows]
    examples = []
    for row, index, probabilities in zip(rows, chosen, predict(dataset.preprocessed.images[chosen]), strict=True):
        truth = dataset.truth(index)
        height, width = truth.shape
        predicted = resize_and_argmax(probabilities, (height, width), interpolation)
        caption = f"{source.names[index]}: mean IoU {ious[row]:.3f}"
        examples.append((caption, displayed(source.image(index)), truth, predicted))
    plots, iou = folder / "pictures", record.results[f"{part}/mean_iou"]
    how = "evenly spaced and the worst; mean IoU of all"
    title = f"{record.name}: {len(examples)} of {len(indices)} {part} images, {how} {iou:.3f}"
    draw_predictions(plots / "predictions.png", examples, label_type, title)
    if record.epochs:
        best_epoch = int(record.results["best_epoch"])
        draw_learning_curves(plots / "learning_curves.png", record.epochs, best_epoch, record.name)
    draw_confusion(plots / "confusion.png", confusions.sum(axis=0), label_type.classes, record.name)
