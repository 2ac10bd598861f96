"""JAX: whole steps are pure functions, compiled by XLA."""

import os
from pathlib import Path
from typing import Any

from activation_study.arithmetic import DETERMINISTIC_FLAG
from activation_study.backends.by_keras import prediction, steps

__all__ = ["devices", "prediction", "set_up", "steps", "unsaved_state"]


def set_up(threads: int, tensor_float_32: bool) -> None:  # it always uses all cores
    """Deterministic operations, in full float32 unless TensorFloat-32 is wanted; keeps compiled steps on the disk."""
    import jax

    flags = os.environ.get("XLA_FLAGS", "").split()  # JAX reads them when it first lists devices
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the default reserves most of a GPU's memory
    os.environ["XLA_FLAGS"] = " ".join(dict.fromkeys([*flags, DETERMINISTIC_FLAG]))
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tensor_float_32 else "highest")
    if jax.config.values["jax_compilation_cache_dir"] is None:  # compiling a full-size step takes minutes
        jax.config.update("jax_compilation_cache_dir", str(Path.home() / ".cache" / "activation_study" / "jax"))


def devices() -> list[str]:
    """The names of the devices, such as `cpu:0`."""
    import keras

    return list(keras.distribution.list_devices())


def unsaved_state(layer: Any, inputs: Any) -> list[str]:
    """None: a step is a pure function, and Keras itself rejects random numbers without a generator."""
    return []
