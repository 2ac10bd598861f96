"""What Keras does not cover of its backends: threads, determinism, memory, precision, compiled steps."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from activation_study.arithmetic import arithmetic_variables
from activation_study.backends.by_keras import Step
from activation_study.errors import BadInput
from activation_study.hardware import AMPERE, available_threads, gpu_capabilities
from activation_study.keras_import import import_keras, suppress_startup_logs


def used_threads(threads: int | None) -> int:
    """The number of threads that is used for a configured one; JAX always uses one per core."""
    import keras

    return threads if threads and keras.backend.backend() != "jax" else available_threads()


def configure_backend(threads: int | None, precision: str, backend: str | None = None) -> None:
    """Makes the results of a run depend on its seeds only, regardless of what this process has executed before.

    Imports Keras.

    Args:
        threads: threads per operation; None means one per core. The number affects results bit-wise. JAX uses all
            cores.
        precision: a Keras dtype policy, or `tensorfloat32`: float32, but GPUs multiply with a mantissa of 10 bits. With
            all others, float32 is full float32 on GPUs too.
        backend: as of `import_keras`.

    Raises:
        BadInput: TensorFlow was already initialised with a different thread count; environment variables that decide
            arithmetic have changed since; no GPU supports `tensorfloat32`; the backend cannot be used.
    """
    import_keras(backend)
    _reject_changed_variables()
    with suppress_startup_logs():
        import keras

        _chosen().set_up(threads or available_threads(), precision == "tensorfloat32")
    if precision == "tensorfloat32" and not (on_gpu() and min(gpu_capabilities(), default=0) >= AMPERE):
        raise BadInput("training.precision=tensorfloat32: no GPU here supports it; use training.precision=float32")
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)  # a fallback: all random numbers should have their own seed
    keras.config.set_dtype_policy("float32" if precision == "tensorfloat32" else precision)


@cache
def _variables_at_start() -> dict[str, str]:
    """The variables that decide arithmetic when this process first used the backend, which reads each of them once."""
    return arithmetic_variables()


def _reject_changed_variables() -> None:
    """Raises BadInput if a record would have variables that have no effect in this process any more."""
    then, now = _variables_at_start(), arithmetic_variables()
    changed = sorted(name for name in {**then, **now} if then.get(name) != now.get(name))
    if changed:
        raise BadInput(
            f"{', '.join(changed)}: changed after the first run of this process, too late to have an effect: restore "
            f"the former value, or start a new process (in a notebook, restart the kernel) and set it before"
        )


def on_gpu() -> bool:
    """Whether the network runs on a GPU or another accelerator."""
    return any(not name.lower().startswith("cpu") for name in _chosen().devices())


def compiles_steps(choice: bool | str) -> bool:
    """Whether whole steps are compiled; `auto` compiles on JAX, which otherwise executes each operation separately.

    Args:
        choice: `training.jit_compile`: true, false or `auto`.

    Raises:
        BadInput: true on another backend: TensorFlow has no deterministic compiled gradient of max-pooling
            (docs/LOG.md), and PyTorch's compiled steps were not tried.
    """
    import keras

    on_jax: bool = keras.backend.backend() == "jax"
    if choice is True and not on_jax:
        raise BadInput(
            "training.jit_compile=true: only JAX's compiled steps are known to be deterministic; use "
            "training.jit_compile=auto, or KERAS_BACKEND=jax"
        )
    return on_jax if choice == "auto" else bool(choice)


def devices() -> str:
    """The names of the devices that the network runs on."""
    return ", ".join(_chosen().devices())


def compiled_steps(model: Any) -> tuple[Step, Step]:
    """The training and validation steps of a compiled Keras model.

    Both take images uint8 [N, height, width, channels] and labels [N, height, width], int8 or with more than 127
    classes int16, for any N, and return the metrics of that batch only.
    """
    model.optimizer.build(model.trainable_variables)
    found: tuple[Step, Step] = _chosen().steps(model)
    return found


def unsaved_state(layer: Any, inputs: Any) -> list[str]:
    """What a training step of the layer reads or changes besides the layer's variables, sorted.

    Args:
        layer: a network, or a layer whose `call` has the argument `training`.
        inputs: its symbolic inputs, one tensor or a structure of them.
    """
    found: list[str] = _chosen().unsaved_state(layer, inputs)
    return found


def compiled_prediction(model: Any) -> Callable[[Any], Any]:
    """The compiled forward pass: float32 [N, …] → the model's output as an array, for any N."""
    found: Callable[[Any], Any] = _chosen().prediction(model)
    return found


def _chosen() -> ModuleType:
    """The module of the imported backend, with the functions that `backends` lists."""
    import keras

    return import_module(f"activation_study.backends.on_{keras.backend.backend()}")
