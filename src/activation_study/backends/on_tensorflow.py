"""TensorFlow: steps are traced once, as graphs of deterministic operations."""

import re
from collections.abc import Callable
from typing import Any

from activation_study.backends.by_keras import Step
from activation_study.errors import BadInput

# Operations that are registered as stateful, but only read or assign variables or call functions.
STATELESS = re.compile("Variable|Resource|PartitionedCall|^(If|While|Case|Assert|PrintV2|VarHandleOp)$")
# Operations that run Python code, whose state is unknown.
PYTHON_OPERATIONS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")


def set_up(threads: int, tensor_float_32: bool) -> None:
    """Deterministic operations on so many threads, in full float32 unless TensorFloat-32 is wanted.

    Raises:
        BadInput: TensorFlow was already initialised with a different thread count.
    """
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


def devices() -> list[str]:
    """The names of the GPUs, or `CPU`."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus] or ["CPU"]


def steps(model: Any) -> tuple[Step, Step]:
    """The training and the validation step of a compiled Keras model, each traced once for all numbers of images.

    Keras' `train_on_batch` traces again for the smaller last batch (8 + 4 s instead of 4 s, docs/LOG.md).
    """
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


def unsaved_state(layer: Any, inputs: Any) -> list[str]:
    """Found in the traced forward pass: operations with hidden state (`tf.random`, Python functions) and captured
    variables, e.g. that of Keras' global seed generator.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.framework import op_def_registry

    function = tf.function(lambda x: layer(x, training=True), autograph=False)
    specs = keras.tree.map_structure(lambda tensor: tf.TensorSpec(tensor.shape, tf.float32), inputs)
    graph = function.get_concrete_function(specs).graph
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


def prediction(model: Any) -> Callable[[Any], Any]:
    """The forward pass, traced once."""
    import tensorflow as tf

    signature = [tf.TensorSpec(model.input_shape, tf.float32)]
    function = tf.function(lambda images: model(images, training=False), input_signature=signature)
    return lambda images: function(images).numpy()
