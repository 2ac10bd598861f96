"""Runs train.py and kills it at a chosen call: python kill_at.py POINT N ARGUMENTS…

The process is killed just before the N-th call of the function that POINT names; with `save`, after half of the file is
written. With `N-`, the call fails as if the disk were full, with `N~` as if memory were lacking; the process continues.
"""

import os
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def save_half(savez: Callable[..., None], path: Path, arrays: dict[str, Any]) -> None:
    savez(path, **arrays)
    os.truncate(path, path.stat().st_size // 2)
    die()


def kill_points() -> dict[str, tuple[Any, str]]:
    import mlflow
    import sqlalchemy.orm

    from activation_study.model import network
    from activation_study.records import record

    return {
        "build": (network.Network, "check_resumable"),
        "train": (network.Network, "train_on"),
        "validate": (network.Network, "validate_on"),
        "predict": (network.Network, "predict"),
        "weights": (network.Network, "save"),
        "save": (np, "savez"),
        "restore": (network.Network, "set_optimizer_state"),
        "record": (record, "write_json"),
        "commit": (sqlalchemy.orm.Session, "commit"),  # in the middle of a transaction of the MLflow store
        "artifact": (mlflow.MlflowClient, "log_artifact"),
        "model": (mlflow.pyfunc, "log_model"),
        "close": (mlflow.MlflowClient, "set_terminated"),
    }


FAILURES = {"-": OSError(28, "No space left on device"), "~": MemoryError("std::bad_alloc")}


def set_trap(point: str, number: int, failure: Exception | None) -> None:
    holder, name = kill_points()[point]
    original, calls = getattr(holder, name), 0

    def trapped(*arguments: Any, **keywords: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and failure is not None:
            raise failure
        if calls == number:
            if point == "save":
                save_half(original, arguments[0], keywords)
            die()
        return original(*arguments, **keywords)

    setattr(holder, name, trapped)


if __name__ == "__main__":
    set_trap(sys.argv[1], int(sys.argv[2].rstrip("-~")), FAILURES.get(sys.argv[2][-1]))
    sys.argv = [str(ROOT / "train.py"), *sys.argv[3:]]
    runpy.run_path(sys.argv[0], run_name="__main__")
