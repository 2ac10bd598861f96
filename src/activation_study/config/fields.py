"""Fields of a schema: what their values may be, and how the keys of a schema are found."""

from dataclasses import Field, field, fields, is_dataclass, make_dataclass
from typing import Any, get_args, get_origin

from omegaconf import MISSING


def is_number(value: Any) -> bool:
    """Whether a value is a number; Python counts true and false as such."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def choice(*allowed: Any, default: Any = MISSING) -> Any:
    """A field that takes one of these values."""
    return field(default=default, metadata={"choices": allowed})


def at_least(smallest: float, default: Any = MISSING) -> Any:
    """A field that takes a number from `smallest` on."""
    return field(default=default, metadata={"at_least": smallest})


def path_or_content() -> Any:
    """A field that takes a file's path on the command line, and holds the file's content in a record."""
    return field(default=None, metadata={"holds_text": True})


def pattern() -> Any:
    """A field that takes a regular expression, or nothing: commas, brackets and backslashes belong to the value."""
    return field(default=None, metadata={"whole": True})


def component(declares: type) -> Any:
    """A group that is made by a class: a dictionary with `_target_` and the arguments that its option's file gives.

    Args:
        declares: a dataclass with the keys that each option has.
    """
    return field(default_factory=dict, metadata={"declares": declares})


def value_of(config: Any, key: str) -> Any:
    """The value of a configuration at a dotted key; MISSING where an option of a component lacks it."""
    value: Any = config
    for part in key.split("."):
        value = value.get(part, MISSING) if isinstance(value, dict) else getattr(value, part)
    return value


def declared(schema: Any, prefix: str = "") -> dict[str, "Field[Any]"]:
    """Each key of a schema, dotted, with its field; a group comes before its keys."""
    found: dict[str, Field[Any]] = {}
    for each in fields(schema):
        found[prefix + each.name] = each
        group = each.default_factory if each.type is Any else each.type  # of `optional` keys
        group = each.metadata.get("declares", group)
        if is_dataclass(group):
            found |= declared(group, f"{prefix}{each.name}.")
    return found


def optional(schema: type) -> Any:
    """A schema with the same fields, none of them given: for values that replace those of a record."""
    return make_dataclass(
        f"Optional{schema.__name__}",
        [(each.name, Any, field(default=None, metadata=_text_metadata(each))) for each in fields(schema)],
    )


def _text_metadata(declaration: "Field[Any]") -> dict[str, Any]:
    return {"holds_text": holds_text(declaration), "whole": declaration.metadata.get("whole", False)}


def holds_text(declaration: "Field[Any]") -> bool:
    """Whether a key holds text or lists of it."""
    marked: bool | None = declaration.metadata.get("holds_text")
    return str in leaf_types(declaration.type) if marked is None else marked


def leaf_types(kind: Any) -> set[Any]:
    """The types that a type is made of: str | None → {str, NoneType}, list[list[str]] → {str}; none of a dict."""
    if get_origin(kind) is dict:
        return set()
    return set().union(*map(leaf_types, get_args(kind))) if get_args(kind) else {kind}
