"""A proposal of `classes.yaml` from the label images alone: their ids or colours, and the share of each."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.class_names import color_names
from activation_study.data.labels.class_problems import MAX_CLASSES
from activation_study.data.labels.label_image import LabelImage, read_label_image
from activation_study.data.labels.label_values import LabelValues, Value
from activation_study.data.labels.packed_color import GREY, channels, is_grey
from activation_study.data.labels.proposal_text import proposal_text
from activation_study.data.verification import WORKERS, error_reason, printable_path
from activation_study.errors import BadInput, counted, problems_message

RARE = 0.01  # share of all pixels below which a value that forms no area is an edge
FEW = 64  # ids or colours that may all be classes, edges apart
BLEND_DISTANCE = 12.0  # from the line between two colours
ARTEFACT_DISTANCE = 24.0  # of one of many colours from one that is ARTEFACT_RATIO times as frequent
ARTEFACT_RATIO = 2
_KEPT = 4096  # values of one label, the most frequent ones


@dataclass(frozen=True)
class Proposal:
    """A proposed list of classes.

    Args:
        text: of the YAML file.
        classes: its number of classes.
        read_by: `ids` or `colors`.
        set_apart: the number of values that are proposed as unknown, because they look like edges.
    """

    text: str
    classes: int
    read_by: str
    set_apart: int


def propose_classes(labels: Path, paths: Sequence[Path], command: str) -> Proposal:
    """Reads all label images and proposes their classes.

    Args:
        labels: their folder; a list of names may lie in it or beside it.
        paths: of the label images.
        command: named in the file as its author.

    Raises:
        BadInput: some labels cannot be read, or their values are no classes.
    """
    ids: dict[int, Value] = defaultdict(Value)
    colors: dict[int, Value] = defaultdict(Value)
    problems, indexed, by_colors = [], 0, False
    with ThreadPoolExecutor(WORKERS) as pool:
        for path, found in zip(paths, pool.map(_values, paths), strict=True):
            if isinstance(found, str):
                problems.append(f"{printable_path(str(path))}: {found}")
                continue
            image, distinct = found
            indexed += image.palette is not None
            by_colors |= image.is_color and not all(map(is_grey, distinct))
            for value, (pixels, area) in distinct.items():
                color = _color(image, value)
                number = value & 255 if image.is_color else value
                ids[number].add(pixels, area)
                if color is not None:
                    colors[color].add(pixels, area)
                if image.palette is not None and color is not None:
                    ids[number].colors.add(color)
    if problems:
        raise BadInput(problems_message("Label images cannot be read", problems, "Fix or remove these files."))
    by_colors |= any(len(value.colors) > 1 for value in ids.values())  # each file has a palette of its own
    values = colors if by_colors else ids
    edges = _edges(values, by_colors)
    kept = {value: found for value, found in values.items() if value not in edges}
    if len(values) < 2 or len(kept) > MAX_CLASSES:
        what = "colours" if by_colors else "ids"
        raise BadInput(
            f"data.labels={labels}: {counted(len(kept), what[:-1])} in {counted(len(paths), 'label')}; expected 2 to "
            f"{MAX_CLASSES} {what}. Are these the images, or instance ids?"
        )
    palette = {} if by_colors or indexed < len(paths) else _palette(kept)
    found_values = LabelValues(by_colors, kept, edges, color_names(labels), palette)
    text = proposal_text(command, labels, len(paths), found_values)
    return Proposal(text, len(found_values.classes), "colors" if by_colors else "ids", len(edges))


def _values(path: Path) -> tuple[LabelImage, dict[int, tuple[int, bool]]] | str:
    """A label image with its most frequent values: pixels, and whether they form an area; or why there is none."""
    try:
        image = read_label_image(path.read_bytes())
    except (OSError, ValueError) as error:
        return error_reason(error)
    distinct, counts = np.unique(image.values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_KEPT]
    areas = set(np.unique(_areas(image.values)).tolist())
    without_pixels = replace(image, values=np.empty((0, 0), np.int32))  # many labels wait here at once
    return without_pixels, {int(distinct[each]): (int(counts[each]), int(distinct[each]) in areas) for each in order}


def _areas(values: NDArray[np.int32]) -> NDArray[np.int32]:
    """The values of all pixels whose eight neighbours are equal to them."""
    rows = (values[:, 1:-1] == values[:, :-2]) & (values[:, 1:-1] == values[:, 2:])
    middle = values[1:-1, 1:-1]
    whole = rows[1:-1] & rows[:-2] & rows[2:] & (middle == values[:-2, 1:-1]) & (middle == values[2:, 1:-1])
    return middle[whole]


def _color(image: LabelImage, value: int) -> int | None:
    if image.is_color:
        return value
    if image.palette is not None:
        return int(image.palette[value]) if value < len(image.palette) else None
    return value * (255 // image.white) * GREY if image.white is not None and image.white <= 255 else None


def _edges(values: Mapping[int, Value], by_colors: bool) -> dict[int, Value]:
    """The values that are no classes but edges: smoothed, resized or stored as JPEG on the way."""
    total = sum(found.pixels for found in values.values())
    rare = {value for value, found in values.items() if not found.area and found.pixels < RARE * total}
    if not by_colors:
        return {value: values[value] for value in sorted(rare)} if len(values) > FEW else {}
    frequent = sorted(values.keys() - rare, key=lambda value: -values[value].pixels)[:MAX_CLASSES]
    artefacts = {value for value in values if len(values) > FEW and _is_artefact(value, values, frequent)}
    solid = np.array([channels(value) for value in frequent if value not in artefacts], np.float64).reshape(-1, 3)
    blends = rare if len(values) > FEW else {value for value in rare if _is_blend(channels(value), solid)}
    return {value: values[value] for value in sorted(artefacts | blends)}


def _is_artefact(value: int, values: Mapping[int, Value], frequent: Sequence[int]) -> bool:
    return any(
        values[other].pixels >= ARTEFACT_RATIO * values[value].pixels
        and np.linalg.norm(channels(value) - channels(other)) <= ARTEFACT_DISTANCE
        for other in frequent
        if other != value
    )


def _is_blend(color: NDArray[np.float64], solid: NDArray[np.float64]) -> bool:
    """Whether a colour is near the line between two others."""
    if len(solid) < 2:
        return False
    first, second = np.triu_indices(len(solid), 1)
    start, direction = solid[first], solid[second] - solid[first]
    lengths = np.maximum((direction**2).sum(axis=1), 1)
    along = np.clip(((color - start) * direction).sum(axis=1) / lengths, 0, 1)[:, None]
    return bool(np.linalg.norm(start + along * direction - color, axis=1).min() <= BLEND_DISTANCE)


def _palette(values: Mapping[int, Value]) -> dict[int, int]:
    """The colour of each id; empty if the palette is grey or has a colour twice."""
    found = {value: next(iter(each.colors)) for value, each in values.items() if each.colors}
    return {} if all(map(is_grey, found.values())) or len(set(found.values())) < len(values) else found
