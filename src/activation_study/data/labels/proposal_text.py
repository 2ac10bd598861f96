"""The text of a proposed `classes.yaml`, with the share of each id or colour in comments."""

import json
from collections.abc import Iterator
from pathlib import Path

import yaml

from activation_study.data.labels.class_names import class_name
from activation_study.data.labels.class_problems import UNKNOWN_NAME
from activation_study.data.labels.common_colors import nearest_name
from activation_study.data.labels.label_values import BLACK, VOID, LabelValues
from activation_study.data.labels.packed_color import to_hex
from activation_study.errors import counted, percentage

MANY_EDGES = 0.02  # share of all pixels
_NAMED = 5


def proposal_text(command: str, labels: Path, count: int, values: LabelValues) -> str:
    """The YAML file.

    Args:
        command: that proposes it.
        labels: their folder.
        count: their number.
        values: their ids or colours.
    """
    lines = [
        f"# Proposed by {command} from {counted(count, 'label')} in {labels}. Check the names, and move what is",
        f"# not a class to unknown. Comments: share of all pixels, and number of labels that have the {values.noun}.",
        "classes:",
        *_classes(values),
        *_absent(values),
        *_unknown(values),
    ]
    return "\n".join(lines) + "\n"


def _classes(values: LabelValues) -> Iterator[str]:
    taken = {UNKNOWN_NAME}
    for number, value in enumerate(values.classes):
        color = values.color(value)
        name = class_name(values.names.get(-1 if color is None else color), number, taken)
        parts = [f"name: {_in_yaml(name)}"]
        parts += [] if values.by_colors else [f"id: {value}"]
        parts += [] if color is None else [f'color: "{to_hex(color)}"']
        yield f"  - {{{', '.join(parts)}}} # {'; '.join(_hints(values, value))}"


def _in_yaml(name: str) -> str:
    """The name, in quotes unless YAML reads it as this text without: `on`, `no` and `null` are something else."""
    is_plain = name.isidentifier() and yaml.safe_load(name) == name
    return name if is_plain else json.dumps(name, ensure_ascii=False)


def _hints(values: LabelValues, value: int) -> Iterator[str]:
    """What helps to name a class, or to see that it is none."""
    found, color = values.kept[value], values.color(value)
    yield values.share(found)
    if color is not None and color not in values.names:
        yield "black is often unknown" if values.by_colors and color == BLACK else nearest_name(color)
    elif value == VOID and not values.by_colors:
        yield "255 is often unknown"
    if values.is_rare(found):
        yield "rare: is it a class?"


def _absent(values: LabelValues) -> Iterator[str]:
    """The colours of the list beside the labels that no label has."""
    for color, name in values.names.items():
        if values.by_colors and color not in values.kept:
            yield f'  # - {{name: {json.dumps(name, ensure_ascii=False)}, color: "{to_hex(color)}"}} # in no label'


def _unknown(values: LabelValues) -> Iterator[str]:
    if values.void is None:
        reason = ""
    else:
        usual = "rare black" if values.by_colors else values.shown(values.void)
        reason = f"{values.share(values.kept[values.void])}; {usual} usually means unknown"
    if values.edges:
        if values.void is not None:
            yield f"# {values.shown(values.void)}: {reason}, as others do"
        yield from _edges(values)
    elif values.void is not None:
        yield f"unknown: [{values.shown(values.void)}] # {reason}"
    else:
        example = '"#000000"' if values.by_colors else "255"
        yield f"unknown: [] # e.g. [{example}]; or `others`: everything that no class has"


def _edges(values: LabelValues) -> Iterator[str]:
    share = sum(found.pixels for found in values.edges.values()) / values.pixels
    if share > MANY_EDGES:
        yield "# So many smoothed edges come from JPEG or resizing: better export the labels again without these."
    most = sorted(values.edges, key=lambda value: -values.edges[value].pixels)
    listed = ", ".join(values.shown(value).strip('"') for value in most[:_NAMED])
    number = counted(len(most), values.noun)
    yield (
        f"unknown: others # {number} that look like smoothed edges, {percentage(share)}: "
        f"{listed}{', …' if len(most) > _NAMED else ''}"
    )
