"""The training loop, from top to bottom."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import EarlyStopping, Seeding, Training
from activation_study.data.augmentation import Step, augment
from activation_study.data.batching import Batch, batches, epoch_order, prefetch
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.splitting.splits import Split
from activation_study.energy import EnergyMeter
from activation_study.metrics import pixel_accuracy, pooled_iou
from activation_study.seeding import stream
from activation_study.training.early_stopping import StoppingRule
from activation_study.training.schedule import Schedule
from activation_study.training.weight_average import moving_average

if TYPE_CHECKING:
    from activation_study.model.network import Network

# Called after each training step with the state and the number of images, and after each validation batch with 0.
OnStep = Callable[["TrainState", int], None]
# Called after each epoch; the state is already that of the start of the next epoch.
OnEpoch = Callable[["TrainState"], None]
# The metrics of an epoch that differ even between bit-identical runs.
TIMING_METRICS = frozenset({"epoch_seconds", "images_per_second", "time", "energy_joules"})


class NonFiniteLoss(ArithmeticError):
    """The loss is infinite or NaN."""


@dataclass
class RunningMetrics:
    """Sums over batches.

    Args:
        loss_sum: sum of each batch's mean loss times its number of images.
        images: number of images.
        confusion: pixel counts [C, C].
    """

    loss_sum: float = 0.0
    images: int = 0
    confusion: NDArray[np.int64] = field(default_factory=lambda: np.zeros((1, 1), np.int64))

    def add(self, loss: float, confusion: NDArray[np.float32], images: int) -> None:
        """Adds a batch."""
        self.loss_sum += loss * images
        self.images += images
        self.confusion = self.confusion + confusion.astype(np.int64)

    @property
    def loss(self) -> float:
        """The mean loss per image, as reported by Keras' `fit`."""
        return self.loss_sum / self.images


@dataclass
class TrainState:
    """The state of a training, except for the weights and the optimizer; all of it is saved in a checkpoint.

    Args:
        schedule: the rule for the learning rate.
        stopping: the rule for early stopping.
        epoch: the current epoch: 1, 2, …
        step: number of finished steps in it.
        totals: loss and confusion over those steps.
        seconds: time spent on them.
        joules: energy used for them; None if a part of it was not measured.
        done: training has ended.
        best_value: smallest validation loss so far.
        best_epoch: its epoch.
        best_weights: the network's weights after that epoch.
        ema_weights: the moving average of the weights after each epoch.
        last_weights: those after the last epoch; empty until training has ended.
        history: the metrics of each finished epoch; `time` is the Unix time when it ended.
    """

    schedule: Schedule
    stopping: StoppingRule
    epoch: int = 1
    step: int = 0
    totals: RunningMetrics = field(default_factory=RunningMetrics)
    seconds: float = 0.0
    joules: float | None = 0.0
    done: bool = False
    best_value: float = math.inf
    best_epoch: int = 0
    best_weights: list[NDArray[Any]] = field(default_factory=list)
    ema_weights: list[NDArray[Any]] = field(default_factory=list)
    last_weights: list[NDArray[Any]] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)

    def weights(self, name: str) -> list[NDArray[Any]]:
        """The weights of a training that has ended: `best`, `last` or `ema`."""
        return {"best": self.best_weights, "last": self.last_weights, "ema": self.ema_weights}[name]


def initial_state(schedule: Schedule, early_stopping: EarlyStopping) -> TrainState:
    """The state before the first step."""
    return TrainState(schedule, StoppingRule(early_stopping.patience, early_stopping.min_delta))


@dataclass(frozen=True)
class TrainingSetup:
    """What is trained, and how; constant during a training.

    Args:
        network: trained in place.
        data: preprocessed images and labels.
        split: indices of the training and validation images.
        options: the training configuration.
        augmentation: its steps.
        seeding: seeds of the order of the batches and of the augmentation.
        meter: measures the energy; None: nothing does.
    """

    network: "Network"
    data: PreprocessedData
    split: Split
    options: Training
    augmentation: Sequence[Step]
    seeding: Seeding
    meter: EnergyMeter | None = None


