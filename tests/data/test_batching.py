"""Batches as a pure function of seed and epoch."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from activation_study.data.batching import batches, epoch_order, order_digest, prefetch
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.splitting.splits import split

INDICES = np.arange(10, 60)


@pytest.fixture
def preprocessed() -> PreprocessedData:
    """The pixels of each image and label are its index."""
    index = np.arange(23)
    images = np.broadcast_to(index[:, None, None, None], (23, 4, 6, 3)).astype(np.uint8)
    return PreprocessedData(images, np.broadcast_to(index[:, None, None], (23, 4, 6)).astype(np.int8))


def test_the_order_of_an_epoch_is_a_permutation_that_depends_on_seed_and_epoch_alone() -> None:
    order = epoch_order(INDICES, 0, 3)
    assert sorted(order) == INDICES.tolist()
    epoch_order(INDICES, 0, 1)
    np.random.default_rng(0).normal(size=5)
    np.testing.assert_array_equal(epoch_order(INDICES, 0, 3), order)


def test_each_epoch_and_each_seed_has_its_own_order() -> None:
    orders = {tuple(epoch_order(INDICES, seed, epoch)) for seed in range(4) for epoch in range(1, 6)}
    assert len(orders) == 20
    assert tuple(INDICES) not in orders


def test_the_indices_are_not_modified() -> None:
    before = INDICES.copy()
    epoch_order(INDICES, 0, 1)
    np.testing.assert_array_equal(INDICES, before)


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"), [(23, 5, [5, 5, 5, 5, 3]), (20, 5, [5] * 4), (3, 16, [3]), (1, 1, [1])]
)
def test_the_last_batch_may_be_smaller(
    preprocessed: PreprocessedData, count: int, batch_size: int, sizes: list[int]
) -> None:
    order = epoch_order(np.arange(count), 1, 1)
    result = list(batches(preprocessed, order, batch_size))
    assert [len(images) for images, _ in result] == sizes
    for images, labels in result:
        assert images.shape[1:] == (4, 6, 3)
        assert labels.shape[1:] == (4, 6)
        assert (images.dtype, labels.dtype) == (np.uint8, np.int8)
    np.testing.assert_array_equal(np.concatenate([images[:, 0, 0, 0] for images, _ in result]), order)
    np.testing.assert_array_equal(np.concatenate([labels[:, 3, 5] for _, labels in result]), order)


def test_prefetch_yields_the_same_items_and_prepares_one_while_another_is_in_use() -> None:
    prepared: list[int] = []
    second_prepared = threading.Event()

    def items() -> Iterator[int]:
        for number in range(1, 4):
            prepared.append(number)
            if number == 2:
                second_prepared.set()
            yield number

    prefetched = prefetch(items())
    assert next(prefetched) == 1
    assert second_prepared.wait(10)  # the second one is prepared before it is requested
    assert list(prefetched) == [2, 3]
    assert prepared == [1, 2, 3]


def test_prefetch_propagates_exceptions_and_ends_its_thread() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    prefetched = prefetch(items())
    assert next(prefetched) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(prefetched)
    prefetched = prefetch(iter([1, 2, 3]))
    next(prefetched)
    prefetched.close()  # as after an interruption within an epoch
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_the_digest_differs_between_splits_seeds_and_epochs() -> None:
    parts = split(50, "sorted")
    assert order_digest(parts, 0, 3) == order_digest(split(50, "sorted"), 0, 3)
    others = [
        order_digest(parts, 1, 3),
        order_digest(parts, 0, 4),
        order_digest(split(50, "shuffled", seed=0), 0, 3),
        order_digest(split(51, "sorted"), 0, 3),
        order_digest(type(parts)(parts.train, parts.test, parts.validation), 0, 3),
    ]
    assert len({order_digest(parts, 0, 3), *others}) == 6
