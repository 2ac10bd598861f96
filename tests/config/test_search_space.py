"""What a search may try: ranges and choices, their edges, and what is refused before anything is trained."""

import pytest

from activation_study.config.factor import factor_of
from activation_study.config.schema import resolved
from activation_study.config.search_space import (
    Choices,
    Range,
    grid,
    inside,
    masked,
    size,
    space_of,
    value_text,
    values_in,
)
from activation_study.config.tuning import space_of_arm
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import composed

RATE = Range(1e-4, 1e-2, log=True)


def test_a_logarithmic_range_has_edges_in_the_logarithm() -> None:
    assert [RATE.at_edge(value) for value in (1e-4, 1.25e-4, 1.3e-4, 1e-3, 8e-3, 9e-3)] == [
        True, True, False, False, True, True,
    ]  # fmt: skip
    assert not Range(0, 1).at_edge(0.06)
    assert Range(0, 1).at_edge(0.96)


def test_the_edge_of_a_range_in_steps_is_its_last_value() -> None:
    assert [Range(0, 10, step=4).at_edge(value) for value in (0, 4, 8)] == [True, False, True]


def test_numbers_have_three_digits_and_stay_inside() -> None:
    assert RATE.rounded(0.00123456) == 0.00123
    assert Range(0.12345, 1).rounded(0.12346) == 0.12345, "0.123 would be below the range"
    assert Range(8, 32, integer=True).rounded(8.6) == 9


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        (RATE, [1e-4, 1e-3, 1e-2], [0.0, 0.02, True, "0.001"]),
        (Range(8, 32, step=8, integer=True), [8, 16, 32], [9, 40]),
        (Choices(("plateau", "cosine")), ["cosine"], ["step", None]),
    ],
)
def test_which_values_a_parameter_has(parameter: Range | Choices, inside: list[object], outside: list[object]) -> None:
    assert all(parameter.has(value) for value in inside)
    assert not any(parameter.has(value) for value in outside)


def test_words_have_no_edge_and_two_numbers_neither() -> None:
    assert not Choices(("a", "b", "c")).at_edge("a")
    assert not Choices((1, 2)).at_edge(1)
    assert [Choices((8, 16, 32)).at_edge(value) for value in (8, 16, 32)] == [True, False, True]


def test_a_grid_has_all_combinations() -> None:
    space = {"a": Choices((1, 2)), "b": Choices(("x", "y", "z"))}
    assert len(grid(space)) == size(space) == 6
    assert grid(space)[:2] == [{"a": 1, "b": "x"}, {"a": 1, "b": "y"}]
    assert size({"a": RATE}) == float("inf")
    assert size({"a": Range(8, 32, step=8, integer=True)}) == 4


def test_the_values_of_a_group_are_names() -> None:
    config = resolved(from_hydra(composed([])))
    given = {"schedule": {"choices": ["plateau", "cosine"]}, "training.batch_size": {"low": 8, "high": 32}}
    space = space_of(given, config)
    assert values_in(config, space) == {"schedule": "plateau", "training.batch_size": 16}
    assert inside(space, values_in(config, space))
    assert space["training.batch_size"] == Range(8, 32, integer=True), "as whole as the configured value"


