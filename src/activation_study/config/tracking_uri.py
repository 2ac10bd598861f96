"""Addresses of MLflow stores: what is accepted, and what was probably meant otherwise."""

import os
import re
from pathlib import Path

from activation_study.config.places import expanded
from activation_study.credentials import without_credentials

VARIABLE = "MLFLOW_TRACKING_URI"  # the default of `tracking.uri`, in `conf/`
DEFAULT_URI = "sqlite:///mlflow.db"  # what `mlflow ui` opens without arguments
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
HOSTED = ("databricks",)  # names of services that need no address
_EXPECTED = f"expected {DEFAULT_URI}, a server's address such as http://127.0.0.1:5000, or null"


def ignore_empty_variable() -> None:
    """Unsets MLFLOW_TRACKING_URI if it is empty, which means the same; called before a configuration is resolved."""
    if not os.environ.get(VARIABLE, "-").strip():
        del os.environ[VARIABLE]


def uri_error(uri: str | None) -> str | None:
    """What is wrong with a tracking URI, as a message that names where it comes from; None if it can be used.

    Args:
        uri: of the store; None tracks nothing.
    """
    problem = None if uri is None else _problem(uri)
    if uri is None or problem is None:
        return None
    source = VARIABLE if os.environ.get(VARIABLE) == uri else "tracking.uri"
    scheme = "" if "://" in uri else "://"  # `ada:password@host:5000` has a password, too
    return f"{source}={without_credentials(scheme + uri).removeprefix(scheme)}: {without_credentials(problem)}"


def _problem(uri: str) -> str | None:
    if not uri.strip():
        return _EXPECTED
    if uri != uri.strip():
        return _did_you_mean(f"{uri.strip()}, without the spaces")
    scheme, separator, rest = uri.partition("://")
    kind = scheme.partition("+")[0].lower()
    if not separator:
        return None if uri in HOSTED else _without_scheme(uri)
    if kind in ("http", "https"):
        return None if re.match(r"([^/@]*@)?[^/:@?#]+|([^/@]*@)?\[", rest) else f"it names no server; {_EXPECTED}"
    if kind == "sqlite":
        return _sqlite_problem(rest)
    if kind == "file":
        return _folder_problem()
    if kind in (*DATABASES, *HOSTED):
        return None
    return f"{scheme}:// is unknown; {_EXPECTED}"


def _sqlite_problem(rest: str) -> str | None:
    path = rest.lstrip("/")
    if not rest.startswith("/") and path:  # what follows two slashes would be a host
        return _did_you_mean(f"sqlite:///{expanded(path)}")
    if not path or path.startswith(":memory:"):
        return f"it names no file; {_EXPECTED}"
    if path.startswith("~"):  # MLflow would create a folder of that name
        return _did_you_mean(f"sqlite:///{expanded(path)}")
    return None


def _without_scheme(uri: str) -> str:
    http = re.match(r"(https?):/*(.+)", uri, re.IGNORECASE)
    if http:
        return _did_you_mean(f"{http[1].lower()}://{http[2]}")
    name, colon, path = uri.partition(":")
    if name == "sqlite" and colon:
        return (
            _did_you_mean(f"sqlite:///{expanded(path.lstrip('/'))}")
            if path.strip("/")
            else f"it names no file; {_EXPECTED}"
        )
    if name == "file" and colon:
        return _folder_problem()
    if uri.endswith((".db", ".sqlite", ".sqlite3")):
        path = expanded(uri.removeprefix("./"))
        return _did_you_mean(f"sqlite:///{path}")
    if uri.startswith((".", "/", "~")) or uri == "mlruns" or Path(uri).is_dir():
        return _folder_problem()
    if re.fullmatch(r"[\w.-]+(:\d+)?(/.*)?|\[[0-9a-fA-F:]+\](:\d+)?(/.*)?", uri):
        return _did_you_mean(f"http://{uri}")
    return _EXPECTED


def _did_you_mean(uri: str) -> str:
    return f"did you mean {uri}?"


def _folder_problem() -> str:
    return f"MLflow no longer tracks to folders (its file store is in maintenance mode); {_EXPECTED}"
