"""Migrates records of earlier versions to the current one, one version at a time."""

import copy
from collections.abc import Callable
from typing import Any

from activation_study.config.algorithms import algorithms_of
from activation_study.config.identity import INTRODUCED_STEPS, RENAMED, rename, renamed_key

# Raised when fields of a record or keys of its configuration change their names or meaning.
RECORD_VERSION = 6

# The options of the groups before they had names.
ARTICLE_OPTIONS = {
    "normalization": "batch",
    "optimizer": "adam_amsgrad",
    "schedule": "plateau",
    "loss": "cross_entropy",
}

# What was written into the code before all groups had options.
COMPONENTS = {
    "model._target_": "activation_study.model.networks.unet.build_unet",
    "normalization._target_": "activation_study.model.normalization.BatchNormalization",
    "upsampling.name": "nearest",
    "upsampling._target_": "keras.layers.UpSampling2D",
    "upsampling.interpolation": "nearest",
    "initializer.name": "he_normal",
    "initializer._target_": "keras.initializers.HeNormal",
    "schedule._target_": "activation_study.training.schedule.Plateau",
    "loss._target_": "activation_study.model.losses.cross_entropy.CrossEntropy",
}

Content = dict[str, Any]


def migrate(content: Content) -> Content:
    """The content of a `run.json` in the current version; changed in place.

    Raises:
        ValueError: the version is missing, or later than this program's.
    """
    version = content.get("version")
    if not isinstance(version, int) or not 1 <= version <= RECORD_VERSION:
        raise ValueError(f"its version is {version}, expected at most {RECORD_VERSION}")
    for migration in MIGRATIONS[version - 1 :]:
        migration(content)
    content["version"] = RECORD_VERSION
    return content


def _rename_keys(content: Content) -> None:
    """1 → 2: optimizer, schedule, loss, normalization and augmentation become groups; keys get standard names."""
    config = content["config"]
    rename(config, RENAMED)
    for group, name in ARTICLE_OPTIONS.items():
        config.setdefault(group, {}).setdefault("name", name)
    comparison = config.get("comparison", {})
    selected_key = comparison.get("chosen_on_validation")
    if selected_key is not None:
        comparison["chosen_on_validation"] = renamed_key(selected_key, RENAMED)
    content["overrides"] = [
        f"{renamed_key(key, RENAMED)}{equals}{value}"
        for key, equals, value in (override.partition("=") for override in content["overrides"])
    ]


def _add_algorithms(content: Content) -> None:
    """2 → 3: the versions of algorithms are recorded; until then all were the first."""
    content["algorithms"] = dict.fromkeys(algorithms_of(content["config"]), 1)


def _add_classes(content: Content) -> None:
    """3 → 4: an optimizer says its class; until then there was one."""
    optimizer = content["config"].setdefault("optimizer", {})
    optimizer.setdefault("_target_", "keras.optimizers.Adam")
    optimizer.setdefault("amsgrad", True)


def _add_components(content: Content) -> None:
    """4 → 5: all groups say their classes, and augmentations their steps; until then there was one option each."""
    config = content["config"]
    for key, value in COMPONENTS.items():
        group, _, last = key.partition(".")
        config.setdefault(group, {}).setdefault(last, value)
    augmentation = config.setdefault("augmentation", {})  # the first runs had no name for none
    augmentation.setdefault("steps", copy.deepcopy(INTRODUCED_STEPS[augmentation.get("name", "none")]))


def _drop_fresh_seeds(content: Content) -> None:
    """5 → 6: `tuning` takes the place of fresh seeds for what was chosen on validation."""
    comparison = content["config"].get("comparison", {})
    for key in ("fresh_seeds", "fresh"):
        comparison.pop(key, None)


MIGRATIONS: tuple[Callable[[Content], None], ...] = (
    _rename_keys,
    _add_algorithms,
    _add_classes,
    _add_components,
    _drop_fresh_seeds,
)