def train(setup: TrainingSetup, state: TrainState, on_step: OnStep, on_epoch: OnEpoch) -> None:
    """Trains from `state` until the last epoch or early stopping; `state` keeps the weights that can be scored.

    After each epoch, in the article's order: best weights (smallest validation loss), learning rate, stopping.

    Args:
        setup: what to train.
        state: the state to continue from; changed in place.
        on_step: may raise an exception to stop between two steps.
        on_epoch: called with the metrics of the finished epoch in `state.history`.

    Raises:
        NonFiniteLoss: the message names epoch and step.
    """
    network, options = setup.network, setup.options
    while not state.done:
        train_epoch(setup, state, on_step)
        started = time.perf_counter()
        validation = validate(setup, state, on_step)
        metrics = {
            "train/loss": state.totals.loss,
            "train/accuracy": pixel_accuracy(state.totals.confusion),
            "val/loss": validation.loss,
            "val/accuracy": pixel_accuracy(validation.confusion),
            "val/mean_iou": float(np.nanmean(pooled_iou(validation.confusion))),
            "learning_rate": network.learning_rate,
            "epoch_seconds": state.seconds + time.perf_counter() - started,
            "images_per_second": state.totals.images / state.seconds,
            "time": time.time(),
            **_energy(setup.meter),
        }
        weights = network.weights()
        if validation.loss < state.best_value:
            state.best_value, state.best_epoch, state.best_weights = validation.loss, state.epoch, weights
        state.ema_weights = moving_average(state.ema_weights, weights, state.epoch)
        monitored = state.totals.loss if options.monitor == "loss" else validation.loss
        network.learning_rate = state.schedule.after_epoch(monitored, network.learning_rate)
        state.done = state.stopping.update(monitored, state.epoch) or state.epoch >= options.epochs
        state.last_weights = weights if state.done else []
        state.epoch, state.step, state.totals, state.seconds = state.epoch + 1, 0, RunningMetrics(), 0.0
        state.joules = 0.0
        state.history.append(metrics)
        on_epoch(state)


def train_epoch(setup: TrainingSetup, state: TrainState, on_step: OnStep) -> None:
    """Runs the remaining steps of the current epoch."""
    network = setup.network
    if setup.meter is None:
        state.joules = None
    else:
        setup.meter.start(state.joules)
    started = time.perf_counter() - state.seconds
    before = (state.epoch - 1) * steps_per_epoch(len(setup.split.train), setup.options)
    for images, labels in prefetch(training_batches(setup, state.epoch, state.step)):
        learning_rate = state.schedule.before_step(before + state.step)
        if learning_rate is not None:
            network.learning_rate = learning_rate
        loss, confusion = network.train_on(images, labels)
        state.step += 1
        if not math.isfinite(loss):
            raise NonFiniteLoss(
                f"the training loss is {loss} in epoch {state.epoch}, step {state.step}; try an "
                f"optimizer.learning_rate below {network.learning_rate:g}"
            )
        state.totals.add(loss, confusion, len(images))
        state.seconds = time.perf_counter() - started
        on_step(state, len(images))


def steps_per_epoch(images: int, options: Training) -> int:
    """The number of batches of an epoch; the last may be smaller."""
    return -(-images // options.batch_size)


def _energy(meter: EnergyMeter | None) -> dict[str, float]:
    """The energy of the epoch, as its metric; nothing if it was not measured from its start."""
    joules = meter.joules if meter else None
    return {} if joules is None else {"energy_joules": joules}


def training_batches(setup: TrainingSetup, epoch: int, step: int) -> Iterator[Batch]:
    """The augmented batches of an epoch, starting at `step` (0 is the first)."""
    options, seeding = setup.options, setup.seeding
    order = epoch_order(setup.split.train, seeding.order, epoch)[step * options.batch_size :]
    for number, batch in enumerate(batches(setup.data, order, options.batch_size), step):
        yield augment(batch, setup.augmentation, stream(seeding.augmentation, "augmentation", epoch, number))


def validate(setup: TrainingSetup, state: TrainState, on_step: OnStep) -> RunningMetrics:
    """Loss and confusion of the validation split."""
    totals = RunningMetrics()
    for images, labels in prefetch(batches(setup.data, setup.split.validation, setup.options.batch_size)):
        loss, confusion = setup.network.validate_on(images, labels)
        totals.add(loss, confusion, len(images))
        on_step(state, 0)
    if not math.isfinite(totals.loss):
        raise NonFiniteLoss(f"the validation loss is {totals.loss} after epoch {state.epoch}")
    return totals
