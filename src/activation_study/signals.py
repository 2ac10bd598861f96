"""SIGTERM, Ctrl-C, Slurm's warning and a closed terminal end a run between two steps, its state saved.

A second Ctrl-C ends the process at once, in the middle of a step.
"""

import os
import signal
import sys
import threading
from types import TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
AT_ONCE = 130


_noted: list[int] = []


def record_signal(number: int, frame: Any = None) -> None:
    """A signal's handler for a process between two runs: the next run stops before its first step."""
    _noted.append(number)


def pending_signal() -> int | None:
    """The first signal of which a note was made."""
    return _noted[0] if _noted else None


class Interrupted(BaseException):
    """The run stopped on a signal, with everything saved. No `Exception`: it ends a whole sweep.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)  # so that it can be pickled
        self.exit_code = 130 if number == signal.SIGINT else 143

    def __str__(self) -> str:
        return signal.Signals(self.args[0]).name


class GracefulShutdown:
    """A context in which the signals only leave a mark that `check` looks at.

    Python runs a signal's handler between two of its own instructions, that is after the step under way. A thread
    that reads the numbers of the signals as they arrive can answer during the step.
    """

    answers = True  # a process of a pool does not: the one that started it has

    def __init__(self) -> None:
        self.requested = pending_signal()
        self._before: dict[int, Any] = {}
        self._writer = self._wakeup = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():  # elsewhere Python allows no handlers
            return self
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):  # nohup's wish stays
                self._before[number] = signal.signal(number, lambda number, frame: self._mark(number))
        reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reader,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Interrupted) and self.requested is not None:
            error.args = (self.requested,)  # SIGUSR2 may have come while the state was saved
        if self._writer < 0:
            return
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._writer)  # the thread reads its end

    def _mark(self, number: int) -> None:
        if self.requested is None or number == signal.SIGUSR2:  # Slurm sends SIGTERM before it
            self.requested = number

    def _watch(self, reader: int) -> None:
        said, keyboard = False, 0
        while byte := os.read(reader, 1):
            number = byte[0]
            if number not in self._before:
                continue
            self._mark(number)
            keyboard += number == signal.SIGINT
            if keyboard > 1:
                os.write(2, b"\nstopped at once; what was saved last stays\n")
                os._exit(AT_ONCE)
            if self.answers and not said:
                said = True
                again = "; Ctrl-C again stops at once" if keyboard else ""
                print(f"\n{signal.Signals(number).name}: saving after this step{again}", file=sys.stderr, flush=True)
        os.close(reader)

    def check(self) -> None:
        """Raises `Interrupted` if a signal came."""
        if self.requested is not None:
            raise Interrupted(self.requested)
