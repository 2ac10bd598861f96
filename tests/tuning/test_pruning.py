"""Which trials end early, and that a decision depends on nothing but the trials of earlier batches."""

import pytest

from activation_study.tuning.pruning import EarlyEnd
from activation_study.tuning.trials import Trial
from fake_trials import SPACE, TUNING, a_record, a_trial

GOOD = [[0.1 * epoch for epoch in range(1, 10)]] * 5
VALUES = {"optimizer.learning_rate": 1e-3}


def rule(pruner: str, earlier: list[Trial], number: int = 8, epochs: int = 9, **tuning: object) -> EarlyEnd:
    return EarlyEnd(SPACE, earlier, number, VALUES, {**TUNING, "pruner": pruner, **tuning}, epochs)


def ended_after(early: EarlyEnd, curve: list[float]) -> int | None:
    """The first epoch after which the trial ends."""
    epochs = range(1, len(curve) + 1)
    return next((last for last in epochs if early.after(dict(enumerate(curve[:last], 1)))), None)


def test_a_trial_below_the_median_ends_after_the_first_epochs() -> None:
    earlier = [a_trial(number, 1e-3, curve) for number, curve in enumerate(GOOD)]
    assert ended_after(rule("median", earlier), [0.01] * 9) == 5
    assert ended_after(rule("median", earlier), [0.1 * epoch + 0.05 for epoch in range(1, 10)]) is None
    assert ended_after(rule("median", earlier[:3]), [0.01] * 9) is None, "three trials say little"


def test_hyperband_ends_what_is_not_among_the_best_of_its_rung() -> None:
    earlier = [a_trial(number, 1e-3, [0.1 * number] * 9) for number in range(8)]
    ends = [ended_after(rule("hyperband", earlier, number), [0.0] * 9) for number in range(8, 16)]
    assert any(ends)
    assert all(end is None for end in [ended_after(rule("hyperband", earlier, 8 + n), [0.99] * 9) for n in range(8)])


def test_seeds_that_are_lower_than_the_best_trials_end_a_trial() -> None:
    scores = [0.60, 0.61, 0.62, 0.63, 0.64, 0.65]
    best = Trial(0, VALUES, tuple(a_record([s], 1000 + n, seeds=6) for n, s in enumerate(scores)), "finished")
    worse = {number: score - 0.1 - 0.001 * number for number, score in enumerate(scores[:5], 1)}
    early = rule("wilcoxon", [best], 4, seeds=6)
    assert early.after(worse)
    assert not early.after({number: score + 0.01 for number, score in enumerate(scores, 1)})
    assert not early.after({1: 0.1})
    assert not early.after({})


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_the_same_trial_ends_at_the_same_epoch_again(pruner: str) -> None:
    earlier = [a_trial(number, 1e-3, [0.1 * number + 0.01 * epoch for epoch in range(9)]) for number in range(8)]
    curve = [0.3, 0.31, 0.3, 0.32, 0.31, 0.3, 0.3, 0.3, 0.3]
    assert ended_after(rule(pruner, earlier), curve) == ended_after(rule(pruner, earlier), curve)
    pruned = [*earlier, a_trial(8, 2e-3, [0.1] * 6, "pruned"), a_trial(9, 3e-3, [], "failed")]
    assert rule(pruner, pruned, 12).after({1: 0.5}) is False
