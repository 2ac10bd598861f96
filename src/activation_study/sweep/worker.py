"""A worker process of a pool: runs jobs of a sweep one after the other until a signal arrives.

Not in `hydra_plugins`: Hydra may load those modules twice, but a worker's state must exist once per process.
"""

import os
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
    """A signal arrived. An `Exception`, so that joblib lets the other processes save their state."""


class Worker:
    """Wraps the task of a job for a process of the pool.

    Args:
        task: of one job.
        gpus: of the machine.
        jobs_per_gpu: how many processes may share one GPU.
    """

    def __init__(self, task: Callable[[Any], Any], gpus: Sequence[str], jobs_per_gpu: int) -> None:
        self._task, self._gpus, self._jobs_per_gpu = task, gpus, jobs_per_gpu
        self._sweep = os.getpid()

    def __call__(self, config: Any) -> Any:
        """Runs the job.

        Raises:
            Stopped: a signal arrived before or during the job.
        """
        ignore_broken_pipes()
        GracefulShutdown.announces = os.getpid() == self._sweep  # with processes=1 there is no other
        for number in SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, record_signal)
        position = HydraConfig.get().job.num + 1
        with redirect_stdout(PrefixedStream(sys.stdout, f"[{position}] ")):
            self._wait_for_gpu()
            _check_signal()
            try:
                return self._task(config)
            except Interrupted as error:
                record_signal(error.args[0])
        _check_signal()

    def _wait_for_gpu(self) -> None:
        announced = False
        while not acquire_gpu(self._gpus, self._jobs_per_gpu):
            if not announced:
                print("waiting for a free GPU", flush=True)
            announced = True
            _check_signal()
            time.sleep(1)


def _check_signal() -> None:
    number = pending_signal()
    if number is not None:
        raise Stopped(signal.Signals(number).name)
