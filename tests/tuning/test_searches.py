"""How far a search has come, what its best trial is, and which trials come next."""

import pytest

from activation_study.config.search_space import Choices
from activation_study.errors import BadInput
from activation_study.tuning.batches import begun_trials
from activation_study.tuning.importance import importances
from activation_study.tuning.trials import Trial, trial_of
from fake_trials import SPACE, a_record, a_search, a_trial

CONFIGURED = {"optimizer.learning_rate": 1e-3}


def test_a_search_is_complete_when_all_trials_have_ended() -> None:
    trials = [a_trial(number, 1e-3 + number * 1e-4, 0.5) for number in range(4)]
    assert a_search(trials, trials=4).complete
    assert not a_search(trials, trials=5).complete
    assert not a_search([*trials[:3], a_trial(3, 2e-3, 0.5, "running")], trials=4).complete


def test_the_budget_of_epochs_ends_a_search_after_a_whole_batch() -> None:
    trials = [a_trial(number, 1e-3 + number * 1e-4, [0.5] * 10) for number in range(8)]
    assert a_search(trials, batch=4, epochs=80).complete
    assert not a_search(trials, batch=4, epochs=81).complete
    assert not a_search(trials[:6], batch=4, epochs=50).complete, "the batch has not ended"


def test_the_best_trial_is_the_first_of_equal_finished_ones() -> None:
    trials = [a_trial(0, 1e-3, 0.5), a_trial(1, 2e-3, 0.7), a_trial(2, 3e-3, 0.7), a_trial(3, 4e-3, 0.9, "pruned")]
    best = a_search(trials).best
    assert best is not None
    assert best.number == 1
    assert a_search([a_trial(0, 1e-3, 0.5, "failed")]).best is None


def test_effort_includes_what_was_pruned_or_failed() -> None:
    search = a_search([a_trial(0, 1e-3, [0.5] * 3), a_trial(1, 2e-3, [0.1], "pruned"), a_trial(2, 3e-3, [], "failed")])
    assert (search.epochs, search.seconds) == (4, 8.0)
    assert [search.count(state) for state in ("finished", "pruned", "failed")] == [1, 1, 1]
    assert search.seconds_per_run == 7.0


def test_a_best_value_near_an_end_is_at_the_edge() -> None:
    assert a_search([a_trial(0, 9.9e-3, 0.5)]).at_edge == ["optimizer.learning_rate"]
    assert a_search([a_trial(0, 1e-3, 0.5)]).at_edge == []


def test_the_first_trial_has_the_configured_values_if_they_can_be_tried() -> None:
    (first, *others) = begun_trials(a_search(), CONFIGURED, "relu")
    assert first.values == CONFIGURED
    assert len(others) == 3
    assert begun_trials(a_search(), {"optimizer.learning_rate": 1.0}, "relu")[0].values != {
        "optimizer.learning_rate": 1.0
    }


def test_a_batch_follows_when_the_one_before_has_ended() -> None:
    asked = begun_trials(a_search(), CONFIGURED, "relu")
    ended = [a_trial(trial.number, trial.values["optimizer.learning_rate"], 0.5) for trial in asked]
    following = begun_trials(a_search(ended), CONFIGURED, "relu")
    assert [trial.number for trial in following] == list(range(8))
    assert [trial.values for trial in following[:4]] == [trial.values for trial in asked]
    partly = [*ended[:2], a_trial(2, ended[2].values["optimizer.learning_rate"], 0.5, "running")]
    assert [trial.values for trial in begun_trials(a_search(partly), CONFIGURED, "relu")] == [t.values for t in asked]


def test_a_small_space_ends_the_search() -> None:
    space = {"training.batch_size": Choices((8, 16))}
    trials = begun_trials(a_search(space=space), {"training.batch_size": 16}, "relu")
    assert [trial.values["training.batch_size"] for trial in trials] == [16, 8]


def test_a_space_that_has_hardly_more_values_than_trials_is_refused() -> None:
    space = {"optimizer.learning_rate": SPACE["optimizer.learning_rate"].__class__(1e-3, 1.001e-3)}
    with pytest.raises(BadInput, match=r"hardly more values than the \d+ that were tried of relu"):
        begun_trials(a_search(space=space, batch=12), {"optimizer.learning_rate": 1e-3}, "relu")


def test_the_state_of_a_trial_follows_from_its_runs() -> None:
    def state(*statuses: str, seeds: int = 2) -> str:
        config = {"optimizer": {"learning_rate": 1e-3}}
        runs = [a_record([0.5], 1000 + number, status, seeds=seeds) for number, status in enumerate(statuses)]
        for run in runs:
            run.config |= config
        return trial_of(0, runs, SPACE).state

    assert state("FINISHED", "FINISHED") == "finished"
    assert state("FINISHED") == "running", "a seed is missing"
    assert state("FINISHED", "FAILED") == "failed"
    assert state("PRUNED", seeds=1) == "pruned"
    assert state("FINISHED", "KILLED") == "running"


def test_the_key_that_makes_a_difference_is_the_important_one() -> None:
    space = {**SPACE, "training.batch_size": Choices((8, 16))}
    trials = []
    for number in range(20):
        rate, batch = 1e-4 * 10 ** (number / 10), (8, 16)[number % 2]
        values = {"optimizer.learning_rate": rate, "training.batch_size": batch}
        trials.append(Trial(number, values, a_trial(number, rate, 0.5 - abs(number - 10) / 40).records, "finished"))
    found = importances(a_search(trials, space=space))
    assert found["optimizer.learning_rate"] > 0.8
    assert sum(found.values()) == pytest.approx(1)
