"""What a run costs besides its arithmetic: preparation, evaluation, saving, tracking, the loop, the command itself."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

import numpy as np

import article
from activation_study.config import Config
from activation_study.data.iccv09 import Iccv09Folder
from activation_study.run.checkpoint import Checkpoints
from activation_study.run.evaluation import evaluate
from activation_study.run.experiment import run
from activation_study.run.inputs import Inputs
from activation_study.run.tracking import Mirror
from common import PROJECT, configuration, medians, prepare_anew, table, timed
from race import say, widths_from

TRAINED = 429  # pictures of an epoch of the article's study


def around(config: Config, inputs: Inputs, size: tuple[int, int], folder: Path) -> str:
    """The section.

    Args:
        config: of a data set in the Stanford set's layout.
        inputs: that data set.
        size: (side of the pictures, width of the first level).
        folder: for what is written.
    """
    rows = [*_data(config, inputs), *_run(size, folder), *_commands()]
    return (
        "## Around training\n\nWhat a run costs besides its arithmetic, and may cost at most. Preparation and "
        "evaluation (to the confusions of each image; the article's to its mean IoU) take turns with the article's "
        "code, on one core. Saving, tracking and the loop: of a tracked run of the size above on drawn scenes, 4 "
        "epochs of 3 steps, ReLU, no augmentation, the machine's quickest precision, as shares of an epoch of 429 "
        "pictures without its validation. Medians.\n\n"
        + table(["what", "the article's code", "this project", "at most"], rows)
    )


def _data(config: Config, inputs: Inputs) -> Iterator[list[str]]:
    import cv2

    say("preparation and evaluation …")
    source, kind, count = inputs.source, inputs.label_type, len(inputs.source.names)
    assert isinstance(source, Iccv09Folder)
    pictures = [source.root / "images" / f"{name}.jpg" for name in source.names]
    labels = [source.root / "labels" / f"{name}.{kind.name}.txt" for name in source.names]
    classes, side = len(kind.classes), config.image_size[0]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    both = medians(
        lambda: article.prepared(pictures, labels, classes, side), lambda: prepare_anew(source, inputs, config)
    )
    yield [f"{count} pictures and their {kind.name} prepared, ms a picture", *_milliseconds(both, count), "4"]
    yield ["the same when they are in the cache, s", "–", f"{medians(lambda: Inputs(config))[0]:.3f}", "0.5"]

    test, options = inputs.split.test, config.evaluation
    outputs = np.random.default_rng(0).random((len(test), side, side, classes), np.float32)

    def scored() -> None:
        waiting = iter(np.split(outputs, range(options.batch_size, len(outputs), options.batch_size)))
        evaluate(
            lambda images: next(waiting), inputs.prepared.images, source, kind, test, options.resize, options.batch_size
        )

    names = [labels[index] for index in test]
    both = medians(lambda: article.mean_iou(list(outputs), names, classes), scored)
    yield ["evaluation besides the forward pass, ms a picture", *_milliseconds(both, len(test)), "5"]
    cv2.setNumThreads(threads)


def _milliseconds(seconds: Sequence[float], count: int) -> list[str]:
    return [f"{1e3 * each / count:.2f}" for each in seconds]


def _run(size: tuple[int, int], folder: Path) -> Iterator[list[str]]:
    from activation_study.run.network import Network

    say("a run …")
    minutes = configuration().training.checkpoint_minutes
    config = configuration(
        f"data.image_size={size[0]}",
        f"model.widths={widths_from(size[1])}",
        "training.epochs=4",
        "training.precision=auto",
        "training.checkpoint_minutes=0",  # after each epoch
        f"folder={folder / 'runs'}",
        f"data.cache={folder / 'cache'}",
        f"tracking.uri=sqlite:///{folder / 'mlflow.db'}",
        data=("data=scenes", "data.count=80"),
    )
    with (
        contextlib.chdir(folder),  # MLflow keeps artifacts in the current folder's mlruns/
        contextlib.redirect_stdout(sys.stderr),
        timed(Network, "train_on") as steps,
        timed(Network, "weights") as copies,
        timed(Checkpoints, "save") as saves,
        timed(Mirror, "_bring") as updates,
        patch("activation_study.run.tracking.SHARE", 1.0),  # else it waits where an update would cost more than 1 %
    ):
        record = run(config, [])
    assert record.status == "FINISHED", record.error
    pictures, batch = len(Inputs(config).split.train), config.training.batch_size
    whole = np.array([pictures / epoch["images_per_second"] for epoch in record.epochs])
    besides = 1 - np.reshape(steps, (len(whole), -1)).sum(axis=1) / whole
    epoch_seconds = median(steps) * TRAINED / batch
    kept = median(saves) / (60 * minutes) + median(copies) / epoch_seconds
    saved = f"the state saved every {minutes:g} minutes ({median(saves):.2f} s), the best weights kept, % of the time"
    yield [saved, "–", f"{100 * kept:.2f}", "1"]
    yield ["an epoch tracked, % of it", "–", f"{100 * median(updates[1:-1]) / epoch_seconds:.2f}", "1"]
    yield ["the loop besides its steps, %", "–", f"{100 * median(besides[1:]):.2f}", "2"]


def _commands() -> Iterator[list[str]]:
    for option in ("--help", "--cfg job"):
        say(f"train.py {option} …")
        command: list[Any] = [sys.executable, PROJECT / "train.py", *option.split()]
        (seconds,) = medians(lambda command=command: subprocess.run(command, capture_output=True, check=True))
        yield [f"`train.py {option}`, s", "–", f"{seconds:.2f}", "1"]
