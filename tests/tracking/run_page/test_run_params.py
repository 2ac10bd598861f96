"""Each setting that decides a run's result is a parameter, once, by a short name."""

from typing import Any

import pytest

from activation_study.config.schema import resolved
from activation_study.records.record import Record
from activation_study.tracking.run_page.run_params import run_params
from activation_study.validation import from_hydra
from hydra_compose import composed


def params(*overrides: str) -> dict[str, str]:
    config: dict[str, Any] = resolved(from_hydra(composed(overrides)))
    return run_params(Record("run", "study", "0", config, [], ["sky"], {}, {"data": "d" * 64}))


def test_the_main_parameters_come_first_and_nothing_is_said_twice() -> None:
    values = params("data=scenes", "activation=frelu", "seed=3", "threads=1")
    assert list(values.items())[:5] == [
        *(("activation", "frelu"), ("label_type", "surfaces"), ("seed", "3"), ("data", "scenes"), ("model", "unet"))
    ]
    assert not [key for key in values if key.startswith("seeding") or key.endswith(".name")]
    assert values["activation.kernel_size"] == "3"
    assert "activation.momentum" not in values, "it is the normalisation's"


def test_what_the_study_compares_comes_first() -> None:
    values = params("data=scenes", "comparison.factor=optimizer", "optimizer=sgd", "activation=mish")
    assert list(values.items())[:3] == [("optimizer", "sgd"), ("activation", "mish"), ("label_type", "surfaces")]


def test_two_runs_of_a_sweep_differ_in_what_was_swept_alone() -> None:
    one, other = params("data=scenes", "seed=0"), params("data=scenes", "seed=1")
    assert {key for key in one if one[key] != other[key]} == {"seed"}


def test_a_source_of_randomness_with_its_own_seed_is_a_parameter() -> None:
    assert params("data=scenes", "seed=3", "seeding.order=0")["seeding.order"] == "0"


def test_what_does_not_decide_the_result_is_no_parameter() -> None:
    values = params("data=scenes", "threads=1")
    for prefix in ("threads", "folder", "study", "tracking", "comparison", "data.cache", "training.jit_compile"):
        assert not [key for key in values if key.startswith(prefix)], prefix
    assert "None" not in values.values()


def test_values_are_resolved() -> None:
    values = params("data=scenes", "training.precision=auto", "data.image_size=64")
    assert values["training.precision"] in ("float32", "mixed_bfloat16")
    assert values["optimizer.learning_rate"] == "0.001"


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", {"activation": "relu", "activation.scope": "all"}),
        ("silu", {"activation": "silu", "activation.scope": "all"}),  # keras.layers.Activation with activation: silu
        ("leaky_relu", {"activation": "leaky_relu", "activation.scope": "all", "activation.negative_slope": "0.01"}),
        ("prelu", {"activation": "prelu", "activation.scope": "all", "activation.shared_axes": "[1, 2]"}),
    ],
)
def test_the_layer_of_an_activation_is_described_in_short(activation: str, expected: dict[str, str]) -> None:
    values = params("data=scenes", f"activation={activation}")
    assert {key: value for key, value in values.items() if key.startswith("activation")} == expected


def test_a_layer_that_the_name_does_not_say_is_a_parameter() -> None:
    values = params("data=scenes", "activation=silu", "activation.name=mine")
    assert values["activation.layer"] == "Activation"
    assert (values["activation"], values["activation.activation"]) == ("mine", "silu")
