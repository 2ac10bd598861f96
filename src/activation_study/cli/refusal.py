"""How bad input is answered: one message on standard error, and exit code 2."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from activation_study import outcome
from activation_study.credentials import without_credentials
from activation_study.errors import BadInput


@contextmanager
def refusals() -> Iterator[None]:
    """Ends the process on bad input before Hydra sees the exception, which it would announce in its own words."""
    try:
        yield
    except BadInput as error:
        raise SystemExit(refuse(str(error))) from error


def refuse(message: str) -> int:
    """Prints an error; returns its exit code."""
    message = without_credentials(message)
    print(f"error: {message}", file=sys.stderr)
    outcome.fail(message)
    return 2
