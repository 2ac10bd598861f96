"""What the runs that are left will take: time from what was measured, disk from the number of parameters."""

from collections.abc import Sequence
from statistics import median

from activation_study.config.schema import Config, Model
from activation_study.records.record import Record

BYTES = 4  # of a float32 weight
STATE_COPIES = 5  # weights, three moments of Adam with amsgrad, best weights
SAVES = 3  # two that alternate, and the one that is being written


def seconds_left(config: Config, record: Record | None, finished: Sequence[Record]) -> float | None:
    """Seconds that a run still takes; None where nothing comparable was measured.

    Args:
        config: the run's.
        record: what is known about it, if it is to go on.
        finished: runs of the same network and training, of the same activation if there are any.
    """
    done = len(record.epochs) if record else 0
    if finished:
        per_epoch = median(_seconds_per_epoch(each) for each in finished)
        epochs = median(len(each.epochs) for each in finished)
        evaluation = median(each.results["evaluation_seconds"] for each in finished)
        return per_epoch * max(epochs - done, 0) + evaluation
    if record and record.epochs:
        return _seconds_per_epoch(record) * (config.training.epochs - done)  # at most
    return None


def _seconds_per_epoch(record: Record) -> float:
    return median(epoch["epoch_seconds"] for epoch in record.epochs)


def disk_of_run(config: Config, classes: int) -> int:
    """Bytes that a finished run takes: its best weights, and once more in a local MLflow store."""
    tracked = config.tracking.uri is not None and config.tracking.weights == "best"
    return BYTES * parameters(config.model, classes) * (2 if tracked else 1)


def disk_while_training(config: Config, classes: int) -> int:
    """Bytes that the saved states take besides, until the run has finished."""
    return BYTES * parameters(config.model, classes) * STATE_COPIES * SAVES


def parameters(model: Model, classes: int) -> int:
    """Weights of the U-Net, moving statistics included, but for those of its activations."""
    widths, total, channels = model.widths, 0, 3

    def conv(width: int, kernel_size: int = 3) -> None:
        nonlocal total, channels
        total += kernel_size**2 * channels * width + width
        channels = width

    def blocks(width: int, count: int) -> None:
        nonlocal total
        for _ in range(count):
            conv(width)
            total += 4 * width

    for width, count in zip(widths, model.encoder_blocks, strict=True):
        blocks(width, count)
    for place, count in enumerate(model.decoder_blocks):
        width = widths[-1 - place]
        channels += width if place else 0  # the skip
        blocks(width, count)
    channels += widths[0]
    conv(2 * widths[0])
    conv(classes, kernel_size=1)
    return total
