"""Estimates for the remaining runs: time from measured runs, disk space from the number of parameters."""

from collections.abc import Sequence
from statistics import median

from activation_study.config.schema import Component, Config
from activation_study.config.scored_weights import WEIGHTS
from activation_study.records.record import Record

WEIGHT_BYTES = 4  # float32
CHECKPOINT_COPIES = 6  # weights, three moments of Adam with amsgrad, best weights, their moving average
CHECKPOINTS = 3  # two that alternate, and the one being written


def seconds_left(config: Config, record: Record | None, finished: Sequence[Record]) -> float | None:
    """Estimated seconds until a run is finished; None if nothing comparable was measured.

    Args:
        config: of the run.
        record: of the run, if it will be resumed.
        finished: runs with the same network and training, and if possible the same activation.
    """
    epochs_done = len(record.epochs) if record else 0
    if finished:
        per_epoch = median(_seconds_per_epoch(run) for run in finished)
        epochs = median(len(run.epochs) for run in finished)
        evaluation = median(run.results["evaluation_seconds"] for run in finished)
        return per_epoch * max(epochs - epochs_done, 0) + evaluation
    if record and record.epochs:
        return _seconds_per_epoch(record) * (config.training.epochs - epochs_done)  # an upper bound
    return None


def _seconds_per_epoch(record: Record) -> float:
    return median(epoch["epoch_seconds"] for epoch in record.epochs)


def disk_of_run(config: Config, classes: int) -> int:
    """Bytes of a finished run: its weights, and a copy of those that were scored in a local MLflow store."""
    tracked = config.tracking.uri is not None and config.tracking.weights == "best"
    return WEIGHT_BYTES * parameters(config.model, classes, config.data.channels) * (len(WEIGHTS) + tracked)


def disk_while_training(config: Config, classes: int) -> int:
    """Additional bytes of the checkpoints, which are deleted when the run has finished."""
    return WEIGHT_BYTES * parameters(config.model, classes, config.data.channels) * CHECKPOINT_COPIES * CHECKPOINTS


def parameters(model: Component, classes: int, channels: int = 3) -> int:
    """Number of weights of the U-Net, including moving statistics, without those of the activations.

    Another network with such widths and blocks has about as many; 0 where a network has none.
    """
    widths, total = model.get("widths", []), 0
    encoder_blocks = model.get("encoder_blocks", [1] * len(widths))
    decoder_blocks = model.get("decoder_blocks", [1] * (len(widths) - 1))
    if not widths:
        return 0

    def conv(width: int, kernel_size: int = 3) -> None:
        nonlocal total, channels
        total += kernel_size**2 * channels * width + width
        channels = width

    def blocks(width: int, count: int) -> None:
        nonlocal total
        for _ in range(count):
            conv(width)
            total += 4 * width

    for width, count in zip(widths, encoder_blocks, strict=True):
        blocks(width, count)
    for index, count in enumerate(decoder_blocks):
        width = widths[-1 - index]
        channels += width if index else 0  # the skip connection
        blocks(width, count)
    channels += widths[0]
    conv(2 * widths[0])
    conv(classes, kernel_size=1)
    return total
