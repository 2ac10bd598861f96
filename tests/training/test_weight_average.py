"""The moving average of the weights over epochs, against its definition."""

import numpy as np
import pytest

from activation_study.training.weight_average import DECAY, moving_average


@pytest.mark.parametrize("epochs", [1, 2, 5, 40])
def test_the_average_is_that_of_its_definition(epochs: int) -> None:
    weights = np.random.default_rng(epochs).normal(size=(epochs, 3, 2)).astype(np.float32)
    average: list[np.ndarray] = []
    for epoch, array in enumerate(weights, 1):
        average = moving_average(average, [array], epoch)
    factors = DECAY ** np.arange(epochs - 1, -1, -1.0)
    expected = np.tensordot(factors, weights.astype(np.float64), 1) / factors.sum()
    np.testing.assert_allclose(average[0], expected, rtol=1e-5, atol=1e-6)
    assert average[0].dtype == np.float32


def test_equal_weights_have_themselves_as_average() -> None:
    weight = np.full(3, 1 / 3, np.float32)
    average = moving_average(moving_average([], [weight], 1), [weight], 2)
    assert np.array_equal(average[0], weight)


def test_the_average_is_a_copy_and_whole_numbers_are_those_of_the_last_epoch() -> None:
    weights = [np.zeros(2, np.float32), np.array([1], np.int64)]
    average = moving_average([], weights, 1)
    weights[0] += 1
    assert average[0].tolist() == [0, 0]
    assert moving_average(average, [weights[0], np.array([4])], 2)[1].tolist() == [4]
