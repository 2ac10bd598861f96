"""Label matrices: reading them from text, what each label type makes of them, resizing them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config
from activation_study.data.class_list import LARGEST_ID, OTHERS
from activation_study.palette import class_colors

UNKNOWN = -1
_UNDECLARED = -2
LabelResize = Literal["bilinear", "nearest"]

_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True)
class LabelType:
    """What a label matrix means: the names of its classes, and the target that a network learns.

    Args:
        name: `regions`, `surfaces` or `layers`, which is also the middle of the label files' names; or `own`.
        classes: the classes' names; a class's id is its place. Unknown is −1 and no class.
        border_width: pixels on each side of a border that count as border; only `layers` uses it.
        ids: of `own`: the values of each class in the label images.
        unknown: of `own`: the values of unknown pixels; None for all that no class has.
        colors: of `own`: of the classes, "#RRGGBB".
    """

    name: str
    classes: tuple[str, ...]
    border_width: int = 2
    ids: tuple[tuple[int, ...], ...] = ()
    unknown: tuple[int, ...] | None = ()
    colors: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the targets, among those of other label types of the same data set."""
        if self.ids:
            meaning = repr((self.ids, self.unknown)).encode()
            return f"{self.name}-{hashlib.sha256(meaning).hexdigest()[:8]}"
        return f"{self.name}{self.border_width}" if self.name == "layers" else self.name

    @cached_property
    def _class_of(self) -> NDArray[np.int16]:
        table = np.full(LARGEST_ID + 1, UNKNOWN if self.unknown is None else _UNDECLARED, np.int16)
        table[list(self.unknown or ())] = UNKNOWN
        for place, ids in enumerate(self.ids):
            table[list(ids)] = place
        return table

    def target(self, raw: NDArray[Any]) -> NDArray[np.int16]:
        """Class ids, int16 [height, width], −1 = unknown, at the label's own resolution.

        `regions` and `surfaces` are class ids already. The ids of `layers` are numbered per picture,
        so they are no classes: their target is `border_map(raw, border_width)`. Those of `own` stand in `ids`.
        """
        if self.ids:
            return np.maximum(self._class_of[raw], UNKNOWN)
        return border_map(raw, self.border_width) if self.name == "layers" else raw

    def undeclared(self, raw: NDArray[Any]) -> NDArray[np.bool_]:
        """Where a label image of `own` has a value that is neither a class' nor unknown."""
        return self._class_of[raw] == _UNDECLARED


LABEL_TYPES = {
    label_type.name: label_type
    for label_type in (
        LabelType("regions", ("sky", "tree", "road", "grass", "water", "building", "mountain", "foreground object")),
        LabelType("surfaces", ("sky", "horizontal", "vertical")),
        LabelType("layers", ("interior", "border")),
    )
}


def label_type_of(config: Config) -> LabelType:
    """The configured label type, with the classes of a data set of one's own."""
    own = config.data.classes
    if own is not None:
        return LabelType(
            config.label_type.name,
            classes=tuple(each["name"] for each in own["classes"]),
            ids=tuple(tuple(each["ids"]) for each in own["classes"]),
            unknown=None if own["unknown"] == OTHERS else tuple(own["unknown"]),
            colors=tuple(each["color"] for each in own["classes"]),
        )
    known = LABEL_TYPES[config.label_type.name]
    return LabelType(
        known.name, known.classes, config.label_type.border_width, colors=tuple(class_colors(known.classes))
    )


def border_map(ids: NDArray[np.int16], width: int) -> NDArray[np.int16]:
    """Where regions meet: 1 = border, 0 = interior, −1 = unknown; int16 [height, width].

    A pixel is border when a pixel at most `width` rows and columns away (Chebyshev distance: a
    square neighbourhood) has another id. Beyond the picture nothing is another region (its edge pixels are
    replicated). Unknown pixels (negative) stay unknown and are not "another id" to their neighbours.
    """
    import cv2

    square = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    unknown = ids < 0
    known_or_largest = np.where(unknown, _INT16.max, ids).astype(np.int16) if unknown.any() else ids
    smallest = cv2.erode(known_or_largest, square, borderType=cv2.BORDER_REPLICATE)
    largest = cv2.dilate(ids, square, borderType=cv2.BORDER_REPLICATE)
    return np.where(unknown, UNKNOWN, smallest != largest).astype(np.int16)


def resize_label(target: NDArray[np.int16], size: tuple[int, int], how: LabelResize) -> NDArray[np.int8]:
    """A target map at another size: int8 [height, width], −1 = unknown.

    Args:
        target: class ids [rows, columns], at most 127; negative = unknown.
        size: (height, width) of the result.
        how: `bilinear` is the article's way: the ids are interpolated as float64, and a pixel whose
            value is then not exactly a class id, or is negative, is unknown. Interpolation between the ids 0
            and 2 can make a 1: the article's fault, kept. `nearest` takes an existing pixel's id.
            For the border map of `layers` the caller has to choose `nearest` (see `resize_way`).
    """
    import cv2

    height, width = size
    if target.size and target.max() > np.iinfo(np.int8).max:
        raise ValueError(f"class id {target.max()} does not fit into int8: expected ids up to 127")
    if how == "nearest":
        nearest = cv2.resize(target.astype(np.int16, copy=False), (width, height), interpolation=cv2.INTER_NEAREST)
        return np.maximum(nearest, UNKNOWN).astype(np.int8)
    if how != "bilinear":
        raise ValueError(f"a label cannot be resized by {how!r}: expected 'bilinear' or 'nearest'")
    blended = cv2.resize(target.astype(np.float64), (width, height), interpolation=cv2.INTER_LINEAR)
    ids = np.maximum(blended, UNKNOWN).astype(np.int8)
    ids[(ids != blended) | (ids < 0)] = UNKNOWN
    return ids


def resize_way(label_type: LabelType, how: LabelResize) -> LabelResize:
    """How targets of this type are resized when the configuration says `how`.

    `layers` always by nearest neighbour: a border is a few pixels wide, so the bilinear way would
    turn most of it into unknown.
    """
    return "nearest" if label_type.name == "layers" else how
