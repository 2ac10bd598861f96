"""Whether a store answers at all, asked before MLflow is: its own attempts at a dead store last minutes.

MLflow tries ten times to open a locked database, and waits up to 20 s for each statement. A server that does not answer
costs it several time-outs for each call.
"""

import http.client
import sqlite3
import ssl
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

from activation_study.credentials import without_credentials
from activation_study.tracking.store.problems import StoreProblem
from activation_study.tracking.store.sqlite import database_path

TIMEOUT = 5.0  # seconds

_seen: set[Path] = set()  # databases that this process uses


class Unreachable(Exception):
    """The store does not answer."""


def check_reachable(uri: str) -> None:
    """Returns if the store answers; a store of another kind than SQLite file or server is taken to do so.

    Raises:
        Unreachable: it did not, within `TIMEOUT`.
        StoreProblem: it is no database.
    """
    database = database_path(uri)
    if database is not None:
        path = database.absolute()
        if path.exists():
            _check_database(path)
        elif path in _seen:  # MLflow would write to the deleted file, and fail
            raise Unreachable("its file was deleted while this process used it; the next command creates it again")
    elif uri.lower().startswith(("http://", "https://")):
        _check_server(uri)


def remember(uri: str) -> None:
    """Notes that this process uses a store: if its database disappears, it is not about to be created."""
    database = database_path(uri)
    if database is not None:
        _seen.add(database.absolute())


def _check_database(database: Path) -> None:
    try:
        with closing(sqlite3.connect(database, timeout=TIMEOUT, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")  # waits for other writers
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        if "locked" in str(error):
            raise Unreachable("another process has locked it") from error
        if isinstance(error, sqlite3.OperationalError) and database.is_file():  # e.g. a full disk, a missing permission
            raise Unreachable(str(error)) from error
        raise StoreProblem(
            f"{database} is not a SQLite database, or is damaged ({error})",
            "fills a new one, and likewise for each other study",
            first="Restore it from a backup, or move it away; then ",
        ) from error


def _check_server(uri: str) -> None:
    """Asks for a page that every MLflow server has. Any answer is one, a refusal included."""
    try:
        with urllib.request.urlopen(f"{without_credentials(uri).rstrip('/')}/health", timeout=TIMEOUT):
            return
    except (urllib.error.HTTPError, http.client.HTTPException):
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if not isinstance(reason, ssl.SSLError):  # MLflow has settings of its own for certificates
            raise Unreachable(f"the server does not answer: {reason}") from error
