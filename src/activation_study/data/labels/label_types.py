"""Label types: their classes, the training targets they define, and the resizing of targets."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Config
from activation_study.data.labels.class_list import Classes, declared_colors
from activation_study.data.labels.class_problems import MAX_ID, OTHERS
from activation_study.data.labels.label_image import LabelImage
from activation_study.data.labels.nearest import resize_nearest
from activation_study.data.labels.packed_color import GREY, to_hex
from activation_study.palette import class_colors, rgb

UNKNOWN = -1
COLOR = 1 << 24  # added to a raw value that is a colour, red · 2¹⁶ + green · 2⁸ + blue, and no id
NO_CLASS = -2
_CHOSEN_IDS = "say read_by: ids"
LabelInterpolation = Literal["bilinear", "nearest"]
Labels = NDArray[np.signedinteger[Any]]  # class ids at the network's size, of the type `label_dtype`

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
        read_by: for `own`, `ids` or `colors`; None: whichever a label image has.
        mask_colors: for `own`, the colours of each class in label images, as red · 2¹⁶ + green · 2⁸ + blue.
        unknown_colors: for `own`, those of unknown pixels.
        why_ids: for `own`, what of the classes has labels read by ids, if it is not `read_by`.
    """

    name: str
    classes: tuple[str, ...]
    border_width: int = 2
    ids: tuple[tuple[int, ...], ...] = ()
    unknown: tuple[int, ...] | None = ()
    colors: tuple[str, ...] = ()
    read_by: str | None = None
    mask_colors: tuple[tuple[int, ...], ...] = ()
    unknown_colors: tuple[int, ...] = ()
    why_ids: str = ""

    @property
    def meaning(self) -> str:
        """For `own`: everything that decides which class a pixel of a label image has."""
        ids, colors = (self.ids, self.unknown), (self.read_by, self.mask_colors, self.unknown_colors)
        return repr(ids if self.read_by == "ids" or not any(self.mask_colors) else (*ids, *colors))

    @property
    def key(self) -> str:
        """Identifies the targets among all that can be made from the same data set."""
        if self.ids:
            return f"{self.name}-{hashlib.sha256(self.meaning.encode()).hexdigest()[:8]}"
        return f"{self.name}{self.border_width}" if self.name == "layers" else self.name

    @cached_property
    def _class_of_id(self) -> NDArray[np.int16]:
        return self._table(MAX_ID + 1, self.ids, self.unknown or ())

    @cached_property
    def _class_of_color(self) -> NDArray[np.int16]:
        return self._table(COLOR, self.mask_colors, self.unknown_colors)

    def _table(
        self, size: int, values_of_classes: tuple[tuple[int, ...], ...], unknown: tuple[int, ...]
    ) -> NDArray[np.int16]:
        """The class of each value below `size`; unknown is −1, and no class −2."""
        table = np.full(size, UNKNOWN if self.unknown is None else NO_CLASS, np.int16)
        table[list(unknown)] = UNKNOWN
        for class_id, values in enumerate(values_of_classes):
            table[list(values)] = class_id
        return table

    def classes_of(self, raw: NDArray[Any]) -> NDArray[np.int16]:
        """For `own`: the class of each raw value; unknown is −1, and a value that is not declared −2."""
        if raw.size and raw.flat[0] >= COLOR:
            return self._class_of_color[raw - COLOR]
        return self._class_of_id[raw]

    def raw(self, image: LabelImage) -> NDArray[np.int32]:
        """For `own`: the raw values of a label image, which `target` converts: ids, or colours + 2²⁴.

        Without `read_by`, a colour image with unequal channels is read by colours; one with equal channels by ids,
        unless they are not declared but its colours are; all others are read by ids.

        Raises:
            ValueError: it cannot be read as `read_by` says.
        """
        ids, colors = (None if self.read_by == "colors" else image.ids()), None
        if ids is None or (self.read_by is None and image.is_color):
            colors = image.colors()
        if ids is None and colors is None:
            raise ValueError("no colours (16 bits, or too short a palette), but the classes are read by colours")
        if self.read_by == "ids" and ids is None:
            raise ValueError(
                f"colours with unequal channels, which are no ids, but the classes {self.why_ids or _CHOSEN_IDS}"
            )
        if ids is None or (colors is not None and not self._declares(ids) and self._declares(colors + COLOR)):
            assert colors is not None
            return colors + COLOR
        return ids

    def readings_of_grey(self, grey: NDArray[Any]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """For `own`: the classes of grey values 0 … 255, once as ids and once as colours with equal channels."""
        return self._class_of_id[grey], self._class_of_color[grey * GREY]

    def _declares(self, raw: NDArray[np.int32]) -> bool:
        return bool((self.classes_of(raw) > NO_CLASS).all())

    def target(self, raw: NDArray[Any]) -> NDArray[np.int16]:
        """Class ids at the label's original size, int16 [height, width], −1 = unknown.

        The values of `regions` and `surfaces` are class ids already. Those of `layers` number the regions of one image,
        so their target is `border_map(raw, border_width)`. Those of `own` are mapped to classes by `ids`.
        """
        if self.ids:
            return np.maximum(self.classes_of(raw), UNKNOWN)
        return border_map(raw, self.border_width) if self.name == "layers" else raw


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
    if config.data.classes is not None:
        return own_label_type(config.data.classes, config.label_type.name)
    known = LABEL_TYPES[config.label_type.name]
    return LabelType(
        known.name, known.classes, config.label_type.border_width, colors=tuple(class_colors(known.classes))
    )


def own_label_type(declared: Classes, name: str = "own") -> LabelType:
    """The label type of own classes, as `read_classes` returns them."""
    entries, unknown = declared["classes"], declared["unknown"]
    listed = [] if unknown == OTHERS else unknown
    mask_colors = tuple(tuple(map(_packed, colors)) for colors in declared_colors(declared))
    counts = Counter(color for colors in mask_colors for color in colors)
    shared = [color for color, count in counts.items() if count > 1]
    return LabelType(
        name,
        classes=tuple(entry["name"] for entry in entries),
        ids=tuple(tuple(entry["ids"]) for entry in entries),
        unknown=None if unknown == OTHERS else tuple(value for value in listed if isinstance(value, int)),
        colors=tuple(entry["color"] for entry in entries),
        read_by="ids" if shared else declared.get("read_by"),  # colours that two classes share tell no class
        mask_colors=() if shared else mask_colors,
        unknown_colors=tuple(_packed(value) for value in listed if isinstance(value, str)),
        why_ids=_who_shares(to_hex(shared[0]), declared) if shared and not declared.get("read_by") else "",
    )


def _who_shares(color: str, declared: Classes) -> str:
    both = zip(declared["classes"], declared_colors(declared), strict=True)
    names = [entry["name"] for entry, given in both if color in given]
    return f"{' and '.join(names)} share the colour {color}, so no colour is read: give each its own"


def _packed(color: str) -> int:
    red, green, blue = rgb(color)
    return red << 16 | green << 8 | blue


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
    target: NDArray[np.int16], size: tuple[int, int], interpolation: LabelInterpolation, dtype: str = "int8"
) -> Labels:
    """The target at another size: `dtype` [height, width], −1 = unknown.

    Args:
        target: class ids [rows, columns]; negative = unknown.
        size: (height, width) of the result.
        dtype: see `label_dtype`.
        interpolation: `bilinear`, as in the article: the ids are interpolated as float64, and a pixel whose value is
            then negative or not exactly a class id becomes unknown. Interpolation between the ids 0 and 2 can produce
            a 1, an error of the article that is kept. `nearest` is `resize_nearest`. The target of `layers` must be
            resized by `nearest` (see `interpolation_for`).

    Raises:
        ValueError: an id that does not fit into the type, or another interpolation.
    """
    import cv2

    height, width = size
    largest = np.iinfo(dtype).max
    if target.size and target.max() > largest:
        raise ValueError(f"class id {target.max()} does not fit into {dtype}: expected ids up to {largest}")
    if interpolation == "nearest":
        return np.maximum(resize_nearest(target, size), UNKNOWN).astype(dtype)
    if interpolation != "bilinear":
        raise ValueError(f"interpolation {interpolation!r} of labels: expected 'bilinear' or 'nearest'")
    interpolated = cv2.resize(target.astype(np.float64), (width, height), interpolation=cv2.INTER_LINEAR)
    ids = np.maximum(interpolated, UNKNOWN).astype(dtype)
    ids[(ids != interpolated) | (ids < 0)] = UNKNOWN
    return ids


def label_dtype(classes: int) -> str:
    """The type of the network's labels: `int8`, or `int16` for more classes than that has ids for."""
    return "int8" if classes <= np.iinfo(np.int8).max else "int16"


def interpolation_for(label_type: LabelType, configured: LabelInterpolation) -> LabelInterpolation:
    """The interpolation of this type's targets: the configured one, but always `nearest` for `layers`.

    A border is only a few pixels wide, so bilinear interpolation would turn most of it into unknown.
    """
    return "nearest" if label_type.name == "layers" else configured
