"""The overhead of a run besides its arithmetic: preprocessing, evaluation, checkpoints, tracking, loop, start-up."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np

import reference_unet
from activation_study.config.identity import INTRODUCED_STEPS
from activation_study.config.schema import Config
from activation_study.data.augmentation import make_steps
from activation_study.data.dataset import Dataset
from activation_study.data.iccv09 import Iccv09Folder
from activation_study.evaluation import score
from activation_study.evaluation.evaluate import count_images
from activation_study.image_metrics.registry import IMAGE_METRICS, image_scores
from activation_study.metrics import summary
from activation_study.records import artifacts
from activation_study.records.record import Record
from activation_study.records.run import Run
from activation_study.runs.execute import run
from activation_study.tracking.mirror import Mirror
from activation_study.training import loop
from activation_study.training.checkpoint import MAX_SAVING_FRACTION, Checkpoints
from activation_study.training.loop import TrainingSetup, initial_state, train_epoch
from activation_study.training.progress import TrainingProgress
from activation_study.training.schedule import Schedule
from common import PROJECT, batch, configuration, in_turns, medians, network, preprocess_uncached, table, timed
from interleaved import log, widths_from

IMAGES_PER_EPOCH = 429  # in the study of the article


def overhead(config: Config, dataset: Dataset, size: tuple[int, int], folder: Path) -> str:
    """The section "Overhead" in Markdown.

    Args:
        config: of a data set in the layout of the Stanford set.
        dataset: that data set.
        size: (side of the images in pixels, width of the first level).
        folder: for temporary files.
    """
    drawn = configuration(
        f"data.image_size={size[0]}",
        f"model.widths={widths_from(size[1])}",
        "training.epochs=8",
        "training.precision=auto",
        "training.checkpoint_minutes=0",  # after each epoch
        f"folder={folder / 'runs'}",
        f"data.cache={folder / 'cache'}",
        f"tracking.uri=sqlite:///{folder / 'mlflow.db'}",
        data=("data=scenes", "data.count=80"),
    )
    rows = [*_data(config, dataset, folder / "scored"), *_loop(drawn), *_run(drawn, folder), *_commands()]
    return (
        "## Overhead\n\nThe cost of a run besides its arithmetic, with limits; medians. Preprocessing and evaluation "
        "(confusion matrices of each image, all scores and their files; only mean IoU for the code of the article) "
        "take turns with the code of the article, on one core. The loop (reading and augmenting batches, progress) "
        "takes turns with as many steps on one batch in memory. Loop, checkpoints and tracking: a run of the size "
        "above on drawn scenes, 3 steps per epoch, ReLU, the fastest precision of the machine, as fractions of an "
        "epoch of 429 images without validation, on the disk of `multirun/`.\n\n"
        + table(["what", "code of the article", "this project", "limit", "within limit"], rows)
    )


def _row(what: str, ours: float, limit: float | None = None, article: float | None = None) -> list[str]:
    return [
        what,
        "–" if article is None else f"{article:.2f}",
        f"{ours:.2f}",
        "–" if limit is None else f"{limit:g}",
        "–" if limit is None else "yes" if ours <= limit else "**no**",
    ]


def _data(config: Config, dataset: Dataset, folder: Path) -> Iterator[list[str]]:
    import cv2

    log("preprocessing and evaluation …")
    source, label_type, count = dataset.source, dataset.label_type, len(dataset.source.names)
    assert isinstance(source, Iccv09Folder)
    images = [source.root / "images" / f"{name}.jpg" for name in source.names]
    labels = [source.root / "labels" / f"{name}.{label_type.name}.txt" for name in source.names]
    classes, side = len(label_type.classes), config.image_size[0]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    article, ours = medians(
        lambda: reference_unet.preprocess(images, labels, classes, side),
        lambda: preprocess_uncached(source, dataset, config),
    )
    yield _row(
        f"preprocessing of {count} images and {label_type.name}, ms per image",
        1e3 * ours / count,
        4,
        1e3 * article / count,
    )
    yield _row("the same from the cache, s", medians(lambda: Dataset(config))[0], 0.5)

    test, options = dataset.split.test, config.evaluation
    outputs = np.random.default_rng(0).random((len(test), side, side, classes), np.float32)
    names, image_hashes = tuple(source.names[index] for index in test), tuple(dataset.preprocessed.image_hashes(test))
    record = Record("scored", "overhead", "", {}, [], list(label_type.classes), {}, {})

    def evaluate() -> None:
        batches = iter(np.split(outputs, range(options.batch_size, len(outputs), options.batch_size)))
        confusions, image_counts = count_images(
            lambda images: next(batches),
            dataset.preprocessed.images,
            source,
            label_type,
            test,
            options.interpolation,
            options.batch_size,
            list(IMAGE_METRICS.values()),
        )
        image_scores(IMAGE_METRICS, image_counts)
        summary(confusions, label_type.classes)
        artifacts.write_confusions(Run(record, folder, confusions, names, image_hashes, image_counts=image_counts))

    truths = [labels[index] for index in test]
    article, ours = medians(lambda: reference_unet.mean_iou(list(outputs), truths, classes), evaluate)
    yield _row(
        "evaluation without the forward pass, ms per image", 1e3 * ours / len(test), 5, 1e3 * article / len(test)
    )
    cv2.setNumThreads(threads)


def _loop(config: Config) -> Iterator[list[str]]:
    log("the loop …")
    dataset, model = Dataset(config), network(config)
    images, labels = batch(config)
    steps = len(dataset.split.train) // config.training.batch_size

    def epoch(name: str) -> None:
        state = initial_state(Schedule(), config.training.early_stopping)
        with TrainingProgress("bench", "", 1, len(dataset.split.train), state) as progress:
            setup = TrainingSetup(
                model,
                dataset.preprocessed,
                dataset.split,
                config.training,
                make_steps(INTRODUCED_STEPS[name]),
                config.seeding,
            )
            train_epoch(setup, state, progress.step)

    def steps_only() -> None:
        for _ in range(steps):
            model.train_on(images, labels)

    steps_only()  # compiles
    without, *epochs = in_turns(steps_only, *(partial(epoch, name) for name in ("none", "flip_crop_color")), turns=9)
    for what, seconds in zip(("no augmentation", "flip_crop_color"), epochs, strict=True):
        extra = median(a / b for a, b in zip(seconds, without, strict=True)) - 1
        yield _row(f"the loop without its steps, {what}, % of the steps", 100 * extra, 2)


def _run(config: Config, folder: Path) -> Iterator[list[str]]:
    from activation_study.model.network import Network

    log("a run …")
    with (
        contextlib.chdir(folder),  # MLflow keeps artifacts in mlruns/ of the current folder
        contextlib.redirect_stdout(sys.stderr),
        timed(Network, "train_on") as steps,
        timed(Network, "weights") as copies,
        timed(loop, "moving_average") as averages,
        timed(Network, "save") as written,
        timed(Checkpoints, "save") as saves,
        timed(Mirror, "update") as updates,
        timed(score, "draw_plots") as drawn,
        # otherwise an update is skipped if it would cost more than 1 %
        patch("activation_study.tracking.mirror.MAX_TRACKING_FRACTION", inf),
    ):
        record = run(config, [])
    assert record.status == "FINISHED", record.error
    epoch_seconds = median(steps) * IMAGES_PER_EPOCH / config.training.batch_size
    interval = max(60 * configuration().training.checkpoint_minutes, median(saves) / MAX_SAVING_FRACTION)
    saving = median(saves) / interval + (median(copies) + median(averages)) / epoch_seconds
    checkpoints = f"checkpoints every {interval:.0f} s ({median(saves):.2f} s each) and weights kept, % of the time"
    yield _row(checkpoints, 100 * saving, 1)
    yield _row("tracking of an epoch, % of it", 100 * median(updates[1:-1]) / epoch_seconds, 1)
    yield _row(
        "once per run: writing best, last and average weights, starting and ending the MLflow run, s",
        sum(written) + updates[0] + updates[-1],
    )
    yield _row("once per run: drawing the plots, with predictions of 6 images, s", drawn[0])


def _commands() -> Iterator[list[str]]:
    for option in ("--help", "--cfg job"):
        log(f"train.py {option} …")
        command: list[Any] = [sys.executable, PROJECT / "train.py", *option.split()]
        (seconds,) = medians(lambda command=command: subprocess.run(command, capture_output=True, check=True))
        yield _row(f"`train.py {option}`, s", seconds, 1)
