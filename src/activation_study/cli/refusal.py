"""How bad input is answered: one message on standard error, and exit code 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from activation_study import outcome
from activation_study.credentials import without_credentials
from activation_study.errors import BadInput
from activation_study.out_of_memory import is_out_of_memory, out_of_memory


@contextmanager
def refusals(name: str, config: str) -> Iterator[None]:
    """Ends the process on bad input before Hydra sees the exception, which it would announce in its own words.

    Args:
        name: of the command.
        config: the command's file in `conf/`, without its suffix.
    """
    from omegaconf.errors import OmegaConfBaseException  # late: help is printed without Hydra

    from activation_study.config.command_line.hydra_errors import explanation

    try:
        yield
    except BadInput as error:
        raise SystemExit(refuse(str(error))) from error
    except Exception as error:
        message = None
        if is_out_of_memory(error):
            message = out_of_memory("", "a smaller batch_size, or smaller images", error)
        elif isinstance(error, OSError | OmegaConfBaseException):
            message = explanation(error, name, config, sys.argv[1:])
        if message is None:
            raise
        raise SystemExit(refuse(message)) from error


@contextmanager
def file_errors_as_bad_input(name: str, config: str) -> Iterator[None]:
    """In a job of a sweep, makes bad input of files that cannot be used, which the sweep then lists."""
    from activation_study.config.command_line.hydra_errors import explanation

    try:
        yield
    except OSError as error:
        message = explanation(error, name, config, sys.argv[1:])
        if message is None:
            raise
        raise BadInput(message) from error


def refuse(message: str) -> int:
    """Prints an error; returns its exit code."""
    message = without_credentials(message)
    print(f"error: {message}", file=sys.stderr)
    outcome.fail(message)
    return 2
