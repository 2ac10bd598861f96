"""What a run's results depend on besides its configuration: data, code, versions, processor, threads, variables."""

import os
import platform
import socket
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distributions, version
from typing import Any

from activation_study import __version__, backend
from activation_study.arithmetic import arithmetic_variables
from activation_study.config.schema import OWN_FORMATS, Config
from activation_study.hardware import instruction_sets, processor
from activation_study.keras_import import keras_settings
from activation_study.records.code_changes import git_state
from activation_study.records.record import Record

Environment = dict[str, Any]

PACKAGES = (
    "python",
    "tensorflow",
    "jax",
    "jaxlib",
    "torch",
    "keras",
    "numpy",
    "opencv-python-headless",
    "hydra-core",
    "omegaconf",
    "mlflow",
    "scipy",
)
OWN_IMAGES = ("pillow", "tifffile", "imagecodecs")  # decode the images of other sets than the article's
CUDA = "nvidia-"  # what the names of CUDA's packages begin with
# The backend without which a package decides nothing.
ONLY_ON = {"jax": "jax", "jaxlib": "jax", "torch": "torch"}
# The keys of a record's environment that must be equal for bit-identical results, besides versions and digests.
REPRODUCIBILITY_KEYS = ("threads", "device", "backend", "jit_compile", "processor")


def describe_environment(config: Config) -> Environment:
    """The environment of a run that is about to start.

    Where the configuration leaves the number of threads or XLA open, what is used is recorded.
    """
    import keras

    return {
        "activation_study": __version__,
        "versions": {name: version_of(name) for name in _packages(config)},
        "platform": platform.platform(),
        "processor": processor(),
        "instruction_sets": instruction_sets(),
        "threads": backend.used_threads(config.threads),
        "backend": keras.backend.backend(),
        "jit_compile": backend.compiles_steps(config.training.jit_compile),
        "device": backend.devices(),
        "variables": arithmetic_variables(),
        "keras": keras_settings(),
        "git": git_state(),
    }


def _packages(config: Config) -> Iterator[str]:
    """The packages that may decide the results of a run here, or which trials follow on it."""
    yield from PACKAGES
    if config.data.format in OWN_FORMATS:
        yield from OWN_IMAGES
    if config.tuning.trial is not None:
        yield "optuna"
    if backend.on_gpu():
        yield from sorted({name for each in distributions() if (name := each.name).startswith(CUDA)})


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
    """What may make two runs of one configuration differ, in words, the most likely causes first.

    What the older of two records does not have yet counts as equal.
    """

    def digest(name: str) -> tuple[str, str, str]:
        return name, then.digests.get(name, "?")[:12], now.digests.get(name, "?")[:12]

    before, after = then.environment, now.environment
    backends = (before.get("backend"), after.get("backend"))
    versions = {name: each for name, each in before["versions"].items() if ONLY_ON.get(name, backends[0]) in backends}
    return [
        *_in_words(map(digest, ("data", "code", "plugins"))),
        *_in_words((key, before.get(key), after.get(key)) for key in REPRODUCIBILITY_KEYS),
        *_in_words(_entries(before, after, "variables")),
        *_in_words(_entries(before, after, "keras", "keras.config.")),
        *_instruction_sets(before, after),
        *_in_words((name, then, after["versions"].get(name)) for name, then in versions.items()),
        *_in_words(map(digest, ("initial_weights", "order"))),  # last, because they follow from the others
    ]


def _in_words(values: Iterable[tuple[str, Any, Any]]) -> list[str]:
    return [f"{name} (then {before}, now {after})" for name, before, after in values if before != after]


def _entries(before: Environment, after: Environment, key: str, prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Name and both values of each entry of a mapping; nothing if one of the environments lacks the mapping."""
    old, new = before.get(key), after.get(key)
    if old is None or new is None:
        return
    for name in sorted({**old, **new}):
        yield prefix + name, old.get(name, "not set"), new.get(name, "not set")


def _instruction_sets(before: Environment, after: Environment) -> list[str]:
    """The instruction sets that only one of the two processors has."""
    old, new = before.get("instruction_sets"), after.get("instruction_sets")
    if old is None or new is None or set(old) == set(new):
        return []
    missing, added = (" ".join(sorted(names)) for names in (set(old) - set(new), set(new) - set(old)))
    changes = [f"without {missing}"] * bool(missing) + [f"with {added}"] * bool(added)
    return [f"the processor's instruction sets (now {' and '.join(changes)})"]
