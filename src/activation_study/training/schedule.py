"""How the learning rate changes during a training: the rules that a configuration can name."""

import math
from collections.abc import Mapping
from typing import Any

from activation_study.config.components import make_component

State = dict[str, float]


class Schedule:
    """Keeps the learning rate as it is; subclasses change it before steps or after epochs.

    A subclass whose decisions depend on what happened before also defines `state` and `restore`, so that a resumed
    training gets the same learning rates.
    """

    def before_step(self, step: int) -> float | None:
        """The learning rate of a step; None leaves it as it is.

        Args:
            step: the number of steps before it, over all epochs.
        """
        return None

    def after_epoch(self, value: float, learning_rate: float) -> float:
        """The learning rate of the next epoch.

        Args:
            value: the monitored loss.
            learning_rate: the present one.
        """
        return learning_rate

    def state(self) -> State:
        """What it remembers, for a checkpoint."""
        return {}

    def restore(self, state: State) -> None:
        """Goes on from `state()`."""


class Plateau(Schedule):
    """Keras' ReduceLROnPlateau with cooldown 0 and min_lr 0.

    After `patience` epochs without a value below best − min_delta, the learning rate is multiplied by `factor`.
    """

    def __init__(self, factor: float, patience: int, min_delta: float) -> None:
        self.factor, self.patience, self.min_delta = factor, patience, min_delta
        self.best, self.wait = math.inf, 0

    def after_epoch(self, value: float, learning_rate: float) -> float:
        """The learning rate of the next epoch."""
        if value < self.best - self.min_delta:
            self.best, self.wait = value, 0
            return learning_rate
        self.wait += 1
        if self.wait < self.patience:
            return learning_rate
        self.wait = 0
        return learning_rate * self.factor

    def state(self) -> State:
        """The best value, and the number of epochs since."""
        return {"best": self.best, "wait": self.wait}

    def restore(self, state: State) -> None:
        """Goes on from `state()`."""
        self.best, self.wait = state["best"], int(state["wait"])


class Cosine(Schedule):
    """Half a cosine from the initial learning rate r to `final_fraction` · r at the last of all steps.

    Of W warm-up steps and T in all: r (t + 1) / W before step t < W, then r (f + (1 − f) (1 + cos π u) / 2) with
    u = (t − W) / (T − W). Early stopping cuts it off, so give that a long patience.
    Source: Loshchilov, Hutter, "SGDR", 2016, arXiv:1608.03983, without restarts.

    Args:
        learning_rate: the initial one r, of the optimizer.
        epochs: the length of the training.
        steps_per_epoch: number of batches.
        warmup_epochs: during which the learning rate rises linearly; may be a fraction.
        final_fraction: f, from 0 to 1.
    """

    def __init__(
        self,
        learning_rate: float,
        epochs: int,
        steps_per_epoch: int,
        warmup_epochs: float = 0,
        final_fraction: float = 0.0,
    ) -> None:
        if not 0 <= final_fraction <= 1:
            raise ValueError(f"final_fraction={final_fraction}: expected a number from 0 to 1")
        self.learning_rate, self.final_fraction = learning_rate, final_fraction
        self.warmup = _warmup_steps(warmup_epochs, epochs, steps_per_epoch)
        self.decay = max(epochs * steps_per_epoch - self.warmup, 1)

    def before_step(self, step: int) -> float:
        """The learning rate of a step."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        share = (1 + math.cos(math.pi * min((step - self.warmup) / self.decay, 1.0))) / 2
        return self.learning_rate * (self.final_fraction + (1 - self.final_fraction) * share)


class Warmup(Schedule):
    """A learning rate that rises linearly to the initial one r, and stays: r (t + 1) / W before step t < W.

    Args:
        learning_rate: r, of the optimizer.
        epochs: the length of the training.
        steps_per_epoch: number of batches.
        warmup_epochs: during which it rises; may be a fraction. 0: it is constant.
    """

    def __init__(self, learning_rate: float, epochs: int, steps_per_epoch: int, warmup_epochs: float = 0) -> None:
        self.learning_rate = learning_rate
        self.warmup = _warmup_steps(warmup_epochs, epochs, steps_per_epoch)

    def before_step(self, step: int) -> float:
        """The learning rate of a step."""
        return self.learning_rate * min((step + 1) / self.warmup, 1.0) if self.warmup else self.learning_rate


MODULES = {__name__: globals()}


def make_schedule(options: Mapping[str, Any], learning_rate: float, epochs: int, steps_per_epoch: int) -> Schedule:
    """The schedule that an option of the configuration describes, at the start of a training.

    Args:
        options: the group `schedule`: `name`, `_target_` and arguments.
        learning_rate: the initial one.
        epochs: the length of the training.
        steps_per_epoch: number of batches.

    Raises:
        BadInput: the class is not allowed, or rejects the arguments; the message has both.
    """
    schedule: Schedule = make_component(
        "schedule",
        options,
        Schedule,
        MODULES,
        learning_rate=learning_rate,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
    )
    return schedule


def _warmup_steps(warmup_epochs: float, epochs: int, steps_per_epoch: int) -> int:
    if isinstance(warmup_epochs, bool) or not 0 <= warmup_epochs < epochs:
        raise ValueError(f"warmup_epochs={warmup_epochs}: expected 0 or more, and fewer than the {epochs} epochs")
    return round(warmup_epochs * steps_per_epoch)
