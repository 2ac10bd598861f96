"""Derives an independent random stream for each purpose from (seed, purpose).

Drawing more numbers from one stream, or adding a stream, does not affect the others.
Source: NumPy's SeedSequence, https://numpy.org/doc/stable/reference/random/parallel.html
"""

import hashlib

import numpy as np


def _sequence(seed: int, purpose: str, *parts: str | int) -> np.random.SeedSequence:
    if seed < 0:
        raise ValueError(f"a seed must be 0 or more, not {seed}")
    text = "/".join([purpose, *map(str, parts)])
    words = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype="<u4")
    return np.random.SeedSequence([seed, *(int(word) for word in words)])


def stream(seed: int, purpose: str, *parts: str | int) -> np.random.Generator:
    """The random generator for one purpose, e.g. `stream(0, "order", epoch)`.

    Args:
        seed: 0 or more.
        purpose: what the numbers are for, e.g. "order".
        *parts: what distinguishes streams of the same purpose, e.g. the epoch.

    Raises:
        ValueError: `seed` is negative.
    """
    return np.random.default_rng(_sequence(seed, purpose, *parts))


def integer_seed(seed: int, purpose: str, *parts: str | int) -> int:
    """A seed in [0, 2³¹) for libraries that take an integer, e.g. `integer_seed(0, "weights", layer_name)`.

    Raises:
        ValueError: `seed` is negative.
    """
    return int(_sequence(seed, purpose, *parts).generate_state(1)[0] >> 1)
