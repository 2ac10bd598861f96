"""What of one label image concerns the data set as a whole: values that are not declared, and how it can be read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.label_image import LabelImage
from activation_study.data.labels.label_types import COLOR, NO_CLASS, LabelType
from activation_study.data.labels.packed_color import GREY

_KEPT = 256  # undeclared values of one file, the most frequent ones


@dataclass(frozen=True)
class LabelFacts:
    """What `LabelTally` counts of one label image, all in pixels.

    Args:
        pixels: of the image.
        by_color: whether it is read by colours.
        colors_found: whether its colours, as such, are those of a class.
        undeclared_pixels: with values that are not declared.
        undeclared: the most frequent of these raw values.
        distinct: all of them, each once.
        indexed: of an indexed image that is read by ids: (index, its colour in the palette).
        two_readings: of an image that can be read in two ways: (colour, class by id, class by colour) that differ.
    """

    pixels: int
    by_color: bool
    colors_found: bool
    undeclared_pixels: int
    undeclared: dict[int, int]
    distinct: NDArray[np.int32]
    indexed: dict[tuple[int, int], int]
    two_readings: dict[tuple[int, int, int], int]


def label_facts(label_type: LabelType, image: LabelImage, raw: NDArray[np.int32]) -> LabelFacts:
    """What of a label image concerns the data set as a whole.

    Args:
        label_type: own classes.
        image: the label image.
        raw: its `label_type.raw` values.
    """
    classes = label_type.classes_of(raw)
    by_color = bool(raw.size and raw.flat[0] >= COLOR)
    undeclared = raw[classes == NO_CLASS]
    indexed: dict[tuple[int, int], int] = {}
    if image.palette is not None and not by_color:
        counts = np.bincount(raw.ravel())
        used = np.flatnonzero(counts[: len(image.palette)])
        indexed = {(int(value), int(image.palette[value])): int(counts[value]) for value in used}
    two_readings, found_colors_of_grey = _two_readings(label_type, image)
    return LabelFacts(
        pixels=raw.size,
        by_color=by_color,
        colors_found=found_colors_of_grey or (by_color and bool((classes >= 0).any())),
        undeclared_pixels=len(undeclared),
        undeclared=_most_frequent_values(undeclared),
        distinct=np.unique(undeclared),
        indexed=indexed,
        two_readings=two_readings,
    )


def undeclared_shares(label_type: LabelType, labels: Iterable[NDArray[np.int32]]) -> dict[int, float]:
    """The most frequent values without a class that are unknown, with their shares of all pixels, in this order.

    Args:
        label_type: own classes.
        labels: `LabelType.raw` values.
    """
    found: dict[int, int] = defaultdict(int)
    total = 0
    for raw in labels:
        total += raw.size
        for value, pixels in _most_frequent_values(raw[label_type.classes_of(raw) < 0]).items():
            found[value] += pixels
    return {value: found[value] / total for value in sorted(found, key=lambda value: -found[value])}


def _two_readings(label_type: LabelType, image: LabelImage) -> tuple[dict[tuple[int, int, int], int], bool]:
    """Grey values of a colour image whose classes by ids and by colours differ; whether a colour is that of a class.

    None if one of the readings is not possible.
    """
    if label_type.read_by or not image.is_color or not any(label_type.mask_colors) or (ids := image.ids()) is None:
        return {}, False
    counts = np.bincount(ids.ravel())
    grey = np.flatnonzero(counts)
    by_ids, by_colors = label_type.readings_of_grey(grey)
    if min(by_ids.min(), by_colors.min()) == NO_CLASS:
        return {}, False
    differing = np.flatnonzero(by_ids != by_colors)
    return {
        (int(grey[each]) * GREY, int(by_ids[each]), int(by_colors[each])): int(counts[grey[each]]) for each in differing
    }, bool((by_colors >= 0).any())


def _most_frequent_values(values: NDArray[np.int32]) -> dict[int, int]:
    distinct, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_KEPT]
    return dict(zip(distinct[order].tolist(), counts[order].tolist(), strict=True))
