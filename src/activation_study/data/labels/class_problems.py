"""What is wrong with a list of classes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MAX_CLASSES = 255  # predicted label maps are uint8
MAX_ID = 65535
OTHERS = "others"
UNKNOWN_NAME = "unknown"  # what pixels without a class are called everywhere, so no name of a class
_EXAMPLE = "{name: sky, id: 0}"
_KEYS = ("classes", "unknown", "read_by")
_COLOR = '"#RRGGBB", in quotes since # starts a comment, or [red, green, blue] from 0 to 255'
_READINGS = ("ids", "colors")

Owners = dict[Any, str]  # a value that must be unique → what has it


def is_read_by_colors(content: Mapping[str, Any]) -> bool:
    """Whether label images are read by colours: by `read_by`, or because classes have colours and no ids."""
    if content.get("read_by") is not None:
        return bool(content["read_by"] == "colors")
    entries = [entry for entry in content["classes"] if isinstance(entry, dict)]
    has_ids = any(key in entry for entry in entries for key in ("id", "ids"))
    return not has_ids and any(key in entry for entry in entries for key in ("color", "colors"))


def class_problems(content: Any) -> Iterator[str]:
    """Every problem of the content of a classes file."""
    if not isinstance(content, dict) or not isinstance(content.get("classes"), list):
        yield f"expected `classes:` with a list of classes, e.g. {_EXAMPLE}"
        return
    for key in sorted(map(str, set(content) - set(_KEYS))):
        yield f"unexpected key {key}: only classes, unknown and read_by are allowed"
    if content.get("read_by") not in (None, *_READINGS):
        yield f"read_by: {content['read_by']!r}: expected ids or colors"
    if not 2 <= len(content["classes"]) <= MAX_CLASSES:
        yield f"number of classes: {len(content['classes'])}: expected 2 to {MAX_CLASSES}"
    by_colors = is_read_by_colors(content)
    names: Owners = {}
    ids: Owners = {}
    colors: Owners = {}
    for number, entry in enumerate(content["classes"], 1):
        if not isinstance(entry, dict):
            yield f"class {number}: {entry!r}: expected e.g. {_EXAMPLE}"
            continue
        title = entry["name"] if isinstance(entry.get("name"), str) else f"class {number}"
        yield from _name_problems(number, title, entry, names)
        yield from _class_id_problems(title, entry, by_colors, ids)
        yield from _class_color_problems(title, entry, by_colors, colors)
    unknown = content.get("unknown")
    if unknown not in (None, OTHERS):
        yield from _unknown_problems(unknown, by_colors, ids, colors)


def reserved_names(content: Mapping[str, Any]) -> Iterator[str]:
    """Names that no class of a new file may have; records may have them."""
    for number, entry in enumerate(content["classes"], 1):
        if entry["name"] == UNKNOWN_NAME:
            yield (
                f"class {number}: name {UNKNOWN_NAME!r}: pixels without a class are called so: list its ids or colours "
                "under `unknown:` in the place of this class, or give it another name"
            )


def _name_problems(number: int, title: str, entry: dict[str, Any], names: Owners) -> Iterator[str]:
    """Problems of an entry's keys and name; `names` (casefolded) collects those of all entries."""
    name = entry.get("name")
    for key in sorted(map(str, set(entry) - {"name", "id", "ids", "color", "colors"})):
        yield f"{title}: unexpected key {key}: only name, id or ids, and color or colors are allowed"
    if not isinstance(name, str):
        yield f"class {number}: name {name!r}: expected text; use quotes if YAML reads it as another type"
    elif not name.strip() or name != name.strip() or not all(char.isalnum() or char in " _-." for char in name):
        yield f"class {number}: name {name!r}: expected letters, digits, spaces inside the name, '_', '-' and '.'"
    elif name.casefold() in names:
        yield f"class {number}: name {name!r}: another class has this name"
    else:
        names[name.casefold()] = title


def _class_id_problems(title: str, entry: dict[str, Any], by_colors: bool, owners: Owners) -> Iterator[str]:
    if "ids" in entry and "id" in entry:
        yield f"{title}: expected either id or ids, not both"
        return
    if by_colors and not ("ids" in entry or "id" in entry):
        return
    ids = entry["ids"] if "ids" in entry else [entry.get("id")]
    if ids == []:
        yield f"{title}: ids: expected one or more"
    elif not isinstance(ids, list):
        yield f"{title}: {ids!r}: expected a list of ids"
    else:
        for value in ids:
            yield from _id_problems(title, value, owners)


def _class_color_problems(title: str, entry: dict[str, Any], by_colors: bool, owners: Owners) -> Iterator[str]:
    if by_colors and "color" not in entry and "colors" not in entry:
        yield f'{title}: color: expected "#RRGGBB", since label images are read by the colours of the classes'
        return
    colors = entry["colors"] if "colors" in entry else [entry["color"]] if "color" in entry else []
    if not isinstance(colors, list) or ("colors" in entry and not colors):
        yield f"{title}: colors: {colors!r}: expected a list of colours"
        return
    if "color" in entry and entry["color"] not in colors:
        yield f"{title}: expected either color or colors, not both"
    for color in colors:
        if not _is_color(color):
            yield f"{title}: color {color!r}: expected {_COLOR}"
        elif by_colors:
            yield from _owned(f"{title}: color", color.upper(), title, owners)
        else:
            owners.setdefault(color.upper(), title)  # two classes may be shown in one colour


def _unknown_problems(unknown: Any, by_colors: bool, ids: Owners, colors: Owners) -> Iterator[str]:
    if not isinstance(unknown, list):
        yield f"unknown: {unknown!r}: expected a list of ids or colours, or others"
        return
    for value in unknown:
        if _is_color(value):
            yield from _owned("unknown: color", value.upper(), "unknown", colors)
        elif by_colors:
            yield f'unknown: {value!r}: expected "#RRGGBB", since label images are read by the colours of the classes'
        else:
            yield from _id_problems("unknown", value, ids)


def _id_problems(title: str, value: Any, owners: Owners) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_ID:
        yield f"{title}: id {value!r}: expected an integer from 0 to {MAX_ID}"
    else:
        yield from _owned(f"{title}: id", value, title, owners)


def _owned(what: str, value: Any, title: str, owners: Owners) -> Iterator[str]:
    if value in owners:
        yield f"{what} {value}: already used by {owners[value]}"
    else:
        owners[value] = title


def _is_color(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("#[0-9A-Fa-f]{6}", value) is not None
