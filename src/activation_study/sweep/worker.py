"""A process of a pool: one job of a sweep after the other, until a signal comes.

Not in `hydra_plugins`: Hydra may load its modules twice, and what a process knows has to be known once.
"""

import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from typing import Any

from hydra.core.hydra_config import HydraConfig

from activation_study.console import PrefixedStream, ignore_broken_pipes
from activation_study.signals import SIGNALS, GracefulShutdown, Interrupted, pending_signal, record_signal
from activation_study.sweep.gpu_slots import acquire_gpu


class Stopped(Exception):
    """A signal came. An `Exception`, so that joblib lets the other processes save what they have."""


class Worker:
    """The task as a process of the pool carries it out, one job after the other.

    Args:
        task: of one job.
        cards: of the machine.
        jobs_per_gpu: how many processes may share one.
    """

    def __init__(self, task: Callable[[Any], Any], cards: Sequence[str], jobs_per_gpu: int) -> None:
        self._task, self._cards, self._jobs_per_gpu = task, cards, jobs_per_gpu

    def __call__(self, config: Any) -> Any:
        """Does the job, unless this process was told to stop."""
        ignore_broken_pipes()
        GracefulShutdown.announces = False
        for number in SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, record_signal)
        position = HydraConfig.get().job.num + 1
        with redirect_stdout(PrefixedStream(sys.stdout, f"[{position}] ")):
            self._take_card()
            _go_on_unless_stopped()
            try:
                return self._task(config)
            except Interrupted as error:
                record_signal(error.args[0])
        _go_on_unless_stopped()

    def _take_card(self) -> None:
        said = False
        while not acquire_gpu(self._cards, self._jobs_per_gpu):
            if not said:
                print("waits for a card: other processes have them", flush=True)
            said = True
            _go_on_unless_stopped()
            time.sleep(1)


def _go_on_unless_stopped() -> None:
    number = pending_signal()
    if number is not None:
        raise Stopped(signal.Signals(number).name)
