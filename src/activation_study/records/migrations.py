"""Records of earlier versions, brought to today's: one step from each version to the next."""

from collections.abc import Callable
from typing import Any

from activation_study.config.identity import RENAMED, rename

# Raised when the fields of a record, or the keys of its configuration, change their names or meaning.
RECORD_VERSION = 2

# What the groups were before they had names.
ARTICLE_OPTIONS = {
    "normalization": "batch",
    "optimizer": "adam_amsgrad",
    "schedule": "plateau",
    "loss": "cross_entropy",
}

Content = dict[str, Any]


def migrated(content: Content) -> Content:
    """The content of a `run.json` in today's form; changed in place.

    Raises:
        ValueError: a later version of this program wrote it, or none.
    """
    version = content.get("version")
    if not isinstance(version, int) or not 1 <= version <= RECORD_VERSION:
        raise ValueError(f"its version is {version}, expected at most {RECORD_VERSION}")
    for step in STEPS[version - 1 :]:
        step(content)
    content["version"] = RECORD_VERSION
    return content


def _keys_renamed(content: Content) -> None:
    """1 → 2: optimizer, schedule, loss, normalization and augmentation are groups; keys have the field's terms."""
    config = content["config"]
    rename(config, RENAMED)
    for group, name in ARTICLE_OPTIONS.items():
        config.setdefault(group, {}).setdefault("name", name)
    comparison = config.get("comparison", {})
    chosen = comparison.get("chosen_on_validation")
    if chosen is not None:
        comparison["chosen_on_validation"] = _renamed(chosen)
    content["overrides"] = [
        f"{_renamed(key)}{equals}{value}"
        for key, equals, value in (each.partition("=") for each in content["overrides"])
    ]


def _renamed(key: str) -> str:
    """A dotted key by its new name."""
    for old, new in RENAMED.items():
        if key == old or key.startswith(f"{old}."):
            return new + key.removeprefix(old)
    return key


STEPS: tuple[Callable[[Content], None], ...] = (_keys_renamed,)
