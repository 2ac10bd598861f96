"""Random streams are equal for the same seed and purpose, and independent of all others."""

import subprocess
import sys

import numpy as np
import pytest

from activation_study.seeding import integer_seed, stream


def numbers(*key: str | int) -> tuple[int, ...]:
    seed, purpose, *parts = key
    return tuple(stream(int(seed), str(purpose), *parts).integers(0, 2**62, 4).tolist())


def test_seed_zero_is_applied() -> None:
    assert numbers(0, "order", 1) == numbers(0, "order", 1)
    assert integer_seed(0, "weights", "logits") == integer_seed(0, "weights", "logits")


def test_seed_zero_differs_from_seed_one() -> None:
    assert numbers(0, "order", 1) != numbers(1, "order", 1)
    assert integer_seed(0, "weights", "logits") != integer_seed(1, "weights", "logits")


def test_each_purpose_and_part_has_its_own_stream() -> None:
    keys = [
        (0, "order"),
        (0, "order", 0),
        (0, "order", 1),
        (0, "order", 11),
        (0, "order", 1, 1),
        (0, "split"),
        (1, "o"),
    ]
    assert len({numbers(*key) for key in keys}) == len(keys)
    assert len({integer_seed(seed, "weights", f"block{n}") for seed in range(20) for n in range(20)}) == 400


def test_drawing_from_one_stream_does_not_affect_the_others() -> None:
    expected = numbers(3, "split")
    first = stream(3, "order", 1)
    first.normal(size=1000)
    np.random.default_rng(3).normal(size=10)
    assert numbers(3, "split") == expected


@pytest.mark.parametrize("seed", [-1, -(2**40)])
def test_a_negative_seed_is_rejected(seed: int) -> None:
    with pytest.raises(ValueError, match=f"a seed must be 0 or more, not {seed}"):
        stream(seed, "order")
    with pytest.raises(ValueError, match=f"a seed must be 0 or more, not {seed}"):
        integer_seed(seed, "order")


def test_large_seeds_give_different_streams() -> None:
    assert len({numbers(seed, "order") for seed in (0, 2**31, 2**32, 2**32 + 1, 2**64, 2**64 + 1)}) == 6


def test_integer_seeds_fit_into_31_bits_and_fill_them() -> None:
    seeds = [integer_seed(seed, "weights") for seed in range(500)]
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert max(seeds) > 2**30
    assert np.mean(seeds) == pytest.approx(2**30, rel=0.15)


def test_another_process_draws_the_same_numbers() -> None:
    script = "from activation_study.seeding import *; print(integer_seed(4, 'weights', 'logits'))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert int(result.stdout) == integer_seed(4, "weights", "logits")
