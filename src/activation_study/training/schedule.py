"""When the learning rate falls."""

import math
from dataclasses import dataclass


@dataclass
class PlateauRule:
    """Keras' ReduceLROnPlateau with cooldown 0 and min_lr 0.

    After `patience` epochs without a value below best − min_delta, the learning rate is multiplied by `factor`.
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
