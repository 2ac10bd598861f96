"""The classes of a data set of one's own: a YAML file, checked and in a form that a record keeps.

    classes:
      - {name: sky, id: 0, color: "#88CCEE"}
      - {name: road, ids: [2, 17]}
    unknown: [255]

`id` and `ids` are values of the label images; `unknown` are those that no one learns or is scored on, or `others` for
all that no class has. Without a colour a class takes one that the others leave.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activation_study.errors import BadInput, problems_message
from activation_study.palette import class_colors

MOST_CLASSES = 127  # a prepared label is int8
LARGEST_ID = 65535
OTHERS = "others"
_MAX_BYTES = 1_000_000
_EXAMPLE = "{name: sky, id: 0}"

Classes = dict[str, Any]  # {"classes": [{"name": …, "ids": […], "color": "#RRGGBB"}, …], "unknown": […] or "others"}


def read_classes(given: Any) -> Classes:
    """The classes of a file, or of a record that has them already.

    Args:
        given: the file's path, or its content.

    Raises:
        BadInput: with all faults at once.
    """
    where = "The classes"
    if isinstance(given, str):
        where, given = f"The classes in {given}", _read(Path(given))
    problems = list(_problems(given))
    if problems:
        raise BadInput(problems_message(f"{where} cannot be used", problems, "docs/OWN_DATA.md shows such a file."))
    names = tuple(each["name"] for each in given["classes"])
    chosen = [str(each["color"]).upper() if "color" in each else None for each in given["classes"]]
    colors = class_colors(names, chosen)
    return {
        "classes": [
            {"name": each["name"], "ids": _ids(each), "color": color}
            for each, color in zip(given["classes"], colors, strict=True)
        ],
        "unknown": given.get("unknown") or [],
    }


def _read(path: Path) -> Any:
    import yaml

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput(f"{path}: larger than {_MAX_BYTES:,} bytes; expected a YAML file of classes")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"data.classes={path}: {error.strerror}; expected a YAML file of classes") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is no YAML file: {' '.join(str(error).split())}") from error


def _ids(given: dict[str, Any]) -> Any:
    return given["ids"] if "ids" in given else [given.get("id")]


def _problems(given: Any) -> Iterator[str]:
    if not isinstance(given, dict) or not isinstance(given.get("classes"), list):
        yield f"expected `classes:` with a list of classes, e.g. {_EXAMPLE}"
        return
    for key in sorted(map(str, set(given) - {"classes", "unknown"})):
        yield f"{key}: expected nothing but classes and unknown"
    if not 2 <= len(given["classes"]) <= MOST_CLASSES:
        yield f"{len(given['classes'])} classes: expected 2 to {MOST_CLASSES}"
    names: dict[str, str] = {}
    owners: dict[int, str] = {}
    for number, each in enumerate(given["classes"], 1):
        if not isinstance(each, dict):
            yield f"class {number}: {each!r}: expected e.g. {_EXAMPLE}"
            continue
        yield from _class_problems(number, each, names, owners)
    unknown = given.get("unknown") or []
    if unknown != OTHERS:
        yield from _id_problems("unknown", unknown, owners)


def _class_problems(number: int, each: dict[str, Any], names: dict[str, str], owners: dict[int, str]) -> Iterator[str]:
    name = each.get("name")
    title = name if isinstance(name, str) else f"class {number}"
    for key in sorted(map(str, set(each) - {"name", "id", "ids", "color"})):
        yield f"{title}: {key}: expected name, id or ids, color"
    if not isinstance(name, str):
        yield f"class {number}: name: {name!r}: expected text; in quotes where YAML sees something else"
    elif not name.strip() or name != name.strip() or not all(sign.isalnum() or sign in " _-." for sign in name):
        yield f"class {number}: name {name!r}: expected letters, digits, blanks, '_', '-' and '.'"
    elif names.setdefault(name.casefold(), title) is not title:
        yield f"class {number}: name {name!r}: there is one of that name already"
    if "ids" in each and "id" in each:
        yield f"{title}: expected id or ids, not both"
    elif _ids(each) == []:
        yield f"{title}: ids: expected one or more"
    else:
        yield from _id_problems(title, _ids(each), owners)
    if "color" in each and not (isinstance(each["color"], str) and re.fullmatch("#[0-9A-Fa-f]{6}", each["color"])):
        yield f'{title}: color {each["color"]!r}: expected "#RRGGBB", in quotes'


def _id_problems(title: str, ids: Any, owners: dict[int, str]) -> Iterator[str]:
    if not isinstance(ids, list):
        yield f"{title}: {ids!r}: expected a list of ids"
        return
    for each in ids:
        if not isinstance(each, int) or isinstance(each, bool) or not 0 <= each <= LARGEST_ID:
            yield f"{title}: id {each!r}: expected a number from 0 to {LARGEST_ID}"
        elif each in owners:
            yield f"{title}: id {each}: it is {owners[each]}'s already"
        else:
            owners[each] = title
