"""What a study compares: names of arms, what a sweep's factor is inferred to be, and what cannot be one."""

import pytest

from activation_study.config.factor import Factor, factor_of, factor_problem, with_factor
from activation_study.config.schema import resolved
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import composed

CONFIG = {
    "activation": {"name": "mish", "layer": {"kernel_size": 3}},
    "optimizer": {"name": "adamw", "learning_rate": 1e-3},
    "loss": {"name": "dice"},
    "model": {"name": "unet"},
    "training": {"batch_size": 8, "early_stopping": {"patience": 3}},
    "data": {"image_size": [64, 64]},
    "comparison": {"factor": None},
}


@pytest.mark.parametrize(
    ("key", "arm", "title", "plural"),
    [
        ("activation", "mish", "activation", "activations"),
        ("optimizer", "adamw", "optimizer", "optimizers"),
        ("optimizer.learning_rate", "learning_rate=0.001", "learning rate", "learning rates"),
        ("training.batch_size", "batch_size=8", "batch size", "batch sizes"),
        ("data.image_size", "image_size=64", "image size", "image sizes"),
        ("loss", "dice", "loss", "losses"),
        ("model", "unet", "network", "networks"),
    ],
)
def test_an_arm_is_named_by_the_factor(key: str, arm: str, title: str, plural: str) -> None:
    factor = Factor((key,))
    assert (factor.arm(CONFIG), factor.title, factor.plural) == (arm, title, plural)


def test_an_arm_of_two_factors_has_both_values() -> None:
    assert Factor(("activation", "optimizer")).arm(CONFIG) == "mish/adamw"
    assert Factor(("activation", "data.image_size")).arm(CONFIG) == "mish/64"
    assert Factor(("data.image_size", "training.batch_size")).arm(CONFIG) == "64/8"
    wide = {**CONFIG, "data": {"image_size": [48, 64]}}
    assert Factor(("activation", "data.image_size")).arm(wide) == "mish/48x64"


def test_options_of_the_factor_belong_to_it() -> None:
    assert Factor(("optimizer",)).includes("optimizer.weight_decay")
    assert Factor(("optimizer",)).includes("optimizer")
    assert not Factor(("optimizer",)).includes("optimizers.x")


def test_the_first_declared_factor_is_the_study_s() -> None:
    declared = {**CONFIG, "comparison": {"factor": "optimizer"}}
    assert factor_of([CONFIG, declared]) == Factor(("optimizer",))
    assert factor_of([CONFIG, {}]) == Factor(("activation",))


def jobs(*overrides: str) -> list[list[str]]:
    return [[*each.split()] for each in overrides]


def test_the_only_thing_that_a_sweep_varies_is_its_factor() -> None:
    varied = jobs("optimizer=adam seed=0 label_type=regions", "optimizer=sgd seed=1 label_type=surfaces")
    assert [job[-1] for job in with_factor(varied, None)] == ["comparison.factor=optimizer"] * 2
    rates = jobs("optimizer.learning_rate=1e-3 seed=0", "optimizer.learning_rate=3e-3 seed=0")
    assert with_factor(rates, None)[0][-1] == "comparison.factor=optimizer.learning_rate"
    rates = jobs("training.learning_rate=1e-3 seed=0", "training.learning_rate=3e-3 seed=0")
    assert with_factor(rates, None)[0][-1] == "comparison.factor=optimizer.learning_rate"


def test_what_the_network_sees_of_the_images_can_be_compared() -> None:
    sizes = jobs("data.image_size=64 seed=0", "data.image_size=128 seed=0")
    assert with_factor(sizes, None)[0][-1] == "comparison.factor=data.image_size"


@pytest.mark.parametrize(
    "varied",
    [
        jobs("activation=relu seed=0", "activation=mish seed=0"),
        jobs("activation=relu optimizer=adam", "activation=mish optimizer=sgd"),
        jobs("activation.layer.kernel_size=3", "activation.layer.kernel_size=5"),
        jobs("optimizer=adam loss=a", "optimizer=sgd loss=b"),
        jobs("seed=0", "seed=1"),
        jobs("data=a protocol=article threads=1", "data=b protocol=modern threads=2"),
        jobs("optimizer=adam seed=0"),
    ],
)
def test_otherwise_it_is_the_activation(varied: list[list[str]]) -> None:
    assert with_factor(varied, None) == varied


def test_a_declared_factor_is_kept() -> None:
    varied = jobs("optimizer=adam", "optimizer=sgd")
    assert with_factor(varied, "activation") == varied


@pytest.mark.parametrize(
    "key",
    ["seed", "data", "data.name", "data.split", "label_type", "nonsense", "optimizer.nonsense", "training", "protocol"],
)
def test_what_is_not_compared_cannot_be_a_factor(key: str) -> None:
    with pytest.raises(BadInput, match=rf"comparison\.factor={key}: expected a group or key that is compared"):
        from_hydra(composed([f"comparison.factor={key}"]))


@pytest.mark.parametrize(
    "key", ["activation", "optimizer", "model", "optimizer.learning_rate", "activation.scope", "data.image_size"]
)
def test_groups_and_keys_of_training_can(key: str) -> None:
    config = resolved(from_hydra(composed([f"comparison.factor={key}"])))
    assert factor_problem(key, config) is None
    assert factor_of([config]) == Factor((key,))
