"""The text of a proposed `classes.yaml`, with the share of each id or colour in comments."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from activation_study.data.labels.class_names import class_name
from activation_study.data.labels.common_colors import nearest_name
from activation_study.data.labels.packed_color import to_hex
from activation_study.errors import counted, percentage

VOID = 255  # the usual id of unknown pixels
BLACK = 0  # their usual colour
RARE_CLASS = 0.001  # share of all pixels below which a class is hardly learnt
MANY_EDGES = 0.02  # share of all pixels
_NAMED = 5


@dataclass
class Value:
    """An id or a colour in the labels.

    Args:
        pixels: in all labels.
        labels: that have it.
        area: whether there are 3 × 3 pixels of it somewhere, which edges do not have.
        colors: of an id in indexed images: its colours in their palettes.
    """

    pixels: int = 0
    labels: int = 0
    area: bool = False
    colors: set[int] = field(default_factory=set)

    def add(self, pixels: int, area: bool) -> None:
        """Adds a label."""
        self.pixels, self.labels, self.area = self.pixels + pixels, self.labels + 1, self.area or area


def void_of(
    values: Mapping[int, Value], edges: Mapping[int, Value], names: Mapping[int, str], by_colors: bool
) -> int | None:
    """The value that usually means unknown: the id 255, or rare black without a name; None if there is none.

    Args:
        values: all ids or colours.
        edges: those that are no classes.
        names: of colours, from a list beside the labels.
        by_colors: whether the values are colours.
    """
    kept = values.keys() - edges.keys()
    if len(kept) <= 2:
        return None
    if by_colors:
        total = sum(found.pixels for found in values.values())
        return BLACK if BLACK in kept - names.keys() and values[BLACK].pixels < RARE_CLASS * total else None
    return VOID if VOID in kept and sorted(kept)[-2] < VOID - 1 else None


def proposal_text(
    command: str,
    labels: Path,
    count: int,
    kept: Mapping[int, Value],
    edges: Mapping[int, Value],
    void: int | None,
    names: Mapping[int, str],
    palette: Mapping[int, int],
    by_colors: bool,
) -> str:
    """The YAML file.

    Args:
        command: that proposes it.
        labels: their folder.
        count: their number.
        kept: the values that are proposed as classes or as unknown.
        edges: the values that look like edges.
        void: see `void_of`.
        names: of colours, from a list beside the labels.
        palette: the colour of each id, if the labels tell.
        by_colors: whether the values are colours.
    """
    total = sum(found.pixels for found in (*kept.values(), *edges.values()))
    lines = [
        f"# Proposed by {command} from {counted(count, 'label')} in {labels}. Check the names, and move what is",
        "# not a class to unknown. Comments: share of all pixels, and number of labels that have the "
        + ("colour." if by_colors else "id."),
        "classes:",
    ]
    taken: set[str] = set()
    for value in sorted(kept, key=lambda value: -kept[value].pixels) if by_colors else sorted(kept):
        if value == void:
            continue
        color = value if by_colors else palette.get(value)
        name = class_name(names.get(-1 if color is None else color), len(taken), taken)
        parts = [f"name: {json.dumps(name, ensure_ascii=False) if not name.isidentifier() else name}"]
        parts += [] if by_colors else [f"id: {value}"]
        parts += [] if color is None else [f'color: "{to_hex(color)}"']
        hints = [_share(kept[value], total)]
        if by_colors and value == BLACK and value not in names:
            hints.append("black is often unknown")
        elif color is not None and color not in names:
            hints.append(nearest_name(color))
        if kept[value].pixels < RARE_CLASS * total:
            hints.append("rare: is it a class?")
        lines.append(f"  - {{{', '.join(parts)}}} # {'; '.join(hints)}")
    absent = [(color, name) for color, name in names.items() if by_colors and color not in kept]
    lines += [f'  # - {{name: {json.dumps(name)}, color: "{to_hex(color)}"}} # in no label' for color, name in absent]
    shown = "" if void is None else f'"{to_hex(void)}"' if by_colors else str(void)
    usual = "rare black usually means unknown" if by_colors else f"{shown} usually means unknown"
    if edges:
        if void is not None:
            lines.append(f"# {shown}: {_share(kept[void], total)}; {usual}, as others do")
        pixels = sum(found.pixels for found in edges.values())
        most = sorted(edges, key=lambda value: -edges[value].pixels)[:_NAMED]
        listed = ", ".join(to_hex(value) if by_colors else str(value) for value in most)
        noun = "colour" if by_colors else "id"
        if pixels > MANY_EDGES * total:
            lines.append(
                "# So many smoothed edges come from JPEG or resizing: better export the labels again without these."
            )
        lines.append(
            f"unknown: others # {counted(len(edges), noun)} that look like smoothed edges, "
            f"{percentage(pixels / total)}: {listed}{', …' if len(edges) > _NAMED else ''}"
        )
    elif void is not None:
        lines.append(f"unknown: [{shown}] # {_share(kept[void], total)}; {usual}")
    else:
        example = '"#000000"' if by_colors else "255"
        lines.append(f"unknown: [] # e.g. [{example}]; or `others`: everything that no class has")
    return "\n".join(lines) + "\n"


def _share(found: Value, total: int) -> str:
    return f"{percentage(found.pixels / total)}, {counted(found.labels, 'label')}"
