"""A lack of memory is recognised in the words of each library."""

import pytest

from activation_study.out_of_memory import is_out_of_memory, out_of_memory


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


class XlaRuntimeError(RuntimeError):
    """Named as JAX's."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 36.0 MiB for an array"),
        OSError(12, "Cannot allocate memory"),
        ResourceExhaustedError("failed"),
        ResourceExhaustedError("OOM when allocating tensor with shape[3,3,1536,512]"),
        RuntimeError("AbortedError: could not create a memory object"),
        RuntimeError("AbortedError: Operation received an exception:Status: 1, message: could not create a primitive"),
        RuntimeError("InternalError: CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
        XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes"),
        RuntimeError("std::bad_alloc"),
        ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
        ValueError("OpenCV: (-4:Insufficient memory) Failed to allocate 123 bytes"),
    ],
)
def test_each_library_is_understood(error: Exception) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        OSError(28, "No space left on device"),
        RuntimeError("Operation received an exception:Status: 3, message: could not create a primitive descriptor"),
        KeyError("memory"),
        ImportError("x.so: failed to map segment from shared object: Operation not permitted"),
    ],
)
def test_other_errors_are_left_alone(error: Exception) -> None:
    assert not is_out_of_memory(error)


def test_the_cause_of_an_error_counts() -> None:
    error = ValueError("wrapped")
    error.__cause__ = MemoryError()
    assert is_out_of_memory(error)


def test_the_message_has_the_place_the_remedy_and_the_first_line() -> None:
    message = out_of_memory("in epoch 1", "a smaller training.batch_size (now 8)", RuntimeError("bad_alloc\nmore"))
    assert message == "out of memory in epoch 1: try a smaller training.batch_size (now 8) (RuntimeError: bad_alloc)"
    assert out_of_memory("", "less", MemoryError()).startswith("out of memory: try less")
