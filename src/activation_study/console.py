"""Standard output and error that outlive their terminal: a run is not lost because nobody listens any more."""

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    pass

WIDTH = 120  # columns of a table where there is no terminal that would say


class SafeStream:
    """A text stream whose writes never fail: once they would, they go nowhere.

    Args:
        stream: e.g. `sys.stdout`.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As the stream's own."""
        try:
            return int(self._stream.write(text))
        except OSError:
            self._silence()
            return len(text)

    def flush(self) -> None:
        """As the stream's own."""
        try:
            self._stream.flush()
        except OSError:
            self._silence()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _silence(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())  # what is buffered goes there too
        os.close(nowhere)


class PrefixedStream:
    """A text stream for one of several processes at one terminal: whole lines, each with a prefix; no terminal itself.

    Args:
        stream: e.g. `sys.stdout`.
        prefix: whose lines they are.
    """

    def __init__(self, stream: Any, prefix: str) -> None:
        self._stream, self._prefix, self._rest = stream, prefix, ""

    def write(self, text: str) -> int:
        """Keeps what is no whole line yet."""
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            self._stream.write("".join(f"{self._prefix}{line}\n" for line in lines))
            self._stream.flush()
        return len(text)

    def isatty(self) -> bool:
        """No: several progress bars would draw over one another."""
        return False

    def flush(self) -> None:
        """Nothing waits but the beginning of a line."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def table_console() -> "Console":
    """Where tables are printed: as wide as the terminal, or wide enough where there is none."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def ignore_broken_pipes() -> None:
    """Lets this process go on when its terminal is closed, its pipe broken or its log's disk full."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, SafeStream):
            setattr(sys, name, SafeStream(stream))


Item = TypeVar("Item")


def track_progress(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items, with a bar in a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=False, highlight=False)
    yield from track(items, what, console=console, transient=True, disable=not console.is_terminal)


def format_duration(seconds: float) -> str:
    """Seconds in words: 45 s, 12 min, 3 h 20 min, 2 d 3 h."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
