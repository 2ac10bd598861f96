"""What a run's bits depend on besides its configuration: versions, processor, threads, backend, code."""

import hashlib
import platform
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from activation_study.run import backend

PACKAGES = ("tensorflow", "keras", "numpy", "opencv-python-headless", "hydra-core", "omegaconf", "mlflow", "scipy")
SOURCE = Path(__file__).resolve().parents[1]


def describe(threads: int | None) -> dict[str, Any]:
    """The environment of a run that is about to start.

    Args:
        threads: as configured; None means one per available core, and that number is recorded.
    """
    import keras

    return {
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "processor": processor(),
        "threads": threads or backend.available_threads(),
        "backend": keras.backend.backend(),
        "device": backend.devices(),
        "git": git_state(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


@cache
def code_digest() -> str:
    """A sha256 of this package's source files."""
    digest = hashlib.sha256()
    for path in sorted(SOURCE.rglob("*.py")):
        digest.update(path.relative_to(SOURCE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def git_state() -> dict[str, Any]:
    """The commit that the code comes from, and whether the working tree is that commit."""
    try:
        commit = _git("rev-parse", "HEAD")
        return {"commit": commit, "clean": not _git("status", "--porcelain")}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "clean": None}


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(SOURCE), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()