def test_a_mask_covers_what_is_derived_too() -> None:
    config = {"normalization": {"momentum": 0.9}, "activation": {"layer": {"momentum": 0.9}}, "schedule": {"name": "x"}}
    hidden = masked(config, ["normalization.momentum", "schedule"], "tuned")
    assert hidden == {
        "normalization": {"momentum": "tuned"},
        "activation": {"layer": {"momentum": "tuned"}},
        "schedule": {"name": "tuned"},
    }
    assert config["normalization"]["momentum"] == 0.9


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["+tuning.space={optimizer.learning_rate: 0.1}"], "expected low and high, or choices, e.g."),
        (["+tuning.space={optimizer.learning_rate: {low: 1e-2, high: 1e-3}}"], "low=0.01 is not below high=0.001"),
        (["+tuning.space={optimizer.learning_rate: {low: 0, high: 1, log: true}}"], "log=true needs a low above 0"),
        (["+tuning.space={optimizer.learning_rate: {low: a, high: 1}}"], "expected numbers for low, high and step"),
        (["+tuning.space={optimizer.learning_rate: {low: 0, high: 1, step: 2}}"], "step=2: expected a number above 0"),
        (["+tuning.space={optimizer.learning_rate: {low: 0, high: 1, lag: 2}}"], "lag is unknown; expected low, high"),
        (["+tuning.space={schedule: {choices: [cosine]}}"], "expected two or more values"),
        (["+tuning.space={seed: {low: 1, high: 3}}"], "expected a key or group of the training"),
        (["+tuning.space={activation: {choices: [relu, mish]}}"], "expected a key or group of the training"),
        (
            ["tuning=learning_rate", "comparison.factor=optimizer.learning_rate"],
            "tuning.space.optimizer.learning_rate: it is what is compared",
        ),
        (["tuning.space=optimizer.learning_rate"], "tuning.space=optimizer.learning_rate: expected keys with their"),
        (["tuning=learning_rate", "+tuning.spaces.relu=5"], "tuning.spaces.relu=5: expected keys of tuning.space"),
        (
            ["+tuning.space={optimizer: {choices: [adam, sgd]}}", "comparison.factor=optimizer"],
            "tuning.space.optimizer: it is what is compared",
        ),
        (["tuning=learning_rate", "tuning.sampler=grid"], "expected choices for optimizer.learning_rate"),
        (
            ["+tuning.space={training.batch_size: {choices: [4, 8, 16]}}", "tuning.trials=2", "tuning.sampler=grid"],
            "the grid has 3 combinations",
        ),
        (["tuning=learning_rate", "seed=1000"], "seeds from 1000 on belong to the trials"),
        (["tuning=learning_rate", "tuning.pruner=median", "tuning.seeds=2"], "compares epochs of single runs"),
        (["tuning=learning_rate", "tuning.pruner=wilcoxon", "tuning.seeds=3"], "expected tuning.seeds=5 or more"),
        (["+tuning.spaces={relu: {optimizer.learning_rate: {low: 1, high: 2}}}"], "tuning.spaces needs tuning.space"),
        (
            ["tuning=learning_rate", "+tuning.spaces.relu={training.batch_size: {low: 1, high: 2}}"],
            "tuning.spaces.relu.training.batch_size: expected a key of tuning.space",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_searched_is_refused(keys: list[str], message: str) -> None:
    with pytest.raises(BadInput, match=message.replace("(", r"\(")):
        from_hydra(composed(keys))


def test_an_option_of_what_is_compared_can_be_tuned() -> None:
    config = from_hydra(composed(["tuning=learning_rate", "comparison.factor=optimizer", "optimizer=sgd"]))
    found = space_of_arm(resolved(config), factor_of([resolved(config)]))
    assert found["optimizer.learning_rate"] == Range(1e-3, 1.0, log=True), "sgd has a range of its own"
    from_hydra(composed(["+tuning.space={augmentation: {choices: [none, flip]}}"]))


def test_a_range_with_fractions_is_one_of_any_numbers() -> None:
    config = {"loss": {"gamma": 2}}
    assert space_of({"loss.gamma": {"low": 0.5, "high": 5}}, config)["loss.gamma"] == Range(0.5, 5)
    assert space_of({"loss.gamma": {"low": 1, "high": 5}}, config)["loss.gamma"] == Range(1, 5, integer=True)


def test_values_are_written_as_on_the_command_line() -> None:
    assert [value_text(value) for value in (None, True, 1, 1.0, "cosine")] == ["null", "true", "1", "1.0", "cosine"]


def test_the_old_name_of_the_learning_rate_works() -> None:
    config = from_hydra(composed(["+tuning.space={training.learning_rate: {low: 1e-4, high: 1e-2}}"]))
    assert list(config.tuning.space) == ["optimizer.learning_rate"]
