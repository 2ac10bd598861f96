"""Fixtures of the tests that track runs."""

from pathlib import Path

import pytest


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """The address of an MLflow store that does not exist yet."""
    return f"sqlite:///{tmp_path}/mlflow.db"
