"""PyTorch: operations are executed one by one, as deterministic algorithms."""

from typing import Any

from activation_study.backends.by_keras import prediction, steps
from activation_study.errors import BadInput

__all__ = ["devices", "prediction", "set_up", "steps", "unsaved_state"]


def set_up(threads: int, tensor_float_32: bool) -> None:
    """Deterministic algorithms on so many threads, in full float32 unless TensorFloat-32 is wanted.

    PyTorch raises an error at an operation that has no deterministic algorithm.

    Raises:
        BadInput: Keras uses neither the processor nor a GPU of NVIDIA.
    """
    import torch

    if _device().type not in ("cpu", "cuda"):
        raise BadInput(
            f"KERAS_BACKEND=torch: PyTorch is not known to be deterministic on {_device()}: set KERAS_TORCH_DEVICE=cpu"
        )
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = tensor_float_32
    torch.set_float32_matmul_precision("high" if tensor_float_32 else "highest")


def devices() -> list[str]:
    """The name of the GPU, or `CPU`."""
    import torch

    device = _device()
    return ["CPU" if device.type == "cpu" else torch.cuda.get_device_name(device)]


def unsaved_state(layer: Any, inputs: Any) -> list[str]:
    """Found by calling the layer twice from the same variables: whether output and variables are the same.

    The variables are then as they were before.
    """
    import keras
    import numpy as np
    import torch

    generator = np.random.default_rng(0)
    values = keras.tree.map_structure(
        lambda tensor: generator.normal(size=[size or 2 for size in tensor.shape]).astype(np.float32), inputs
    )
    with torch.no_grad():
        before = [np.array(variable.numpy()) for variable in layer.variables]  # copies: PyTorch shares the memory
        results = []
        for _ in range(2):
            outputs = layer(values, training=True)
            arrays = [outputs.float().cpu().numpy(), *(variable.numpy() for variable in layer.variables)]
            results.append([np.array(array) for array in arrays])
            for variable, value in zip(layer.variables, before, strict=True):
                variable.assign(value)
    same = all(np.array_equal(first, second, equal_nan=True) for first, second in zip(*results, strict=True))
    return [] if same else ["other results when it is called again with the same variables"]


def _device() -> Any:
    """The device that Keras puts tensors on."""
    import keras

    return keras.ops.zeros(()).device
