"""A process of a pool: one job of a sweep after the other, until a signal comes.

Not in `hydra_plugins`: Hydra may load its modules twice, and what a process knows has to be known once.
"""

import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any

from hydra.core.hydra_config import HydraConfig

from activation_study.cards import take_card
from activation_study.output import Lines, outlive_the_terminal
from activation_study.run.interruption import SIGNALS, Interrupted


class Stopped(Exception):
    """A signal came. An `Exception`, so that joblib lets the other processes save what they have."""


class Worker:
    """The task as a process of the pool carries it out, one job after the other.

    Args:
        task: of one job.
        cards: of the machine.
        jobs_per_card: how many processes may share one.
    """

    def __init__(self, task: Callable[[Any], Any], cards: Sequence[str], jobs_per_card: int) -> None:
        self._task, self._cards, self._jobs_per_card = task, cards, jobs_per_card

    def __call__(self, config: Any) -> Any:
        """Does the job, unless this process was told to stop."""
        outlive_the_terminal()
        for number in SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, _stop)
        _go_on_unless_stopped()
        take_card(self._cards, self._jobs_per_card)
        position = HydraConfig.get().job.num + 1
        with redirect_stdout(Lines(sys.stdout, f"[{position}] ")):
            try:
                return self._task(config)
            except Interrupted as error:
                _stop(error.args[0], None)
        _go_on_unless_stopped()


_signals: list[int] = []  # that this process got


def _stop(number: int, frame: Any) -> None:
    _signals.append(number)


def _go_on_unless_stopped() -> None:
    if _signals:
        raise Stopped(signal.Signals(_signals[0]).name)
