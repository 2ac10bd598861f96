"""The training loop, to be read from top to bottom, and the article's two rules about its course."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config import Training
from activation_study.data.batches import batches, epoch_order
from activation_study.data.prepared import Prepared
from activation_study.data.splits import Split
from activation_study.run.metrics import pixel_accuracy, pooled_iou
from activation_study.run.network import Network

OnStep = Callable[[int, int, float], None]  # epoch, pictures of this step, loss so far
OnEpoch = Callable[[dict[str, float]], None]  # the finished epoch's metrics


class NonFiniteLoss(ArithmeticError):
    """The loss became infinite or NaN."""


@dataclass
class PlateauRule:
    """Keras' ReduceLROnPlateau with cooldown 0 and min_lr 0: after `patience` epochs without a value below
    best − min_delta, the learning rate is multiplied by `factor`.
    """

    factor: float
    patience: int
    min_delta: float
    best: float = math.inf
    wait: int = 0

    def update(self, value: float, learning_rate: float) -> float:
        """The learning rate of the next epoch."""
        if value < self.best - self.min_delta:
            self.best, self.wait = value, 0
            return learning_rate
        self.wait += 1
        if self.wait < self.patience:
            return learning_rate
        self.wait = 0
        return learning_rate * self.factor


@dataclass
class StoppingRule:
    """Keras' EarlyStopping: training ends after `patience` epochs without a value below best − min_delta."""

    patience: int
    min_delta: float
    best: float = math.inf
    wait: int = 0

    def update(self, value: float, epoch: int) -> bool:
        """Whether to stop after this epoch (1, 2, …); as in Keras never after the first."""
        self.wait += 1
        if value + self.min_delta < self.best:
            self.best, self.wait = value, 0
            return False
        return self.wait >= self.patience and epoch > 1


@dataclass
class LoopState:
    """Where training is, besides the weights and the optimizer."""

    plateau: PlateauRule
    stopping: StoppingRule
    epoch: int = 0
    best_value: float = math.inf
    best_epoch: int = 0
    best_weights: list[NDArray[Any]] = field(default_factory=list)


def train(
    network: Network,
    data: Prepared,
    parts: Split,
    options: Training,
    order_seed: int,
    on_step: OnStep,
    on_epoch: OnEpoch,
) -> LoopState:
    """Trains until the epochs are used up or the stopping rule says so; keeps the best weights.

    After each epoch, in the article's order: best weights (smallest validation loss), plateau, stopping.

    Args:
        network: to be trained, in place.
        data: prepared pictures and labels.
        parts: train and validation indices.
        options: the configuration of training.
        order_seed: of the order of the batches.
        on_step: called after each step, for the progress bar.
        on_epoch: called after each epoch with its metrics.

    Raises:
        NonFiniteLoss: naming epoch and step.
    """
    state = LoopState(
        PlateauRule(options.plateau.factor, options.plateau.patience, options.plateau.min_delta),
        StoppingRule(options.stopping.patience, options.stopping.min_delta),
    )
    while state.epoch < options.epochs:
        state.epoch += 1
        started = time.perf_counter()
        order = epoch_order(parts.train, order_seed, state.epoch)
        totals = Totals()
        for step, (images, labels) in enumerate(batches(data, order, options.batch_size), 1):
            loss, confusion = network.train_on(images, labels)
            if not math.isfinite(loss):
                raise NonFiniteLoss(
                    f"the training loss is {loss} in epoch {state.epoch}, step {step}; a smaller "
                    f"training.learning_rate than {network.learning_rate:g} may mend it"
                )
            totals.add(loss, confusion, len(images))
            on_step(state.epoch, len(images), totals.loss)
        seconds = time.perf_counter() - started
        validation = validate(network, data, parts, options.batch_size)
        if not math.isfinite(validation.loss):
            raise NonFiniteLoss(f"the validation loss is {validation.loss} after epoch {state.epoch}")
        metrics = {
            "train/loss": totals.loss,
            "train/accuracy": pixel_accuracy(totals.confusion),
            "val/loss": validation.loss,
            "val/accuracy": pixel_accuracy(validation.confusion),
            "val/mean_iou": float(np.nanmean(pooled_iou(validation.confusion))),
            "learning_rate": network.learning_rate,
            "epoch_seconds": time.perf_counter() - started,
            "images_per_second": len(order) / seconds,
        }
        if validation.loss < state.best_value:
            state.best_value, state.best_epoch, state.best_weights = validation.loss, state.epoch, network.weights()
        monitored = totals.loss if options.monitor == "loss" else validation.loss
        network.learning_rate = state.plateau.update(monitored, network.learning_rate)
        stop = state.stopping.update(monitored, state.epoch)
        on_epoch(metrics)
        if stop:
            break
    return state


def validate(network: Network, data: Prepared, parts: Split, batch_size: int) -> "Totals":
    """Loss and confusion over the validation split."""
    totals = Totals()
    for images, labels in batches(data, parts.validation, batch_size):
        loss, confusion = network.validate_on(images, labels)
        totals.add(loss, confusion, len(images))
    return totals


class Totals:
    """Sums over batches: the mean loss per picture (as Keras' `fit` reports it) and the confusion [C, C]."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._pictures = 0
        self.confusion: NDArray[np.int64] = np.zeros((1, 1), np.int64)

    def add(self, loss: float, confusion: NDArray[np.float32], pictures: int) -> None:
        """Adds a batch."""
        self._loss += loss * pictures
        self._pictures += pictures
        self.confusion = self.confusion + confusion.astype(np.int64)

    @property
    def loss(self) -> float:
        """Mean so far."""
        return self._loss / self._pictures
