"""`--json`: exactly one object on standard output; all messages, tables and progress go to standard error."""

import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from activation_study import outcome
from activation_study.signals import Interrupted

# Flags that print a text instead of running the command.
TEXT_FLAGS = {"-h", "--help", "--version", "--hydra-help", "-c", "--cfg", "-i", "--info", "-sc", "--shell-completion"}


def one_object(command: str | None, arguments: Sequence[str], run: Callable[[], int]) -> int:
    """Runs a command and writes its object; returns its exit code.

    Args:
        command: its name, for the object.
        arguments: of the command line.
        run: runs the command; returns the exit code, or raises SystemExit with it.
    """
    prints_text = (command is None and not arguments) or TEXT_FLAGS & {flag.partition("=")[0] for flag in arguments}
    with _stdout_to_stderr() as stdout, contextlib.redirect_stderr(_LastLine(sys.stderr)) as last:
        if prints_text:
            with contextlib.redirect_stdout(io.StringIO()) as text:
                code = _exit_code(run)
            if code == 0:
                outcome.deliver("text", {"text": text.getvalue()})
        else:
            code = _exit_code(run)
        if code > 2:
            outcome.fail("interrupted; run the same command again to continue")
        elif code and not outcome.delivered():
            outcome.fail(last.line or f"the command ended with exit code {code}")  # e.g. an unknown flag
        try:
            _write(stdout, outcome.as_json(command) + "\n")
        except BrokenPipeError:  # whoever reads has gone
            pass
        except OSError as error:
            print(f"error: the object could not be written to standard output: {error.strerror}", file=sys.stderr)
            code = code or 1
    return code


def _exit_code(run: Callable[[], int]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):  # a run has handlers of its own
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _interrupt)
    try:
        return run()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except KeyboardInterrupt:
        return Interrupted(signal.SIGINT).exit_code
    except Interrupted as error:
        return error.exit_code
    except Exception as error:
        traceback.print_exc()
        outcome.fail(f"{type(error).__name__}: {error}")
        return 1


def _interrupt(number: int, frame: Any) -> None:
    raise Interrupted(number)


class _LastLine:
    """A text stream that remembers the last line that was written to it.

    Args:
        stream: where the text goes.
    """

    def __init__(self, stream: Any) -> None:
        self._stream, self.line = stream, ""

    def write(self, text: str) -> int:
        """Writes the text."""
        self.line = (text.strip().splitlines() or [self.line])[-1]
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def _stdout_to_stderr() -> Iterator[int]:
    """Yields the file descriptor of the real standard output; whatever else is written goes to standard error.

    The file descriptor itself is redirected, so that it holds for libraries in C and for other processes, too.
    """
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield stdout
    finally:
        sys.stdout.flush()
        os.dup2(stdout, 1)
        os.close(stdout)


def _write(descriptor: int, text: str) -> None:
    """Writes the text without a buffer, so that nothing is left to be written once the descriptor is closed."""
    data = text.encode("utf-8", "backslashreplace")
    while data:
        data = data[os.write(descriptor, data) :]
