"""Which runs of a study belong together: one arm is a data set, a label type and an activation, over its seeds."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from activation_study.config import decides, flat

Config = dict[str, Any]  # resolved
Item = TypeVar("Item")


def arm(config: Config) -> tuple[str, ...]:
    """The names of data set, label type and activation."""
    return tuple(config[group]["name"] for group in ("data", "label_type", "activation"))


def variants(configs: Sequence[Config]) -> list[str]:
    """The keys, other than seeds, that decide results and differ between runs of one arm."""
    found: dict[str, None] = {}
    for group in grouped(configs, arm).values():
        values = [flat(config) for config in group]
        for key in values[0]:
            if decides(key) and not key.startswith("seed") and len({str(each.get(key)) for each in values}) > 1:
                found[key] = None
    return list(found)


def grouped(items: Sequence[Item], key: Callable[[Item], tuple[str, ...]]) -> dict[tuple[str, ...], list[Item]]:
    """The items by key, in the order of their first one."""
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def rows(
    items: Sequence[Item], config_of: Callable[[Item], Config]
) -> tuple[list[str], dict[tuple[str, ...], list[Item]]]:
    """The items of each row of a table: one per arm, split where another key differs.

    Returns:
        The other keys, and the items by (data set, label type, activation, *values of those keys).
    """
    keys = variants([config_of(item) for item in items])
    return keys, grouped(
        items, lambda item: (*arm(config_of(item)), *(str(flat(config_of(item)).get(key)) for key in keys))
    )
