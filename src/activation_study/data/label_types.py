"""Label types: their classes, the training targets they define, and the resizing of targets."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config
from activation_study.data.class_list import MAX_ID, OTHERS
from activation_study.data.nearest import resize_nearest
from activation_study.palette import class_colors

UNKNOWN = -1
_UNDECLARED = -2
LabelInterpolation = Literal["bilinear", "nearest"]

_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True)
class LabelType:
    """The meaning of a label matrix: the names of its classes, and the target that a network learns.

    Args:
        name: `regions`, `surfaces` or `layers`, which is also part of the label files' names; or `own`.
        classes: the names of the classes. A class id is an index into it; −1 means unknown.
        border_width: pixels on each side of a border that belong to the class border; used by `layers` only.
        ids: for `own`, the values of each class in the label images.
        unknown: for `own`, the values of unknown pixels; None if all values without a class are unknown.
        colors: for `own`, the colour of each class as "#RRGGBB".
    """

    name: str
    classes: tuple[str, ...]
    border_width: int = 2
    ids: tuple[tuple[int, ...], ...] = ()
    unknown: tuple[int, ...] | None = ()
    colors: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Identifies the targets among all that can be made from the same data set."""
        if self.ids:
            meaning = repr((self.ids, self.unknown)).encode()
            return f"{self.name}-{hashlib.sha256(meaning).hexdigest()[:8]}"
        return f"{self.name}{self.border_width}" if self.name == "layers" else self.name

    @cached_property
    def _class_of_value(self) -> NDArray[np.int16]:
        table = np.full(MAX_ID + 1, UNKNOWN if self.unknown is None else _UNDECLARED, np.int16)
        table[list(self.unknown or ())] = UNKNOWN
        for class_id, values in enumerate(self.ids):
            table[list(values)] = class_id
        return table

    def target(self, raw: NDArray[Any]) -> NDArray[np.int16]:
        """Class ids at the label's original size, int16 [height, width], −1 = unknown.

        The values of `regions` and `surfaces` are class ids already. Those of `layers` number the regions of one image,
        so their target is `border_map(raw, border_width)`. Those of `own` are mapped to classes by `ids`.
        """
        if self.ids:
            return np.maximum(self._class_of_value[raw], UNKNOWN)
        return border_map(raw, self.border_width) if self.name == "layers" else raw

    def undeclared(self, raw: NDArray[Any]) -> NDArray[np.bool_]:
        """For `own`: where the label image has a value that belongs to no class and is not declared unknown."""
        return self._class_of_value[raw] == _UNDECLARED


LABEL_TYPES = {
    label_type.name: label_type
    for label_type in (
        LabelType("regions", ("sky", "tree", "road", "grass", "water", "building", "mountain", "foreground object")),
        LabelType("surfaces", ("sky", "horizontal", "vertical")),
        LabelType("layers", ("interior", "border")),
    )
}


def label_type_of(config: Config) -> LabelType:
    """The configured label type; for `own`, with the classes of `data.classes`."""
    declared = config.data.classes
    if declared is not None:
        return LabelType(
            config.label_type.name,
            classes=tuple(entry["name"] for entry in declared["classes"]),
            ids=tuple(tuple(entry["ids"]) for entry in declared["classes"]),
            unknown=None if declared["unknown"] == OTHERS else tuple(declared["unknown"]),
            colors=tuple(entry["color"] for entry in declared["classes"]),
        )
    known = LABEL_TYPES[config.label_type.name]
    return LabelType(
        known.name, known.classes, config.label_type.border_width, colors=tuple(class_colors(known.classes))
    )


def border_map(ids: NDArray[np.int16], width: int) -> NDArray[np.int16]:
    """Where regions meet: 1 = border, 0 = interior, −1 = unknown; int16 [height, width].

    A pixel is border if any pixel at most `width` rows and columns away (Chebyshev distance: a square neighbourhood)
    has another id. The edge pixels of the image are replicated, so its edge is no border. Unknown pixels (negative)
    stay unknown and do not make their neighbours border.
    """
    import cv2

    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    unknown = ids < 0
    without_unknown = np.where(unknown, _INT16.max, ids).astype(np.int16) if unknown.any() else ids
    smallest = cv2.erode(without_unknown, square, borderType=cv2.BORDER_REPLICATE)
    largest = cv2.dilate(ids, square, borderType=cv2.BORDER_REPLICATE)
    return np.where(unknown, UNKNOWN, smallest != largest).astype(np.int16)


def resize_label(
    target: NDArray[np.int16], size: tuple[int, int], interpolation: LabelInterpolation
) -> NDArray[np.int8]:
    """The target at another size: int8 [height, width], −1 = unknown.

    Args:
        target: class ids [rows, columns], at most 127; negative = unknown.
        size: (height, width) of the result.
        interpolation: `bilinear`, as in the article: the ids are interpolated as float64, and a pixel whose value is
            then negative or not exactly a class id becomes unknown. Interpolation between the ids 0 and 2 can produce
            a 1, an error of the article that is kept. `nearest` is `resize_nearest`. The target of `layers` must be
            resized by `nearest` (see `interpolation_for`).

    Raises:
        ValueError: an id above 127, or another interpolation.
    """
    import cv2

    height, width = size
    if target.size and target.max() > np.iinfo(np.int8).max:
        raise ValueError(f"class id {target.max()} does not fit into int8: expected ids up to 127")
    if interpolation == "nearest":
        return np.maximum(resize_nearest(target, size), UNKNOWN).astype(np.int8)
    if interpolation != "bilinear":
        raise ValueError(f"interpolation {interpolation!r} of labels: expected 'bilinear' or 'nearest'")
    interpolated = cv2.resize(target.astype(np.float64), (width, height), interpolation=cv2.INTER_LINEAR)
    ids = np.maximum(interpolated, UNKNOWN).astype(np.int8)
    ids[(ids != interpolated) | (ids < 0)] = UNKNOWN
    return ids


def interpolation_for(label_type: LabelType, configured: LabelInterpolation) -> LabelInterpolation:
    """The interpolation of this type's targets: the configured one, but always `nearest` for `layers`.

    A border is only a few pixels wide, so bilinear interpolation would turn most of it into unknown.
    """
    return "nearest" if label_type.name == "layers" else configured
