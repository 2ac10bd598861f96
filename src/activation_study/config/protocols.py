"""Protocols: named sets of choices about data, training and evaluation, one file each in `conf/protocol/`.

A protocol only sets values, and single keys can override them. So what a run followed is told by its values, not by
the name that was typed: a run is of the protocol from which fewest of its values differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from activation_study.config.identity import INTRODUCED, flatten
from activation_study.location import conf_dir

ARTICLE, MODERN = "article", "modern"
_ARTICLES_DATA = ("stanford_background", "scenes")
_STEPS = "augmentation.steps"
_AUTOMATIC_SPLIT = "auto"  # any split but the article's


@dataclass(frozen=True)
class Followed:
    """The protocol that a run followed.

    Args:
        name: `article` or `modern`.
        deviations: the choices of the protocol that the run made differently, by dotted key.
    """

    name: str
    deviations: Mapping[str, Any]

    def __str__(self) -> str:
        """For people: "modern, except data.channel_order=bgr"."""
        settings = ", ".join(f"{key}={value}" for key, value in self.deviations.items())
        return f"{self.name}, except {settings}" if settings else self.name


def default_protocol(data: str) -> str:
    """The protocol of an option of `data`: the article's for its own data set and the drawn scenes."""
    return ARTICLE if data in _ARTICLES_DATA else MODERN


def followed_protocol(config: Mapping[str, Any]) -> Followed:
    """The protocol that a resolved configuration follows; of two that are equally near, the article's."""
    values = {**INTRODUCED, **flatten(dict(config))}  # what records of earlier versions do not say held then
    candidates = (
        Followed(name, {key: values[key] for key, choice in choices(name).items() if _differs(key, values, choice)})
        for name in (ARTICLE, MODERN)
    )
    nearest = min(candidates, key=lambda each: len(each.deviations))
    if "augmentation.name" in nearest.deviations:  # which says the steps
        return Followed(nearest.name, {key: each for key, each in nearest.deviations.items() if key != _STEPS})
    return nearest


@cache
def choices(name: str) -> Mapping[str, Any]:
    """What a protocol sets: dotted key → value."""
    import yaml

    content = yaml.safe_load((conf_dir() / "protocol" / f"{name}.yaml").read_text(encoding="utf-8"))
    values = {key.removeprefix("protocol_defaults."): value for key, value in flatten(content).items()}
    return {key: value for key, value in values.items() if key != "protocol"}


def _differs(key: str, values: Mapping[str, Any], choice: Any) -> bool:
    if key not in values:  # of records that do not say it
        return False
    if key == "data.split" and choice == _AUTOMATIC_SPLIT:
        return bool(values[key] == choices(ARTICLE)[key])
    return bool(values[key] != choice)
