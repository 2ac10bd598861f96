"""What arms may differ in: the factor and seeds; all else that affects results is named."""

from typing import Any

import pytest

from activation_study.config.equal_settings import in_words, unequal_settings
from activation_study.config.factor import Factor


def config(name: str, seed: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "activation": {"name": name, "scope": "all"},
        "optimizer": {"name": "adam_amsgrad", "learning_rate": 1e-3},
        "training": {"epochs": 40, "batch_size": 16},
        "study": f"study of {name}",  # decides no result
        "seed": seed,
        "seeding": {"weights": seed},
        **changes,
    }


def test_arms_that_differ_in_the_factor_alone_have_nothing_to_name() -> None:
    arms = {name: [config(name, seed) for seed in (0, 1)] for name in ("relu", "mish")}
    assert unequal_settings(arms, Factor()) == {}
    assert in_words({}, Factor()) == ""


def test_another_setting_is_named_with_its_values() -> None:
    faster = {"optimizer": {"name": "adam_amsgrad", "learning_rate": 3e-3}}
    arms = {"ReLU": [config("relu")], "Mish": [config("mish", 0, **faster), config("mish", 1, **faster)]}
    unequal = unequal_settings(arms, Factor())
    assert unequal == {"optimizer.learning_rate": {"ReLU": "0.001", "Mish": "0.003"}}
    assert in_words(unequal, Factor()) == (
        "The arms differ in more than the activation, so a difference may come from either: optimizer.learning_rate is "
        "0.001 with ReLU, 0.003 with Mish."
    )
    assert unequal_settings(arms, Factor(("activation", "optimizer"))) == {}


def test_a_setting_that_varies_within_an_arm_makes_conditions_instead() -> None:
    both = [config("relu"), config("relu", training={"epochs": 80, "batch_size": 16})]
    assert unequal_settings({"relu": both, "mish": [config("mish")]}, Factor()) == {}


@pytest.mark.parametrize("older", ["relu", "mish"])
def test_a_key_that_an_older_record_lacks_has_the_value_that_held_then(older: str) -> None:
    newer = {"evaluation": {"weights": "best"}}
    arms = {name: [config(name, **({} if name == older else newer))] for name in ("relu", "mish")}
    assert unequal_settings(arms, Factor()) == {}


def test_losses_that_treat_unlabeled_pixels_differently_are_named() -> None:
    article = {"name": "cross_entropy", "unlabeled": "article"}
    arms = {
        "cross_entropy": [config("relu", loss=article)],
        "dice": [config("relu", loss={"name": "dice"})],  # leaves them out, and has no such option
    }
    loss = Factor(("loss",))
    assert unequal_settings(arms, loss) == {"loss.unlabeled": {"cross_entropy": "article", "dice": "ignored"}}
    arms["cross_entropy"] = [config("relu", loss={**article, "unlabeled": "ignored"})]
    assert unequal_settings(arms, loss) == {}
    arms["sum"] = [config("relu", loss={"name": "sum", "losses": [{"unlabeled": "article"}, {"_target_": "Dice"}]})]
    assert unequal_settings(arms, loss)["loss.unlabeled"]["sum"] == "article"
