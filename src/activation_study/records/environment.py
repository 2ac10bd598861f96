"""What a run's results depend on besides its configuration: versions, processor, threads, backend, data, code."""

import os
import platform
import socket
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from activation_study import __version__, backend
from activation_study.hardware import processor
from activation_study.records.code_changes import git_state
from activation_study.records.record import Record

PACKAGES = (
    "python",
    "tensorflow",
    "jax",
    "jaxlib",
    "keras",
    "numpy",
    "opencv-python-headless",
    "hydra-core",
    "omegaconf",
    "mlflow",
    "scipy",
)
# The keys of a record's environment that must be equal for bit-identical results, besides versions and digests.
REPRODUCIBILITY_KEYS = ("threads", "device", "backend", "jit_compile", "processor")


def describe_environment(threads: int | None, jit_compile: bool | str) -> dict[str, Any]:
    """The environment of a run that is about to start.

    Args:
        threads: as configured; None means one per available core. The number that is used is recorded.
        jit_compile: as configured; what is used on this backend is recorded.
    """
    import keras

    return {
        "activation_study": __version__,
        "versions": {name: version_of(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": processor(),
        "threads": backend.used_threads(threads),
        "backend": keras.backend.backend(),
        "jit_compile": backend.compiles_steps(jit_compile),
        "device": backend.devices(),
        "git": git_state(),
    }


def version_of(package: str) -> str | None:
    """The installed version of a package, or of `python`; None if it is not installed."""
    if package == "python":
        return platform.python_version()
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def current_process() -> dict[str, Any]:
    """Host and process ID of this process."""
    return {"host": socket.gethostname(), "pid": os.getpid()}


def differences(then: Record, now: Record) -> list[str]:
    """What may make two runs of one configuration differ, in words, the most likely causes first."""

    def digest(name: str) -> tuple[str, str, str]:
        return name, then.digests.get(name, "?")[:12], now.digests.get(name, "?")[:12]

    on_jax = "jax" in (then.environment.get("backend"), now.environment.get("backend"))
    packages = [name for name in PACKAGES if on_jax or not name.startswith("jax")]
    pairs = [
        *map(digest, ("data", "code")),
        *((key, then.environment.get(key), now.environment.get(key)) for key in REPRODUCIBILITY_KEYS),
        *((name, then.environment["versions"].get(name), now.environment["versions"][name]) for name in packages),
        *map(digest, ("initial_weights", "order")),  # last, because they follow from the others
    ]
    return [f"{name} (then {before}, now {after})" for name, before, after in pairs if before != after]
