"""When training ends before its last epoch."""

import math
from dataclasses import dataclass


@dataclass
class StoppingRule:
    """Keras' EarlyStopping: training ends after `patience` epochs without a value below best − min_delta."""

    patience: int
    min_delta: float
    best: float = math.inf
    wait: int = 0

    def update(self, value: float, epoch: int) -> bool:
        """Whether to stop after this epoch (1, 2, …); never after the first, as in Keras."""
        self.wait += 1
        if value + self.min_delta < self.best:
            self.best, self.wait = value, 0
            return False
        return self.wait >= self.patience and epoch > 1
