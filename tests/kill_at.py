"""Runs train.py and kills this process at a chosen moment: python kill_at.py POINT N ARGUMENTS…

At the N-th call of what POINT names, before it does anything; `save` first writes half of the file.
With N-, the call fails as if the disk were full, and the process lives.
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


def half_saved(savez: Callable[..., None], path: Path, arrays: dict[str, Any]) -> None:
    savez(path, **arrays)
    os.truncate(path, path.stat().st_size // 2)
    die()


def places() -> dict[str, tuple[Any, str]]:
    import mlflow
    import sqlalchemy.orm

    from activation_study.model import network
    from activation_study.records import record

    return {
        "train": (network.Network, "train_on"),
        "validate": (network.Network, "validate_on"),
        "predict": (network.Network, "predict"),
        "weights": (network.Network, "save"),
        "save": (np, "savez"),
        "restore": (network.Network, "set_optimizer_state"),
        "record": (record, "write_json"),
        "commit": (sqlalchemy.orm.Session, "commit"),  # of the store, in the middle of a mirror's transaction
        "artifact": (mlflow.MlflowClient, "log_artifact"),
        "model": (mlflow.pyfunc, "log_model"),
        "close": (mlflow.MlflowClient, "set_terminated"),
    }


def set_trap(point: str, number: int, fail: bool) -> None:
    holder, name = places()[point]
    original, calls = getattr(holder, name), 0

    def trapped(*arguments: Any, **keywords: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and fail:
            raise OSError(28, "No space left on device")
        if calls == number:
            if point == "save":
                half_saved(original, arguments[0], keywords)
            die()
        return original(*arguments, **keywords)

    setattr(holder, name, trapped)


if __name__ == "__main__":
    set_trap(sys.argv[1], int(sys.argv[2].rstrip("-")), sys.argv[2].endswith("-"))
    sys.argv = [str(ROOT / "train.py"), *sys.argv[3:]]
    runpy.run_path(sys.argv[0], run_name="__main__")
