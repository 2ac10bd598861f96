"""Names of a sweep's runs, and the folders that runs find under earlier names."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest

from activation_study.config.identity import is_safe_name
from activation_study.config.run_names import MAX_LENGTH, keep_existing_name, run_label, short_form
from activation_study.config.schema import Config
from activation_study.sweep.plan import make_job, make_plan
from activation_study.sweep.run_labels import label_runs
from activation_study.validation import from_hydra
from hydra_compose import composed


def config_of(*overrides: str) -> Config:
    return from_hydra(composed(list(overrides)))


def labels(*factors: Sequence[str], base: Sequence[str] = ()) -> list[str]:
    configs = [config_of(*base, *chosen) for chosen in itertools.product(*factors)]
    label_runs(configs)
    assert all(is_safe_name(config.run_name) for config in configs)
    return [config.run_name.rpartition("-")[0] for config in configs]


def test_learning_rates_stand_before_the_seed() -> None:
    rates = [f"optimizer.learning_rate={rate}" for rate in ("1e-3", "3e-4", "3e-3")]
    assert labels(rates, ["seed=0"], base=["experiment=learning_rate"]) == [
        "surfaces-relu-lr1e-3-seed0",
        "surfaces-relu-lr3e-4-seed0",
        "surfaces-relu-lr3e-3-seed0",
    ]


def test_precisions_are_named_in_short() -> None:
    assert labels(["training.precision=float32", "training.precision=mixed_bfloat16"]) == [
        "surfaces-relu-float32-seed0",
        "surfaces-relu-bf16-seed0",
    ]


def test_each_protocol_of_the_experiment_has_its_own_name() -> None:
    changes = "shuffled,no_duplicates,nearest,rgb,unknown_ignored,known_pixels,val_loss,flip,flip_crop_color,bilinear"
    protocols = ["article", *(f"article_with/{change}" for change in changes.split(",")), "modern"]
    names = labels([f"protocol={protocol}" for protocol in protocols], base=["experiment=protocol"])
    assert names == [
        "surfaces-relu-seed0",
        "surfaces-relu-shuffled-seed0",
        "surfaces-relu-deduplicated-seed0",
        "surfaces-relu-nearest-seed0",
        "surfaces-relu-rgb-seed0",
        "surfaces-relu-unlabeled_ignored-seed0",
        "surfaces-relu-known_pixels-seed0",
        "surfaces-relu-val_loss-seed0",
        "surfaces-relu-flip-seed0",
        "surfaces-relu-flip_crop_color-seed0",
        "surfaces-relu-scored_bilinear-seed0",
        "surfaces-relu-modern-seed0",
    ]


def test_the_momentum_that_frelu_takes_from_the_normalisations_is_not_named() -> None:
    protocols = ["protocol=article", "protocol=modern"]
    assert labels(protocols, ["activation=frelu"], base=["experiment=small"]) == [
        "surfaces-frelu-article-seed0",
        "surfaces-frelu-modern-seed0",
    ]
    momenta = ["activation.layer.momentum=0.99", "activation.layer.momentum=0.9"]
    assert labels(momenta, base=["activation=frelu"]) == [
        "surfaces-frelu-momentum0.99-seed0",
        "surfaces-frelu-momentum0.9-seed0",
    ]


def test_what_follows_from_an_options_name_is_not_named_again() -> None:
    assert labels(["model=unet", "model=unet_small"]) == ["surfaces-relu-unet-seed0", "surfaces-relu-unet_small-seed0"]


def test_data_sets_and_pinned_seeds_are_named() -> None:
    assert labels(["data=scenes", "data=stanford_background"]) == [
        "surfaces-relu-scenes-seed0",
        "surfaces-relu-stanford_background-seed0",
    ]
    assert labels(["seeding.order=5", "seeding.order=6"]) == [
        "surfaces-relu-order5-seed0",
        "surfaces-relu-order6-seed0",
    ]


def test_a_sweep_over_activations_and_seeds_keeps_the_short_names() -> None:
    assert labels(["activation=relu", "activation=mish"], ["seed=0", "seed=1"]) == [
        "surfaces-relu-seed0",
        "surfaces-relu-seed1",
        "surfaces-mish-seed0",
        "surfaces-mish-seed1",
    ]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("optimizer.learning_rate", 0.00025, "lr2.5e-4"),
        ("optimizer.learning_rate", 0.1, "lr0.1"),
        ("training.batch_size", 8, "batch8"),
        ("data.image_size", [64, 96], "size64x96"),
        ("activation.scope", "encoder", "scope_encoder"),
        ("activation.layer.kernel_size", 5, "kernel5"),
        ("schedule.min_delta", 1e-05, "min_delta1e-5"),
        ("data.remove_duplicates", False, "no_deduplicated"),
        ("data.split_digest", None, "split_digest_none"),
        ("data.x", "a/b: ../ü" * 9, "x_a_b__.._üa_b__.._üa_b"),
    ],
)
def test_short_forms_are_safe_in_names_of_folders(key: str, value: object, expected: str) -> None:
    assert short_form(key, value) == expected
    assert is_safe_name(expected)


def test_many_settings_are_cut() -> None:
    label = run_label(config_of(), {f"training.setting_number_{n}": n for n in range(30)})
    assert label.startswith("surfaces-relu-setting_number_00-")
    assert label.endswith("_more-seed0")
    assert len(label) < MAX_LENGTH + 45


def test_a_single_run_finds_the_folder_that_a_sweep_made(tmp_path: Path) -> None:
    base = [f"folder={tmp_path}", "study=rates", "optimizer.learning_rate=3e-4"]
    (job, _) = make_plan([base, [*base[:2], "optimizer.learning_rate=1e-3"]], lambda overrides: composed(overrides))
    assert job.config.run_name.startswith("surfaces-relu-lr3e-4-seed0-")
    job.config.run_folder.mkdir(parents=True)
    alone = make_job(base, config_of(*base))
    assert alone.config.run_folder == job.config.run_folder


def test_a_sweep_finds_folders_of_earlier_names(tmp_path: Path) -> None:
    base = [f"folder={tmp_path}", "study=rates"]
    earlier = config_of(*base, "optimizer.learning_rate=3e-4").run_folder
    earlier.mkdir(parents=True)
    rates = [[*base, f"optimizer.learning_rate={rate}"] for rate in ("3e-4", "1e-3")]
    first, second = make_plan(rates, lambda overrides: composed(overrides))
    assert first.config.run_folder == earlier
    assert second.config.run_name.startswith("surfaces-relu-lr1e-3-seed0-")


def test_a_folder_of_another_identity_or_suffix_is_not_taken(tmp_path: Path) -> None:
    config = config_of(f"folder={tmp_path}", "study=s")
    other = config.run_folder.with_name(f"surfaces-relu-lr1e-3-seed0-{config.run_key}-again1")
    other.mkdir(parents=True)
    expected = config.run_folder
    keep_existing_name(config)
    assert config.run_folder == expected


def test_trials_of_a_search_have_their_number() -> None:
    rates = [["optimizer.learning_rate=1e-3", "tuning.trial=0"], ["optimizer.learning_rate=3e-4", "tuning.trial=1"]]
    configs = [from_hydra(composed(["tuning=learning_rate", "seed=1000", *rate])) for rate in rates]
    label_runs(configs)
    assert [config.sweep.label for config in configs] == [
        "surfaces-relu-trial0-lr1e-3-seed1000",
        "surfaces-relu-trial1-lr3e-4-seed1000",
    ]
