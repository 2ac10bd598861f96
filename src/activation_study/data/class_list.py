"""The classes of `data=folder`: a YAML file, validated and converted to the form that is recorded.

    classes:
      - {name: sky, id: 0, color: "#88CCEE"}
      - {name: road, ids: [2, 17]}
    unknown: [255]

`id` and `ids` are values in the label images. `unknown` lists the values that are ignored in evaluation, or is `others`
for all values without a class. A class without a colour gets one that no other class has.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activation_study.errors import BadInput, problems_message
from activation_study.palette import class_colors

MAX_CLASSES = 127  # preprocessed labels are int8
MAX_ID = 65535
OTHERS = "others"
_MAX_BYTES = 1_000_000
_EXAMPLE = "{name: sky, id: 0}"

Classes = dict[str, Any]  # {"classes": [{"name": …, "ids": […], "color": "#RRGGBB"}, …], "unknown": […] or "others"}


def read_classes(path_or_content: Any) -> Classes:
    """The validated classes; a result of this function is returned unchanged.

    Args:
        path_or_content: the path of the YAML file, or its content.

    Raises:
        BadInput: lists all problems at once.
    """
    what, content = "The classes", path_or_content
    if isinstance(path_or_content, str):
        what, content = f"The classes in {path_or_content}", _read(Path(path_or_content))
    problems = list(_problems(content))
    if problems:
        raise BadInput(
            problems_message(f"{what} cannot be used", problems, "See docs/how-to/own-data.md for an example.")
        )
    entries = content["classes"]
    names = tuple(entry["name"] for entry in entries)
    colors = class_colors(names, [str(entry["color"]).upper() if "color" in entry else None for entry in entries])
    return {
        "classes": [
            {"name": entry["name"], "ids": _ids(entry), "color": color}
            for entry, color in zip(entries, colors, strict=True)
        ],
        "unknown": content.get("unknown") or [],
    }


def _read(path: Path) -> Any:
    import yaml

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput(f"{path}: larger than {_MAX_BYTES:,} bytes; expected a YAML file with a list of classes")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"data.classes={path}: {error.strerror}; expected a YAML file with a list of classes") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is not a valid YAML file: {' '.join(str(error).split())}") from error


def _ids(entry: dict[str, Any]) -> Any:
    return entry["ids"] if "ids" in entry else [entry.get("id")]


def _problems(content: Any) -> Iterator[str]:
    if not isinstance(content, dict) or not isinstance(content.get("classes"), list):
        yield f"expected `classes:` with a list of classes, e.g. {_EXAMPLE}"
        return
    for key in sorted(map(str, set(content) - {"classes", "unknown"})):
        yield f"unexpected key {key}: only classes and unknown are allowed"
    if not 2 <= len(content["classes"]) <= MAX_CLASSES:
        yield f"number of classes: {len(content['classes'])}: expected 2 to {MAX_CLASSES}"
    names: dict[str, str] = {}
    owners: dict[int, str] = {}
    for number, entry in enumerate(content["classes"], 1):
        if not isinstance(entry, dict):
            yield f"class {number}: {entry!r}: expected e.g. {_EXAMPLE}"
            continue
        yield from _class_problems(number, entry, names, owners)
    unknown = content.get("unknown") or []
    if unknown != OTHERS:
        yield from _id_problems("unknown", unknown, owners)


def _class_problems(number: int, entry: dict[str, Any], names: dict[str, str], owners: dict[int, str]) -> Iterator[str]:
    """Problems of one entry; `names` (casefolded) and `owners` of ids collect those of all entries."""
    name, color = entry.get("name"), entry.get("color")
    title = name if isinstance(name, str) else f"class {number}"
    for key in sorted(map(str, set(entry) - {"name", "id", "ids", "color"})):
        yield f"{title}: unexpected key {key}: only name, id or ids, and color are allowed"
    if not isinstance(name, str):
        yield f"class {number}: name {name!r}: expected text; use quotes if YAML reads it as another type"
    elif not name.strip() or name != name.strip() or not all(char.isalnum() or char in " _-." for char in name):
        yield f"class {number}: name {name!r}: expected letters, digits, spaces inside the name, '_', '-' and '.'"
    elif names.setdefault(name.casefold(), title) is not title:
        yield f"class {number}: name {name!r}: another class has this name"
    if "ids" in entry and "id" in entry:
        yield f"{title}: expected either id or ids, not both"
    elif _ids(entry) == []:
        yield f"{title}: ids: expected one or more"
    else:
        yield from _id_problems(title, _ids(entry), owners)
    if "color" in entry and not (isinstance(color, str) and re.fullmatch("#[0-9A-Fa-f]{6}", color)):
        yield f'{title}: color {color!r}: expected "#RRGGBB", in quotes'


def _id_problems(title: str, ids: Any, owners: dict[int, str]) -> Iterator[str]:
    if not isinstance(ids, list):
        yield f"{title}: {ids!r}: expected a list of ids"
        return
    for value in ids:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_ID:
            yield f"{title}: id {value!r}: expected an integer from 0 to {MAX_ID}"
        elif value in owners:
            yield f"{title}: id {value}: already used by {owners[value]}"
        else:
            owners[value] = title
