"""The classes of `data=folder`: a YAML file, validated and converted to the form that is recorded.

    classes:
      - {name: sky, id: 0, color: "#88CCEE"}
      - {name: road, ids: [2, 17]}
    unknown: [255]

`id` and `ids` are values in the label images. `unknown` lists the values that are ignored in evaluation, or is `others`
for all values without a class. A class without a colour gets one that no other class has.

Where no class has an id, label images are read by the colours of the classes, `color` or `colors`, and `unknown` lists
colours. A colour is "#RRGGBB" or [red, green, blue]. `read_by: ids` or `read_by: colors` decides for images that can be
read in both ways.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from activation_study.data.labels.class_problems import OTHERS, class_problems, is_read_by_colors, reserved_names
from activation_study.errors import BadInput, problems_message
from activation_study.location import command
from activation_study.palette import class_colors, is_generated_color

_MAX_BYTES = 1_000_000
_BARE_COLOR = re.compile(r"""(color|colors|unknown):(?:[^#\n]|["']#)*(?<!["'])#[0-9A-Fa-f]{6}""")
_DECIMAL = re.compile("[-+]?(0|[1-9][0-9]*)")
_EXPECTED = "expected a YAML file with a list of classes"

# {"classes": [{"name": …, "ids": […], "color": "#RRGGBB"}, …], "unknown": […] or "others"}; where they are given also
# "read_by", and the "colors" of a class that has several.
Classes = dict[str, Any]


def read_classes(path_or_content: Any) -> Classes:
    """The validated classes; a result of this function is returned unchanged.

    Args:
        path_or_content: the path of the YAML file, or its content.

    Raises:
        BadInput: lists all problems at once.
    """
    what, content, is_recorded = "The classes", path_or_content, True
    if isinstance(path_or_content, str):
        what, content, is_recorded = f"The classes in {path_or_content}", _read(Path(path_or_content)), False
    content = _with_hex_colors(content)
    problems = list(class_problems(content))
    if not problems and not is_recorded:
        problems = list(reserved_names(content))
    if problems:
        raise BadInput(
            problems_message(f"{what} cannot be used", problems, "See docs/how-to/own-data.md for an example.")
        )
    entries = content["classes"]
    chosen = [_mask_colors(entry) for entry in entries]
    colors = class_colors([entry["name"] for entry in entries], [each[0] if each else None for each in chosen])
    unknown = [] if content.get("unknown") is None else content["unknown"]
    read_by = "colors" if is_read_by_colors(content) else content.get("read_by")
    classes = {
        **({"read_by": read_by} if read_by else {}),
        "classes": [
            {"name": entry["name"], "ids": _ids(entry, index), "color": color}
            | ({"colors": several} if len(several) > 1 or (is_recorded and "colors" in entry) else {})
            for index, (entry, color, several) in enumerate(zip(entries, colors, chosen, strict=True))
        ],
        "unknown": unknown if unknown == OTHERS else [_upper(value) for value in unknown],
    }
    if not is_recorded:
        for entry, given, found in zip(classes["classes"], chosen, declared_colors(classes), strict=True):
            if given and not found:
                entry["colors"] = given
    return classes


def declared_colors(classes: Classes) -> list[list[str]]:
    """The colours by which each class can be found in label images; none for one whose colour was chosen for it.

    The recorded form has `colors` where the program would have chosen the one that a file gives, too.
    """
    entries, by_colors = classes["classes"], classes.get("read_by") == "colors"
    given = [None if is_generated_color(entry["color"], entry["name"]) else entry["color"] for entry in entries]
    chosen = class_colors([entry["name"] for entry in entries], given)
    return [
        entry.get("colors", [entry["color"]])
        if by_colors or "colors" in entry or color or entry["color"] != other
        else []
        for entry, color, other in zip(entries, given, chosen, strict=True)
    ]


class _Loader(yaml.SafeLoader):
    """Refuses what YAML silently reads as something else: the last of several equal keys, and 010 as 8."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for position, (key, _) in enumerate(node.value):
            if key.value in keys[:position]:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is given twice", key.start_mark)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        number = super().construct_yaml_int(node)
        if not _DECIMAL.fullmatch(node.value):
            problem = f"{node.value} is {number} in YAML: expected a number without leading zeros"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return int(number)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _read(path: Path) -> Any:
    text = ""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadInput(f"{path}: larger than {_MAX_BYTES:,} bytes; {_EXPECTED}")
        text = path.read_text(encoding="utf-8")
        return _Loader(text).get_single_data()
    except FileNotFoundError as error:
        proposal = f"`{command('inspect')} … write_classes={path}` proposes one from the label images"
        raise BadInput(f"data.classes={path}: {error.strerror}; {_EXPECTED}; {proposal}") from error
    except OSError as error:
        raise BadInput(f"data.classes={path}: {error.strerror}; {_EXPECTED}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = _mend(text) or f": {' '.join(str(error).split())}"
        raise BadInput(f"{path} is not a valid YAML file{reason}") from error


def _mend(text: str) -> str:
    """What to do about a text that is no YAML, if the reason is a usual one."""
    if _BARE_COLOR.search(text):
        return ': put colours in quotes, "#RRGGBB", since # starts a comment'
    return ""


def _with_hex_colors(content: Any) -> Any:
    """The content with "#RRGGBB" in the place of each [red, green, blue]; anything else stays, also what is wrong."""
    if not isinstance(content, dict):
        return content
    result = dict(content)
    if isinstance(content.get("classes"), list):
        result["classes"] = [_entry_with_hex(entry) for entry in content["classes"]]
    if isinstance(content.get("unknown"), list):
        result["unknown"] = [_hex(value) for value in content["unknown"]]
    return result


def _entry_with_hex(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    result = dict(entry)
    if "color" in entry:
        result["color"] = _hex(entry["color"])
    if isinstance(entry.get("colors"), list):
        result["colors"] = [_hex(color) for color in entry["colors"]]
    return result


def _hex(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 3 and all(type(each) is int and 0 <= each <= 255 for each in value):
        return "#{:02X}{:02X}{:02X}".format(*value)
    return value


def _ids(entry: Mapping[str, Any], index: int) -> list[int]:
    """The ids of a class; of one that has only colours, its position."""
    ids: list[int] = entry["ids"] if "ids" in entry else [entry.get("id", index)]
    return ids


def _mask_colors(entry: Mapping[str, Any]) -> list[str]:
    several = entry["colors"] if "colors" in entry else [entry["color"]] if "color" in entry else []
    return [color.upper() for color in several]


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value
