"""Groups the runs of a study: by arm (data set, label type and value of the factor) and by variant."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from activation_study.config.equal_settings import DERIVED, distinguishes
from activation_study.config.factor import Factor, factor_of
from activation_study.config.identity import flatten
from activation_study.config.protocols import choices, followed_protocol

ConfigValues = dict[str, Any]  # resolved
Item = TypeVar("Item")


def arm(config: ConfigValues, factor: Factor) -> tuple[str, ...]:
    """The names of data set, label type and arm of a run."""
    return (config["data"]["name"], config["label_type"]["name"], factor.arm(config))


class Variants:
    """The settings, other than seeds, in which the runs of one arm differ.

    Args:
        configs: configurations of all runs.
        factor: what their study compares.
    """

    def __init__(self, configs: Sequence[ConfigValues], factor: Factor) -> None:
        self._factor = factor
        self._varying: dict[tuple[str, ...], set[str]] = {}
        keys: dict[str, None] = {}
        every = [flatten(config) for config in configs]
        for name, group in grouped(configs, self._arm).items():
            flat = [flatten(config) for config in group]
            candidates = (key for key in dict.fromkeys(key for values in flat for key in values) if distinguishes(key))
            varying = [key for key in candidates if len({str(values.get(key)) for values in flat}) > 1]
            varying = [key for key in varying if not (_follows_another(key, flat) or _follows_from_name(key, every))]
            self._varying[name] = set(varying)
            keys.update(dict.fromkeys(varying))
        self._usual = {
            key: _majority([value for config in configs for value in self._value(config, key)]) for key in keys
        }

    def _arm(self, config: ConfigValues) -> tuple[str, ...]:
        return arm(config, self._factor)

    def _value(self, config: ConfigValues, key: str) -> list[str]:
        """The key's value as text; empty if no run of the arm has the key."""
        value = flatten(config).get(key)
        return [] if value is None and key not in self._varying[self._arm(config)] else [str(value)]

    def settings(self, config: ConfigValues) -> dict[str, Any]:
        """What affects results and has another value in this run than in most runs: key → value.

        Several choices of a protocol are named as one, `protocol`, with those that the run made differently.
        """
        values = flatten(config)
        keys = [key for key, usual in self._usual.items() for value in self._value(config, key) if value != usual]
        followed = followed_protocol(config)
        chosen = [key for key in keys if key in choices(followed.name) and key not in followed.deviations]
        if len(chosen) > 1:
            others = [key for key in keys if key not in chosen]
            return {"protocol": followed.name, **{key: values.get(key) for key in others}}
        return {key: values.get(key) for key in keys}

    def of(self, config: ConfigValues) -> tuple[str, ...]:
        """The run's "key=value" for each of these settings."""
        return tuple(f"{key}={value}" for key, value in self.settings(config).items())


def _follows_another(key: str, values: Sequence[ConfigValues]) -> bool:
    """Whether a key has the value of the key that conf/ derives it from, in every run."""
    source = DERIVED.get(key)
    return source is not None and all(each.get(key) == each.get(source) for each in values)


def _follows_from_name(key: str, values: Sequence[ConfigValues]) -> bool:
    """Whether a key varies only with the name of its group's option, as model.widths with model.name."""
    name = f"{key.partition('.')[0]}.name"
    names = {each.get(name) for each in values}
    return key != name and 1 < len(names) == len({(each.get(name), str(each.get(key))) for each in values})


def _majority(values: Sequence[str]) -> str | None:
    """The value that more than half of the runs have, if any."""
    value, count = Counter(values).most_common(1)[0]
    return value if 2 * count > len(values) else None


def grouped(items: Sequence[Item], key: Callable[[Item], tuple[str, ...]]) -> dict[tuple[str, ...], list[Item]]:
    """The items grouped by key, in the order of their first occurrence."""
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def arms_by_condition(
    items: Sequence[Item], config_of: Callable[[Item], ConfigValues], tuned: Collection[str] = ()
) -> dict[tuple[str, ...], list[tuple[str, list[Item]]]]:
    """The arms of each condition, with their items.

    Args:
        items: what has a configuration.
        config_of: an item's configuration.
        tuned: keys that make conditions, also where they are options of what is compared.

    Returns:
        Of each data set, label type and variant, the name and the items of each arm. The name is the value of the
        study's factor, with the options that the study varies.
    """
    configs = [config_of(item) for item in items]
    factor = factor_of(configs)
    variants = Variants(configs, factor)
    groups = grouped(items, lambda item: (*arm(config_of(item), factor), *variants.of(config_of(item))))
    conditions: dict[tuple[str, ...], list[tuple[str, list[Item]]]] = {}
    for (data, label_type, name, *variant), group in groups.items():
        own = [setting for setting in variant if _is_option(setting.partition("=")[0], factor, tuned)]
        options = [_short(setting) for setting in own]
        others = [setting for setting in variant if setting not in own]
        conditions.setdefault((data, label_type, *others), []).append((" ".join([name, *options]), group))
    return conditions


def _is_option(key: str, factor: Factor, tuned: Collection[str]) -> bool:
    """Whether a key is an option of the arms, in whose names it stands."""
    return factor.includes(key) and not any(key == each or key.startswith(f"{each}.") for each in tuned)


def _short(setting: str) -> str:
    """The setting with the last part of its key: "activation.layer.kernel_size=5" → "kernel_size=5"."""
    key, _, value = setting.partition("=")
    return f"{key.rpartition('.')[2]}={value}"


def rows(
    items: Sequence[Item], config_of: Callable[[Item], ConfigValues]
) -> tuple[list[str], dict[tuple[str, ...], list[Item]]]:
    """The items of each row of a table, one row per arm and variant.

    Returns:
        The headings of the key columns, without "variant" if there is only one, and the items by these columns.
    """
    configs = [config_of(item) for item in items]
    factor = factor_of(configs)
    variants = Variants(configs, factor)
    groups = grouped(items, lambda item: (*arm(config_of(item), factor), " ".join(variants.of(config_of(item)))))
    headings = ["data", "label type", factor.title]
    if not any(key[-1] for key in groups):
        return headings, {key[:-1]: group for key, group in groups.items()}
    return [*headings, "variant"], groups
