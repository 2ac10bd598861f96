"""How a person opens the store that runs are tracked in."""

import os
from pathlib import Path

from activation_study.config.tracking_uri import DEFAULT_URI, VARIABLE
from activation_study.credentials import without_credentials
from activation_study.tracking.store.sqlite import ARTIFACTS_FOLDER, database_path

ADDRESS = "http://127.0.0.1:5000"  # where `mlflow ui` listens


def how_to_view(uri: str | None) -> str | None:
    """One line that says where the runs are, and how to see them; None without a store.

    Args:
        uri: the store's tracking URI.
    """
    if uri is None:
        return None
    if database_path(uri) is None:
        source = f" ({VARIABLE})" if os.environ.get(VARIABLE) == uri else ""
        return f"MLflow:               {without_credentials(uri)}{source}"
    leftover = old_file_store() if uri == DEFAULT_URI else None
    command = "mlflow ui" if uri == DEFAULT_URI and leftover is None else f"mlflow ui --backend-store-uri {uri}"
    reason = f"; without the address it would open {leftover.parent.parent}/, an old file store" if leftover else ""
    return f"MLflow:               {command}   (then open {ADDRESS}{reason})"


def old_file_store() -> Path | None:
    """A file in `mlruns/` by which `mlflow ui` takes the folder for a store of MLflow 2, and fails."""
    return next((path for path in Path(ARTIFACTS_FOLDER).glob("*/meta.yaml") if path.parent.name.isdigit()), None)
