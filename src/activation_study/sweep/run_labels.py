"""What tells the runs of a sweep apart at sight: the settings that vary besides label type, activation and seed."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from activation_study.analysis.grouping import Variants
from activation_study.config.factor import Factor
from activation_study.config.identity import flatten
from activation_study.config.run_names import run_label
from activation_study.config.schema import Config, resolved

_SEEDS = ("seeding.weights", "seeding.order", "seeding.augmentation")


def label_runs(configs: Sequence[Config]) -> None:
    """Gives each run of a sweep a name with short forms of what its study varies; changes the configurations.

    Of a key that has one value in more than half of the runs, only other values are named.
    """
    studies: dict[str, list[Config]] = defaultdict(list)
    for config in configs:
        studies[config.study].append(config)
    for group in studies.values():
        values = [resolved(config) for config in group]
        flat = [flatten(each) for each in values]
        variants, pinned = Variants(values, Factor()), _pinned_seeds(flat)
        data = ["data.name"] if len({each["data.name"] for each in flat}) > 1 else []
        for config, nested, each in zip(group, values, flat, strict=True):
            trial = {} if each["tuning.trial"] is None else {"tuning.trial": each["tuning.trial"]}
            settings = (
                trial
                | {key: each[key] for key in data}
                | variants.settings(nested)
                | {key: each[key] for key in pinned}
            )
            if settings:
                config.sweep.label = run_label(config, settings)


def _pinned_seeds(values: Sequence[dict[str, Any]]) -> list[str]:
    """The seeds of a single source of randomness that vary although `seed` does not."""
    by_seed: dict[tuple[str, Any], set[Any]] = defaultdict(set)
    for each in values:
        for key in _SEEDS:
            by_seed[key, each["seed"]].add(each[key])
    return [key for key in _SEEDS if any(len(found) > 1 for (name, _), found in by_seed.items() if name == key)]
