"""Which contrasts are settled at planned looks, and which need more seeds."""

import numpy as np
import pytest

from activation_study.analysis.looks.planned_looks import Plan, Planned, chance_to_settle, follow, look_at, next_look

LOOKS = (5, 8, 12)
PLAN = Plan(LOOKS, margin=0.01, futility=0.1)
# Of mean 0 and standard deviation 1 at each look.
NOISE = np.array([-1.0, 1.0, 0.0, -1.0, 1.0, 1.0, 0.0, -1.0, -1.0, 1.0, 1.0, -1.0])


def noisy(mean: float, deviation: float, seeds: int = 12) -> np.ndarray:
    return mean + deviation * NOISE[:seeds]


def test_a_large_difference_is_settled_at_the_first_look_and_keeps_its_seeds() -> None:
    above, below = follow([noisy(0.05, 0.01), noisy(-0.05, 0.01)], PLAN)
    assert [(look.seeds, look.answer, look.chance) for look in above] == [(5, "above", None)]
    assert [(look.seeds, look.answer) for look in below] == [(5, "below")]
    assert next_look(above, PLAN) is None


def test_equal_arms_are_equivalent_as_soon_as_the_noise_allows() -> None:
    (path,) = follow([noisy(0.0, 0.0132)], PLAN)
    assert [look.answer for look in path] == ["open", "open", "equivalent"]
    assert path[-1].p_equivalence is not None
    assert path[-1].p_equivalence < 0.05 < path[-1].p


def test_without_a_margin_nothing_is_equivalent() -> None:
    (path,) = follow([noisy(0.0, 0.008)], Plan(LOOKS, margin=None, futility=0.0))
    assert {look.answer for look in path} == {"open"}
    assert {look.p_equivalence for look in path} == {None}
    assert len(path) == 3


def test_p_never_grows_from_look_to_look_and_keeps_the_direction_of_its_evidence() -> None:
    differences = np.concatenate([noisy(0.02, 0.012, 5), np.full(7, -0.02)])
    path = look_at(differences, PLAN, 12)
    assert path[0].p == path[1].p == path[2].p
    assert [look.above for look in path] == [True] * 3
    assert path[2].difference.value < 0


def test_an_interval_is_that_of_the_level_of_a_look() -> None:
    (path,) = follow([noisy(0.05, 0.01)], PLAN)
    assert PLAN.confidence == pytest.approx(1 - PLAN.differences.level(0.05))
    from scipy import stats

    expected = stats.ttest_1samp(noisy(0.05, 0.01)[:5], 0).confidence_interval(PLAN.confidence)
    assert (path[0].difference.low, path[0].difference.high) == pytest.approx((expected.low, expected.high))


def test_holm_corrects_over_all_contrasts() -> None:
    borderline = noisy(0.0155, 0.009)
    (alone,) = follow([borderline[:5]], PLAN)
    assert alone[0].answer == "above"
    among_others = follow([borderline[:5], *[noisy(0.0, 0.05, 5)] * 3], PLAN)
    assert among_others[0][0].answer == "open"
    assert among_others[0][0].p == alone[0].p


def test_what_is_asked_afterwards_changes_no_look_of_the_plan() -> None:
    settled, goes_on = noisy(0.025, 0.011), noisy(0.0132, 0.0132)
    alone = follow([settled[:5], goes_on], PLAN)
    assert [[look.answer for look in path] for path in alone] == [["above"], ["open", "above"]]
    hopeless = [noisy(0.0, 0.1)] * 3
    with_asked = follow([settled[:5], goes_on, *hopeless], PLAN, [True, True, False, False, False])
    assert with_asked[:2] == alone
    assert [[look.seeds for look in path] for path in with_asked[2:]] == [[5], [5], [5]]


def test_a_settled_difference_frees_error_for_others_and_equivalence_does_not() -> None:
    borderline = noisy(0.0155, 0.009, 5)
    settled = follow([borderline, noisy(0.2, 0.01, 5)], PLAN)
    assert [path[-1].answer for path in settled] == ["above", "above"]
    equivalent = follow([borderline, noisy(0.0, 0.001, 5)], PLAN)
    assert [path[-1].answer for path in equivalent] == ["open", "equivalent"]


def test_a_hopeless_contrast_gets_no_more_seeds_unless_futility_is_0() -> None:
    (path,) = follow([noisy(0.0, 0.1)], PLAN)
    assert [look.seeds for look in path] == [5]
    assert path[0].chance is not None
    assert path[0].chance < 0.1
    assert path[0].answer == "open"
    assert next_look(path, PLAN) is None
    (path,) = follow([noisy(0.0, 0.1)], Plan(LOOKS, 0.01, futility=0.0))
    assert [look.seeds for look in path] == [5, 8, 12]
    assert path[-1].chance is None


def test_a_contrast_waits_for_its_seeds() -> None:
    first, second = follow([noisy(0.0, 0.0132, 7), noisy(0.0, 0.0132, 12)], PLAN)
    assert [look.seeds for look in first] == [5]
    assert next_look(first, PLAN) == 8
    assert [look.seeds for look in second] == [5], "a look waits for all that go on"
    assert next_look((), PLAN) == 5


def test_the_contrasts_that_need_more_seeds_are_told_by_name() -> None:
    planned = Planned.of(PLAN, {"large": noisy(0.05, 0.01, 5), "open": noisy(0.0, 0.008, 5)})
    assert {name: next_look(path, planned.plan) for name, path in planned.paths.items()} == {"large": None, "open": 8}
    assert (planned.seeds("large"), planned.seeds("unknown")) == (5, None)


def test_the_chance_to_settle_follows_what_was_seen() -> None:
    chances = [chance_to_settle(noisy(mean, 0.02, 5), PLAN, 0.05, 0.05) for mean in (0.0, 0.015, 0.04)]
    assert chances == sorted(chances)
    assert chances[0] < 0.3 < 0.9 < chances[2]
    assert chance_to_settle(noisy(0.015, 0.02, 5), PLAN, 0.05, 0.05) == chances[1], "the same seeds, the same answer"
    assert chance_to_settle(noisy(0.015, 0.02, 5), PLAN, 0.0132, 0.0132) < chances[1]
    assert chance_to_settle(np.zeros(5), Plan(LOOKS, None, 0.1), 0.05, 0.05) == 0.0
    assert chance_to_settle(np.full(5, 0.2), Plan(LOOKS, None, 0.1), 0.05, 0.05) == 1.0, "their signs will tell"
    assert chance_to_settle(np.zeros(5), PLAN, 0.05, 0.05) == 1.0


def test_equal_differences_are_settled_by_as_many_signs_as_it_takes() -> None:
    (path,) = follow([np.full(12, 0.2)], PLAN)
    assert [(look.seeds, look.answer) for look in path] == [(5, "open"), (8, "above")]
