"""Recognises a lack of memory, which each library reports in its own words, and says what helps."""

import errno
import re
from collections.abc import Iterator

# What TensorFlow, oneDNN (whose status 1 is a lack of memory), CUDA, cuDNN, JAX, OpenCV and C++ say.
WORDS = re.compile(
    r"out of memory|resource_?exhausted|OOM when allocating|CUDA_ERROR_OUT_OF_MEMORY|bad_alloc|cannot allocate memory|"
    r"could not create a memory (object|primitive)|status: 1, message: could not create|STATUS_ALLOC_FAILED|"
    r"insufficient memory|failed to allocate|unable to allocate|failed to map segment from shared object$",
    re.IGNORECASE,
)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, or one that led to it, means that memory was lacking."""
    return any(
        isinstance(each, MemoryError)
        or (isinstance(each, OSError) and each.errno == errno.ENOMEM)
        or bool(WORDS.search(f"{type(each).__name__}: {each}"))
        for each in _chain(error)
    )


def first_line(error: BaseException) -> str:
    """Type and first line of an exception."""
    return f"{type(error).__name__}: {error}".split("\n")[0]


def out_of_memory(where: str, remedies: str, error: BaseException) -> str:
    """One line for an exception for which `is_out_of_memory` holds.

    Args:
        where: e.g. "in epoch 1"; may be empty.
        remedies: what needs less memory, e.g. "a smaller training.batch_size (now 32)".
        error: the exception, whose first line is the reason.
    """
    return f"out of memory{where and f' {where}'}: try {remedies} ({first_line(error)})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
