"""Graceful shutdown: SIGTERM, Ctrl-C, a closed terminal or Slurm's warning end a run after the current step.

A second Ctrl-C ends the process immediately, in the middle of a step.
"""

import os
import signal
import sys
import threading
from types import TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
EXIT_CODE_ABORTED = 130
EXIT_CODE_TERMINATED = 143

_recorded: list[int] = []


def record_signal(number: int, frame: Any = None) -> None:
    """A signal handler for a process between two runs: the next run stops before its first step."""
    _recorded.append(number)


def pending_signal() -> int | None:
    """The first signal that `record_signal` received; None if there is none."""
    return _recorded[0] if _recorded else None


class Interrupted(BaseException):
    """A run was stopped by a signal. Not an `Exception`, so that it ends a whole sweep.

    Args:
        number: the signal's number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)  # keeps the exception picklable
        self.exit_code = EXIT_CODE_ABORTED if number == signal.SIGINT else EXIT_CODE_TERMINATED

    def __str__(self) -> str:
        return signal.Signals(self.args[0]).name


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, whose variables would be lost with it."""
    return "ipykernel" in sys.modules


class GracefulShutdown:
    """A context manager in which the signals only set a flag, which `check` turns into an exception.

    Python runs signal handlers only between two of its own instructions, so after the current step. A thread reads the
    signal numbers as they arrive and can therefore react during the step.
    """

    announces = True  # whether to print a message on a signal; in a pool, only the parent process does

    def __init__(self) -> None:
        self.requested = pending_signal()
        self._previous_handlers: dict[int, Any] = {}
        self._writer = self._previous_wakeup = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():  # Python allows signal handlers only there
            return self
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):  # nohup ignores SIGHUP; keep it ignored
                self._previous_handlers[number] = signal.signal(number, lambda number, frame: self._request(number))
        reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._previous_wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reader,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Interrupted) and self.requested is not None:
            error.args = (self.requested,)  # SIGUSR2 may have arrived while the checkpoint was saved
        if self._writer < 0:
            return
        signal.set_wakeup_fd(self._previous_wakeup)
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        os.close(self._writer)  # ends the thread

    def _request(self, number: int) -> None:
        if self.requested is None or number == signal.SIGUSR2:  # Slurm sends SIGTERM before SIGUSR2
            self.requested = number

    def _watch(self, reader: int) -> None:
        announced, interrupts = False, 0
        while byte := os.read(reader, 1):
            number = byte[0]
            if number not in self._previous_handlers:
                continue
            self._request(number)
            interrupts += number == signal.SIGINT
            if interrupts > 1 and not _in_notebook():
                os.write(2, b"\naborted; the last checkpoint, if there is one, is intact: run the same command again\n")
                os._exit(EXIT_CODE_ABORTED)
            if self.announces and not announced:
                announced = True
                abort = "restart the kernel" if _in_notebook() else "press Ctrl-C again"
                hint = f"; {abort} to abort immediately" if interrupts else ""
                message = f"\n{signal.Signals(number).name}: saving a checkpoint after the current step{hint}"
                print(message, file=sys.stderr, flush=True)
        os.close(reader)

    def check(self) -> None:
        """Raises `Interrupted` if a signal has arrived."""
        if self.requested is not None:
            raise Interrupted(self.requested)
