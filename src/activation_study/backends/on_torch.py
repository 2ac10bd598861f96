"""PyTorch: operations are executed one by one, as deterministic algorithms."""

from typing import Any

from activation_study.backends.by_keras import prediction, steps

__all__ = ["devices", "prediction", "set_up", "steps", "unsaved_state"]


def set_up(threads: int, tensor_float_32: bool) -> None:
    """Deterministic algorithms on so many threads, in full float32 unless TensorFloat-32 is wanted.

    PyTorch raises an error at an operation that has no deterministic algorithm.
    """
    import tensorflow  # noqa: F401  # Keras imports it later, when its start-up logs are no longer suppressed
    import torch

    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = tensor_float_32
    torch.set_float32_matmul_precision("high" if tensor_float_32 else "highest")


def devices() -> list[str]:
    """The names of the GPUs, or `CPU`."""
    import torch

    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())] or ["CPU"]


def unsaved_state(layer: Any, shape: tuple[int | None, ...]) -> list[str]:
    """Found by a forward pass: whether PyTorch's global generator has moved."""
    import numpy as np
    import torch

    before = torch.get_rng_state()
    layer(np.zeros([size or 2 for size in shape], np.float32), training=True)
    return [] if torch.equal(before, torch.get_rng_state()) else ["PyTorch's global random number generator"]
