"""Which values come next: the same ones for the same trials before, never twice, and near the best with TPE."""

import math

import pytest

from activation_study.config.search_space import Choices, Range
from activation_study.tuning.ask import next_values
from activation_study.tuning.trials import Trial
from fake_trials import SPACE, a_trial

KEY = "optimizer.learning_rate"


def searched(sampler: str, best: float, trials: int = 16, *of: str) -> list[Trial]:
    """A search in batches of one, whose score is largest at one rate."""
    found: list[Trial] = []
    for number in range(trials):
        values = next_values(SPACE, found, sampler, *of)
        assert values is not None
        found.append(a_trial(number, values[KEY], 0.7 - 0.1 * math.log10(values[KEY] / best) ** 2))
    return found


def test_the_same_trials_before_give_the_same_values() -> None:
    before = searched("tpe", 1e-3, 6, "relu")
    first = next_values(SPACE, before, "tpe", "relu")
    assert first == next_values(SPACE, before, "tpe", "relu")
    assert first != next_values(SPACE, before, "tpe", "mish"), "each arm has random numbers of its own"
    assert first != next_values(SPACE, before[:-1], "tpe", "relu")


@pytest.mark.parametrize("best", [3e-4, 3e-3])
def test_tpe_searches_near_the_best(best: float) -> None:
    trials = searched("tpe", best, 24, "relu")
    distance = [abs(math.log10(trial.values[KEY] / best)) for trial in trials]
    assert sum(distance[12:]) / 12 < 0.6 * sum(distance[:4]) / 4
    assert min(distance) < 0.1


def test_trials_of_the_same_batch_are_known_without_their_results() -> None:
    before = searched("tpe", 1e-3, 8)
    running = Trial(8, {KEY: 1.5e-3}, (), "running")
    assert next_values(SPACE, [*before, running], "tpe") != {KEY: 1.5e-3}


def test_failed_trials_are_told_to_optuna() -> None:
    before = searched("tpe", 1e-3, 8)
    failed = [*before, Trial(8, {KEY: 9e-3}, (), "failed")]
    assert next_values(SPACE, failed, "tpe") is not None


def test_a_grid_is_tried_in_order_and_once() -> None:
    space = {"optimizer.learning_rate": Choices((1e-3, 1e-2)), "training.batch_size": Choices((8, 16))}
    before: list[Trial] = []
    while (values := next_values(space, before, "grid")) is not None:
        before.append(Trial(len(before), values, (), "failed"))
    assert [tuple(trial.values.values()) for trial in before] == [(1e-3, 8), (1e-3, 16), (1e-2, 8), (1e-2, 16)]


def test_no_values_are_tried_twice() -> None:
    space = {"training.batch_size": Range(8, 16, step=8, integer=True)}
    before: list[Trial] = []
    for number in range(2):
        values = next_values(space, before, "random")
        assert values is not None
        before.append(Trial(number, values, (), "failed"))
    assert {trial.values["training.batch_size"] for trial in before} == {8, 16}
    assert next_values(space, before, "random") is None


def test_tpe_tries_all_of_a_small_space_of_words() -> None:
    space = {"training.batch_size": Choices((8, 16, 32)), "schedule": Choices(("plateau", "cosine"))}
    before: list[Trial] = []
    for number in range(6):
        values = next_values(space, before, "tpe", "relu")
        assert values is not None
        before.append(Trial(number, values, a_trial(number, 1e-3, 0.5 + 0.01 * number).records, "finished"))
    assert len({tuple(trial.values.values()) for trial in before}) == 6
    assert next_values(space, before, "tpe", "relu") is None
