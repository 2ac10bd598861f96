"""What a run costs besides its arithmetic: preparation, evaluation, saving, tracking, the loop, the command itself."""

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

import article
from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.data.iccv09 import Iccv09Folder
from activation_study.evaluation.evaluate import evaluate
from activation_study.metrics import summary
from activation_study.records import artifacts
from activation_study.runs.execute import run
from activation_study.tracking.mirror import Mirror
from activation_study.training.checkpoint import MAX_SAVING_FRACTION, Checkpoints
from activation_study.training.loop import TrainingSetup, initial_state, train_epoch
from activation_study.training.progress import TrainingProgress
from common import PROJECT, batch, configuration, in_turns, medians, network, prepare_anew, table, timed
from race import say, widths_from

TRAINED = 429  # pictures of an epoch of the article's study


def around(config: Config, dataset: Dataset, size: tuple[int, int], folder: Path) -> str:
    """The section.

    Args:
        config: of a data set in the Stanford set's layout.
        dataset: that data set.
        size: (side of the pictures, width of the first level).
        folder: for what is written.
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
        "## Around training\n\nWhat a run costs besides its arithmetic, and may cost at most. Preparation and "
        "evaluation (confusions of each image, all scores, their files; the article's: its mean IoU) take turns with "
        "the article's code, on one core. The loop (batches read and augmented, progress) takes turns with as many "
        "steps on one batch in memory. The loop, saving and tracking: a run of the size above on drawn scenes, 3 steps "
        "an epoch, ReLU, the machine's quickest precision, as shares of an epoch of 429 pictures without its "
        "validation, saved on the disk of `multirun/`. Medians.\n\n"
        + table(["what", "the article's code", "this project", "at most", "held"], rows)
    )


def _row(what: str, own: float, most: float | None = None, articles: float | None = None) -> list[str]:
    held = "–" if most is None else "yes" if own <= most else "**no**"
    return [
        what,
        "–" if articles is None else f"{articles:.2f}",
        f"{own:.2f}",
        "–" if most is None else f"{most:g}",
        held,
    ]


def _data(config: Config, dataset: Dataset, folder: Path) -> Iterator[list[str]]:
    import cv2

    say("preparation and evaluation …")
    source, kind, count = dataset.source, dataset.label_type, len(dataset.source.names)
    assert isinstance(source, Iccv09Folder)
    pictures = [source.root / "images" / f"{name}.jpg" for name in source.names]
    labels = [source.root / "labels" / f"{name}.{kind.name}.txt" for name in source.names]
    classes, side = len(kind.classes), config.image_size[0]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    articles, own = medians(
        lambda: article.preprocessed(pictures, labels, classes, side), lambda: prepare_anew(source, dataset, config)
    )
    yield _row(
        f"{count} pictures and their {kind.name} prepared, ms a picture", 1e3 * own / count, 4, 1e3 * articles / count
    )
    yield _row("the same when they are in the cache, s", medians(lambda: Dataset(config))[0], 0.5)

    test, options = dataset.split.test, config.evaluation
    outputs = np.random.default_rng(0).random((len(test), side, side, classes), np.float32)
    names, image_hashes = [source.names[index] for index in test], dataset.preprocessed.image_hashes(test)

    def scored() -> None:
        waiting = iter(np.split(outputs, range(options.batch_size, len(outputs), options.batch_size)))
        confusions = evaluate(
            lambda images: next(waiting),
            dataset.preprocessed.images,
            source,
            kind,
            test,
            options.resize,
            options.batch_size,
        )
        summary(confusions, kind.classes)
        artifacts.write_confusions(folder, confusions, names, image_hashes, kind.classes)

    truths = [labels[index] for index in test]
    articles, own = medians(lambda: article.mean_iou(list(outputs), truths, classes), scored)
    yield _row(
        "evaluation besides the forward pass, ms a picture", 1e3 * own / len(test), 5, 1e3 * articles / len(test)
    )
    cv2.setNumThreads(threads)


def _loop(config: Config) -> Iterator[list[str]]:
    say("the loop …")
    dataset, own = Dataset(config), network(config)
    images, labels = batch(config)
    steps = len(dataset.split.train) // config.training.batch_size

    def epoch(augmentation: str) -> None:
        state = initial_state(config.schedule, config.training.early_stopping)
        with TrainingProgress("bench", "", 1, len(dataset.split.train), state) as progress:
            setup = TrainingSetup(
                own, dataset.preprocessed, dataset.split, config.training, augmentation, config.seeding
            )
            train_epoch(setup, state, progress.step)

    def alone() -> None:
        for _ in range(steps):
            own.train_on(images, labels)

    alone()  # compiles
    without, *epochs = in_turns(alone, *(partial(epoch, how) for how in ("none", "flip_crop_color")), turns=9)
    for what, seconds in zip(("no augmentation", "flip_crop_color"), epochs, strict=True):
        more = median(each / other for each, other in zip(seconds, without, strict=True)) - 1
        yield _row(f"the loop besides its steps, {what}, % of them", 100 * more, 2)


def _run(config: Config, folder: Path) -> Iterator[list[str]]:
    from activation_study.model.network import Network

    say("a run …")
    with (
        contextlib.chdir(folder),  # MLflow keeps artifacts in the current folder's mlruns/
        contextlib.redirect_stdout(sys.stderr),
        timed(Network, "train_on") as steps,
        timed(Network, "weights") as copies,
        timed(Network, "save") as written,
        timed(Checkpoints, "save") as saves,
        timed(Mirror, "update") as updates,
        timed(artifacts, "draw") as drawn,
        # else it waits where an update would cost more than 1 %
        patch("activation_study.tracking.mirror.MAX_TRACKING_FRACTION", inf),
    ):
        record = run(config, [])
    assert record.status == "FINISHED", record.error
    epoch_seconds = median(steps) * TRAINED / config.training.batch_size
    between = max(60 * configuration().training.checkpoint_minutes, median(saves) / MAX_SAVING_FRACTION)
    kept = median(saves) / between + median(copies) / epoch_seconds
    saved = f"the state saved every {between:.0f} s ({median(saves):.2f} s), the best weights kept, % of the time"
    yield _row(saved, 100 * kept, 1)
    yield _row("an epoch tracked, % of it", 100 * median(updates[1:-1]) / epoch_seconds, 1)
    yield _row(
        "once a run: its best weights written, its entry in MLflow opened and closed, s",
        written[0] + updates[0] + updates[-1],
    )
    yield _row("once a run: its pictures drawn, with predictions of 6 of them, s", drawn[0])


def _commands() -> Iterator[list[str]]:
    for option in ("--help", "--cfg job"):
        say(f"train.py {option} …")
        command: list[Any] = [sys.executable, PROJECT / "train.py", *option.split()]
        (seconds,) = medians(lambda command=command: subprocess.run(command, capture_output=True, check=True))
        yield _row(f"`train.py {option}`, s", seconds, 1)
