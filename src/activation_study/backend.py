"""Backend-specific code that Keras does not cover: threads, determinism, memory, precision, compiled steps."""

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from activation_study.arithmetic import DETERMINISTIC_FLAG, arithmetic_variables
from activation_study.errors import BadInput
from activation_study.hardware import AMPERE, available_threads, gpu_capabilities
from activation_study.keras_import import import_keras, suppress_startup_logs

# Operations that are registered as stateful, but only read or assign variables or call functions.
STATELESS = re.compile("Variable|Resource|PartitionedCall|^(If|While|Case|Assert|PrintV2|VarHandleOp)$")
# Operations that run Python code, whose state is unknown.
PYTHON_OPERATIONS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
Step = Callable[[Any, Any], dict[str, Any]]


def used_threads(threads: int | None) -> int:
    """The number of threads that is used for a configured one; JAX always uses one per core."""
    import keras

    return threads if threads and keras.backend.backend() == "tensorflow" else available_threads()


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

        if keras.backend.backend() == "tensorflow":
            _set_up_tensorflow(threads or available_threads(), precision == "tensorfloat32")
        else:
            _set_up_jax(precision == "tensorfloat32")
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


def _set_up_tensorflow(threads: int, tensor_float_32: bool) -> None:
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # it warns about retracing, because each run of a sweep traces its functions
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError as error:
            raise BadInput(
                f"threads={threads}: TensorFlow was already initialised with a different thread count: start a new "
                f"process (in a notebook, restart the kernel), and use TensorFlow for nothing else before the run"
            ) from error
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    tf.config.run_functions_eagerly(False)
    tf.config.experimental.enable_tensor_float_32_execution(tensor_float_32)
    tf.config.experimental.enable_op_determinism()


def _set_up_jax(tensor_float_32: bool) -> None:
    import jax
    import tensorflow  # noqa: F401  # Keras imports it later, when its start-up logs are no longer suppressed

    flags = os.environ.get("XLA_FLAGS", "").split()  # JAX reads them when it first lists devices
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the default reserves most of a GPU's memory
    os.environ["XLA_FLAGS"] = " ".join(dict.fromkeys([*flags, DETERMINISTIC_FLAG]))
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tensor_float_32 else "highest")
    if jax.config.values["jax_compilation_cache_dir"] is None:  # compiling a full-size step takes minutes
        jax.config.update("jax_compilation_cache_dir", str(Path.home() / ".cache" / "activation_study" / "jax"))


def on_gpu() -> bool:
    """Whether the network runs on a GPU or another accelerator."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    return any(not name.startswith("cpu") for name in keras.distribution.list_devices())


def compiles_steps(choice: bool | str) -> bool:
    """Whether whole steps are compiled; `auto` compiles on JAX, which otherwise executes each operation separately.

    Args:
        choice: `training.jit_compile`: true, false or `auto`.

    Raises:
        BadInput: true on TensorFlow, which has no deterministic compiled gradient of max-pooling (docs/LOG.md).
    """
    import keras

    on_jax: bool = keras.backend.backend() == "jax"
    if choice is True and not on_jax:
        raise BadInput("training.jit_compile=true: TensorFlow's compiled steps are not deterministic; use auto")
    return on_jax if choice == "auto" else bool(choice)


def devices() -> str:
    """The names of the devices that the network runs on."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return ", ".join(keras.distribution.list_devices())
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
    return ", ".join(names) or "CPU"


def compiled_steps(model: Any) -> tuple[Step, Step]:
    """The compiled training and validation steps of a compiled Keras model.

    Both take images uint8 [N, height, width, channels] and labels [N, height, width], int8 or with more than 127
    classes int16, for any N, and return the metrics of that batch only. On TensorFlow, each is traced once for all N,
    while Keras' `train_on_batch` traces again for the smaller last batch (8 + 4 s instead of 4 s, docs/LOG.md).
    """
    import keras

    model.optimizer.build(model.trainable_variables)
    if keras.backend.backend() != "tensorflow":
        return (
            lambda images, labels: model.train_on_batch(images, labels, return_dict=True),
            lambda images, labels: model.test_on_batch(images, labels, return_dict=True),
        )
    import tensorflow as tf

    shape, classes = model.input_shape, model.output_shape[-1]
    signature = [
        tf.TensorSpec(shape, tf.uint8),
        tf.TensorSpec(shape[:3], tf.int8 if classes <= tf.int8.max else tf.int16),
    ]

    def compiled(step: Callable[[Any], dict[str, Any]]) -> Step:
        function = tf.function(lambda images, labels: step((images, labels)), input_signature=signature)

        def run(images: Any, labels: Any) -> dict[str, Any]:
            model.reset_metrics()
            return {name: value.numpy() for name, value in function(images, labels).items()}

        return run

    # With one replica this sum is the identity, but TensorFlow registers a gradient for it that keeps the whole traced
    # graph in memory until the process ends: 37 MiB per run (docs/LOG.md).
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # mixed_float16 wraps it for loss scaling
    optimizer._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables
    return compiled(model.train_step), compiled(model.test_step)


def unsaved_state(layer: Any, shape: tuple[int | None, ...]) -> list[str]:
    """What a training step of the layer reads or changes besides the layer's variables, sorted.

    Found in the traced forward pass: operations with hidden state (`tf.random`, Python functions) and captured
    variables, e.g. that of Keras' global seed generator. On JAX a step is a pure function, and Keras itself rejects
    random numbers without a generator.

    Args:
        layer: its `call` has the argument `training`.
        shape: of its input.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf
    from tensorflow.python.framework import op_def_registry

    function = tf.function(lambda x: layer(x, training=True), autograph=False)
    graph = function.get_concrete_function(tf.TensorSpec(shape, tf.float32)).graph
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    operations = {
        node.op
        for node in nodes
        if node.op in PYTHON_OPERATIONS
        or ((known := op_def_registry.get(node.op)) and known.is_stateful and not STATELESS.search(node.op))
    }
    saved = [variable.value.handle for variable in layer.variables]
    captured = [outside for outside, _ in graph.captures if outside.dtype == tf.resource]
    hidden = [handle for handle in captured if not any(handle is each for each in saved)]
    names = [next((each.name for each in graph.variables if each.handle is handle), "?") for handle in hidden]
    return sorted({*(f"the operation {name}" for name in operations), *(f"the variable {name}" for name in names)})


def compiled_prediction(model: Any) -> Callable[[Any], Any]:
    """The compiled forward pass: float32 [N, …] → the model's output as an array, for any N."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return lambda images: model.predict_on_batch(images)
    import tensorflow as tf

    signature = [tf.TensorSpec(model.input_shape, tf.float32)]
    function = tf.function(lambda images: model(images, training=False), input_signature=signature)
    return lambda images: function(images).numpy()
