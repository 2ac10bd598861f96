"""Whether arms differ in what is compared alone, by their configurations."""

from collections.abc import Mapping, Sequence
from typing import Any

from activation_study.config.factor import Factor
from activation_study.config.identity import affects_result, flatten, value_before

# Key → what conf/activation/ derives it from.
DERIVED = {"activation.layer.momentum": "normalization.momentum"}
# An option of what may be compared, but no part of it → what holds for options without it.
CHOICES_OF_PROTOCOL = {"loss.unlabeled": "ignored"}


def unequal_settings(arms: Mapping[str, Sequence[Mapping[str, Any]]], factor: Factor) -> dict[str, dict[str, str]]:
    """The settings that affect results, are not part of the factor, and differ between arms.

    Args:
        arms: the resolved configurations of each arm's runs, by its name. A key whose values differ within an arm is
            none of these: it makes conditions, or is a seed.
        factor: what is compared.

    Returns:
        Key → the value of each arm, as text.
    """
    flat = {name: [flatten(dict(config)) for config in configs] for name, configs in arms.items()}
    keys = dict.fromkeys(key for configs in flat.values() for values in configs for key in values)
    unequal = {}
    for key in (each for each in keys if _must_be_equal(each, factor)):
        values = {name: {str(_value(key, each)) for each in configs} for name, configs in flat.items()}
        if all(len(found) == 1 for found in values.values()) and len(set.union(*values.values())) > 1:
            unequal[key] = {name: next(iter(found)) for name, found in values.items()}
    return unequal


def distinguishes(key: str) -> bool:
    """Whether a dotted key tells runs apart that are no repetitions: it affects results, and is no seed."""
    return affects_result(key) and not key.startswith("seed")


def _value(key: str, values: Mapping[str, Any]) -> Any:
    """The value of a key; if it is missing, that of a part, such as one loss of a sum, or what holds without it."""
    group, _, last = key.rpartition(".")
    parts = values.get(f"{group}.losses") or []
    found = [part[last] for part in parts if last in part]
    return values.get(key, found[0] if found else CHOICES_OF_PROTOCOL.get(key, value_before(key, values)))


def _must_be_equal(key: str, factor: Factor) -> bool:
    if key in CHOICES_OF_PROTOCOL:
        return key not in factor.keys
    return distinguishes(key) and not (factor.includes(key) or factor.includes(DERIVED.get(key, key)))


def in_words(unequal: Mapping[str, Mapping[str, str]], factor: Factor) -> str:
    """The settings in a sentence; empty without."""
    if not unequal:
        return ""
    settings = "; ".join(
        f"{key} is {', '.join(f'{value} with {name}' for name, value in values.items())}"
        for key, values in unequal.items()
    )
    return f"The arms differ in more than the {factor.title}, so a difference may come from either: {settings}."
