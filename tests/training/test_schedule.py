"""The schedules: the cosine against Keras' own, warm-up by hand, each option as its file says it."""

from typing import Any

import numpy as np
import pytest

from activation_study.errors import BadInput
from activation_study.training.schedule import Cosine, Plateau, Schedule, Warmup, make_schedule
from activation_study.validation import from_hydra
from hydra_compose import composed

RATE = 0.02


def made(**options: Any) -> Schedule:
    target = f"activation_study.training.schedule.{options.pop('target')}"
    return make_schedule({"name": "x", "_target_": target, **options}, RATE, epochs=10, steps_per_epoch=7)


@pytest.mark.integration
@pytest.mark.parametrize("warmup", [0, 2])
@pytest.mark.parametrize("final", [0.0, 0.1])
def test_the_cosine_equals_that_of_keras(warmup: int, final: float) -> None:
    import keras

    schedule = made(target="Cosine", warmup_epochs=warmup, final_fraction=final)
    reference = keras.optimizers.schedules.CosineDecay(RATE, 70 - 7 * warmup, alpha=final)
    for step in range(7 * warmup, 70):
        expected = float(reference(step - 7 * warmup))
        assert schedule.before_step(step) == pytest.approx(expected, rel=1e-5, abs=1e-9), step


def test_half_way_the_cosine_is_half_of_the_learning_rate() -> None:
    schedule = Cosine(RATE, epochs=2, steps_per_epoch=10)
    assert [schedule.before_step(step) for step in (0, 10)] == pytest.approx([RATE, RATE / 2])
    assert schedule.before_step(20) == pytest.approx(0)


@pytest.mark.parametrize("target", ["Cosine", "Warmup"])
def test_the_learning_rate_rises_linearly_and_reaches_the_initial_one(target: str) -> None:
    schedule = made(target=target, warmup_epochs=2)
    rates = [schedule.before_step(step) for step in range(15)]
    np.testing.assert_allclose(rates[:14], RATE * np.arange(1, 15) / 14)
    assert rates[14] == RATE


def test_a_part_of_an_epoch_can_be_the_warm_up() -> None:
    assert Warmup(RATE, 10, 8, warmup_epochs=0.5).warmup == 4


def test_without_a_warm_up_the_learning_rate_is_constant() -> None:
    schedule = made(target="Warmup", warmup_epochs=0)
    assert {schedule.before_step(step) for step in range(70)} == {RATE}
    assert schedule.after_epoch(3.0, RATE) == RATE


def test_the_plateau_leaves_steps_alone_and_goes_on_from_its_state() -> None:
    losses = [3.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0]
    whole = Plateau(0.5, 2, 0.0)
    expected = [whole.after_epoch(loss, RATE) for loss in losses]
    assert len(set(expected)) == 2
    first = Plateau(0.5, 2, 0.0)
    before = [first.after_epoch(loss, RATE) for loss in losses[:3]]
    second = Plateau(0.5, 2, 0.0)
    second.restore(first.state())
    assert before + [second.after_epoch(loss, RATE) for loss in losses[3:]] == expected
    assert first.before_step(3) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"target": "Cosine", "warmup_epochs": 10},
            "warmup_epochs=10: expected 0 or more, and fewer than the 10 epochs",
        ),
        ({"target": "Cosine", "final_fraction": 2.0}, "final_fraction=2.0: expected a number from 0 to 1"),
        ({"target": "Cosine", "restarts": 2}, "rejects {'restarts': 2}"),
        ({"target": "Schedule"}, "has no schedule of that name"),
        ({"target": "math"}, "has no schedule of that name"),
    ],
)
def test_what_cannot_be_used_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message.replace("{", r"\{")):
        made(**options)


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("plateau", {"factor": 0.2, "patience": 3, "min_delta": 1e-4}),
        ("cosine", {"learning_rate": 1e-3, "warmup": 0, "decay": 600, "final_fraction": 0.0}),
        ("cosine_warmup", {"learning_rate": 1e-3, "warmup": 30, "decay": 570, "final_fraction": 0.0}),
        ("warmup", {"learning_rate": 1e-3, "warmup": 30}),
        ("constant", {"learning_rate": 1e-3, "warmup": 0}),
    ],
)
def test_each_option_makes_its_schedule(option: str, expected: dict[str, float]) -> None:
    config = from_hydra(composed([f"schedule={option}"]))
    schedule = make_schedule(config.schedule, 1e-3, config.training.epochs, 6)
    assert {key: vars(schedule)[key] for key in expected} == expected


def test_the_patience_is_that_of_the_protocol() -> None:
    assert from_hydra(composed(["protocol=modern"])).schedule["patience"] == 5
    assert "patience" not in from_hydra(composed(["protocol=modern", "schedule=cosine"])).schedule
