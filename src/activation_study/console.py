"""Console output: streams that survive a closed terminal, tables, progress bars, durations."""

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 120  # columns of a table if the output is not a terminal
# Seconds until the first line of a wait, and between two lines.
FIRST_LINE, LINE_INTERVAL = 5.0, 60.0

Item = TypeVar("Item")


class SafeStream:
    """A text stream whose writes never fail: after the first error, all output is discarded.

    Args:
        stream: e.g. `sys.stdout`.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes the text, or discards it."""
        try:
            return int(self._stream.write(text))
        except OSError:
            self._discard_output()
            return len(text)

    def flush(self) -> None:
        """Flushes the stream."""
        try:
            self._stream.flush()
        except OSError:
            self._discard_output()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _discard_output(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())  # buffered output is discarded too
        os.close(null)


class PrefixedStream:
    """A text stream for one of several processes that share a terminal: writes whole lines, each with a prefix.

    Args:
        stream: e.g. `sys.stdout`.
        prefix: identifies the process.
    """

    def __init__(self, stream: Any, prefix: str) -> None:
        self._stream, self._prefix, self._incomplete_line = stream, prefix, ""

    def write(self, text: str) -> int:
        """Writes complete lines and keeps the rest until its line is complete."""
        *lines, self._incomplete_line = (self._incomplete_line + text).split("\n")
        if lines:
            self._stream.write("".join(f"{self._prefix}{line}\n" for line in lines))
            self._stream.flush()
        return len(text)

    def isatty(self) -> bool:
        """False, because several progress bars would overwrite each other."""
        return False

    def flush(self) -> None:
        """Does nothing: complete lines are already flushed."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def table_console() -> "Console":
    """The console for tables: as wide as the terminal; without one, of $COLUMNS, or else `WIDTH` columns."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal or os.environ.get("COLUMNS", "").isdigit() else Console(width=WIDTH)


def ignore_broken_pipes() -> None:
    """Lets this process continue if its terminal is closed, its pipe breaks or the disk of its log is full.

    A standard stream that was closed from the start leads nowhere. Otherwise the next file that is opened, such as a
    database, would get its number, and with it what libraries in C print.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest free number
            os.set_inheritable(null, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, "w" if descriptor else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
        if descriptor and not isinstance(getattr(sys, name), SafeStream):
            setattr(sys, name, SafeStream(getattr(sys, name)))


def shows_bars(console: "Console") -> bool:
    """Whether progress bars can be drawn: not in a file, a log of CI, or a terminal without cursor (TERM=dumb)."""
    return console.is_terminal and not console.is_dumb_terminal


class PlainProgress:
    """Lines instead of a progress bar: the first after a few seconds, then about one a minute.

    Args:
        first: seconds until the first line; None: as after every other line.
    """

    def __init__(self, first: float | None = None) -> None:
        self._due = time.monotonic() + (LINE_INTERVAL if first is None else first)

    def line(self, text: str, now: bool = False) -> None:
        """Prints a line if one is due, or if it must be printed now."""
        if now or time.monotonic() >= self._due:
            self._due = time.monotonic() + LINE_INTERVAL
            print(text, flush=True)


def track_progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """Yields the items; shows a progress bar in a terminal, otherwise a line now and then.

    Args:
        items: a sequence, or anything else to iterate over.
        description: of the items.
        total: about how many there are; by default the length of the sequence, or unknown.
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=False, highlight=False)
    if total is None and isinstance(items, Sized):
        total = len(items)
    if shows_bars(console):
        yield from track(items, description, total=total, console=console, transient=True)
        return
    plain = PlainProgress(FIRST_LINE)
    for number, item in enumerate(items, 1):
        yield item
        if number != total:
            plain.line(f"  {description}: {number:,}" + (f" of {total:,}" if total else ""))


@contextmanager
def announced_wait(description: str) -> Iterator[None]:
    """Says what is being done if the block takes more than a few seconds, and that it still is about once a minute."""
    ended = threading.Event()

    def watch() -> None:
        started, plain = time.monotonic(), PlainProgress(0)
        if ended.wait(FIRST_LINE):
            return
        plain.line(f"  {description} …")
        while not ended.wait(LINE_INTERVAL):
            plain.line(f"  {description}: {format_duration(time.monotonic() - started)} so far", now=True)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def format_duration(seconds: float) -> str:
    """A duration in at most two units: 45 s, 12 min, 3 h 20 min, 2 d 3 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
