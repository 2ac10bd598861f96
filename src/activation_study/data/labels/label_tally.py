"""What is wrong with the labels of a data set as a whole: equal problems of many files are counted, not listed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.declared_colors import names_of_colors, nearest_color
from activation_study.data.labels.label_facts import LabelFacts
from activation_study.data.labels.label_types import COLOR, NO_CLASS, LabelType
from activation_study.data.labels.packed_color import to_hex
from activation_study.errors import alternatives, counted, percentage

MAX_NAMED = 5  # values in one message
_CHOOSE = "choose in the classes file, with the line `read_by: ids` or `read_by: colors`"

Key = TypeVar("Key")


@dataclass
class Occurrence:
    """How often something was found: pixels, files, and the first of these."""

    pixels: int = 0
    files: int = 0
    example: str = ""

    def add(self, pixels: int, path: str) -> None:
        """Adds a file."""
        self.pixels, self.files = self.pixels + int(pixels), self.files + 1
        self.example = self.example or path

    def __str__(self) -> str:
        return f"{counted(self.pixels, 'pixel')} in {counted(self.files, 'label')}, e.g. {self.example}"


@dataclass
class LabelTally:
    """Counts what `problems` reports. Files are added in a fixed order, so that the examples are always the same.

    Args:
        label_type: own classes.
    """

    label_type: LabelType
    files: int = 0
    pixels: int = 0
    by_color: Occurrence = field(default_factory=Occurrence)
    colors_found: bool = False
    undeclared: dict[int, Occurrence] = field(default_factory=lambda: defaultdict(Occurrence))  # by raw value
    distinct: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(2 * COLOR, np.bool_))  # all undeclared ones
    undeclared_ids: Occurrence = field(default_factory=Occurrence)
    undeclared_colors: Occurrence = field(default_factory=Occurrence)
    indexed: dict[tuple[int, int], Occurrence] = field(default_factory=lambda: defaultdict(Occurrence))
    two_readings: dict[tuple[int, int, int], Occurrence] = field(default_factory=lambda: defaultdict(Occurrence))

    def add(self, path: str, facts: LabelFacts) -> None:
        """Adds what was found in one label image."""
        self.files += 1
        self.pixels += facts.pixels
        self.colors_found |= facts.colors_found
        if facts.by_color:
            self.by_color.add(facts.pixels, path)
        if facts.undeclared_pixels:
            total = self.undeclared_colors if facts.by_color else self.undeclared_ids
            total.add(facts.undeclared_pixels, path)
        self.distinct[facts.distinct] = True
        for value, pixels in facts.undeclared.items():
            self.undeclared[value].add(pixels, path)
        for indexed, pixels in facts.indexed.items():
            self.indexed[indexed].add(pixels, path)
        for grey, pixels in facts.two_readings.items():
            self.two_readings[grey].add(pixels, path)

    def problems(self) -> Iterator[str]:
        """One message for each kind of problem."""
        by_ids = {value: found for value, found in self.undeclared.items() if value < COLOR}
        if by_ids:
            yield self._undeclared_ids(by_ids)
        if self.by_color.files and not any(self.label_type.mask_colors):
            yield (
                f"{counted(self.by_color.files, 'label')} with colours, e.g. {self.by_color.example}, but the classes "
                'have none: give each class its colour in the labels, {name: sky, color: "#808080"}, in the place of '
                "its id; `inspect_data.py … write_classes=FILE` proposes the file"
            )
        elif self.undeclared_colors.files:
            colors = {value - COLOR: found for value, found in self.undeclared.items() if value >= COLOR}
            yield self._undeclared_colors(colors)
        yield from self._contradicting_palettes()
        yield from self._differing_palettes()
        if self.two_readings and self.colors_found:
            yield self._two_readings()

    def _undeclared_ids(self, found: dict[int, Occurrence]) -> str:
        hint = "declare a class for each, list them under unknown, or write `unknown: others`"
        colors = {color for (value, color) in self.indexed if value in found}
        if colors and colors <= names_of_colors(self.label_type).keys():
            hint = "their palette's colours are those of classes; `read_by: colors` in the classes file reads by them"
        elif self._ids_count > MAX_NAMED * 4:
            hint += "; so many ids come from resizing with interpolation, from numbered objects, or from grey images"
        return (
            f"undeclared ids, neither of a class nor unknown, {self._share(self.undeclared_ids)}:"
            f"{_listed(found, str, self._ids_count)}\n    {hint}"
        )

    def _undeclared_colors(self, found: dict[int, Occurrence]) -> str:
        if not self.colors_found:
            return (
                "no label has a colour of a class; the most frequent ones are:"
                f"{_listed(found, self._with_nearest, self._colors_count)}\n    "
                "declare these, or give each class its id, if the values of the labels are ids"
            )
        return (
            f"undeclared colours, neither of a class nor unknown, {self._share(self.undeclared_colors)}:"
            f"{_listed(found, self._with_nearest, self._colors_count)}\n    declare them, or write `unknown: others`, "
            "which makes such pixels unknown, as suits edges that were smoothed and masks that were resized or stored "
            "as JPEG"
        )

    @property
    def _ids_count(self) -> int:
        return int(np.count_nonzero(self.distinct[:COLOR]))

    @property
    def _colors_count(self) -> int:
        return int(np.count_nonzero(self.distinct[COLOR:]))

    def _with_nearest(self, color: int) -> str:
        name, nearest, distance = nearest_color(self.label_type, color)
        return f"{to_hex(color)} (nearest: {name} {to_hex(nearest)}, distance {distance:.0f})"

    def _contradicting_palettes(self) -> Iterator[str]:
        if self.label_type.read_by is not None:
            return
        names, classes, wrong = names_of_colors(self.label_type), self.label_type.classes, {}
        for (value, color), found in self.indexed.items():
            by_id = int(self.label_type.classes_of(np.array([value]))[0])
            if by_id > NO_CLASS and color in names and names[color] != (classes[by_id] if by_id >= 0 else "unknown"):
                wrong[value, color] = found
        if wrong:
            listed = (
                f"index {value} is {self._name_of_id(value)} by its id and {names[color]} by its colour "
                f"{to_hex(color)} ({found})"
                for (value, color), found in _most_frequent(wrong)[:MAX_NAMED]
            )
            yield f"palettes contradict the classes:{_lines(listed, len(wrong))}\n    {_CHOOSE}"

    def _differing_palettes(self) -> Iterator[str]:
        """Indices with several colours: some programs number the colours of each file anew."""
        colors_of: dict[int, dict[int, Occurrence]] = defaultdict(dict)
        for (value, color), found in self.indexed.items():
            colors_of[value][color] = found
        differing = {value: colors for value, colors in colors_of.items() if len(colors) > 1}
        if self.label_type.read_by is None and differing:
            listed = (
                f"index {value} is {alternatives(_in_words(colors))}"
                for value, colors in sorted(differing.items())[:MAX_NAMED]
            )
            yield (
                f"palettes differ between labels:{_lines(listed, len(differing))}\n    "
                "if each file numbers its colours anew, give each class its colour and write `read_by: colors` in the "
                "classes file; if the indices mean the same in all files, write `read_by: ids`"
            )

    def _two_readings(self) -> str:
        names = (*self.label_type.classes, "unknown")
        listed = (
            f"{to_hex(color)} is {names[by_id]} by its id {color & 255} and {names[by_color]} by its colour ({found})"
            for (color, by_id, by_color), found in _most_frequent(self.two_readings)[:MAX_NAMED]
        )
        return f"grey colours can be read in two ways:{_lines(listed, len(self.two_readings))}\n    {_CHOOSE}"

    def _name_of_id(self, value: int) -> str:
        return (*self.label_type.classes, "unknown")[int(self.label_type.classes_of(np.array([value]))[0])]

    def _share(self, found: Occurrence) -> str:
        share = found.pixels / max(self.pixels, 1)
        return f"{percentage(share)} of all pixels, in {found.files:,} of {counted(self.files, 'label')}"


def _most_frequent(found: Mapping[Key, Occurrence]) -> list[tuple[Key, Occurrence]]:
    return sorted(found.items(), key=lambda item: -item[1].pixels)


def _listed(found: Mapping[int, Occurrence], name: Callable[[int], str], count: int) -> str:
    """The most frequent of `count` values, a line each."""
    return _lines((f"{name(value)}: {each}" for value, each in _most_frequent(found)[:MAX_NAMED]), count)


def _lines(shown: Iterable[str], count: int) -> str:
    """A line for each shown one of `count`, and one for the others."""
    more = [f"and {count - MAX_NAMED:,} more"] if count > MAX_NAMED else []
    return "".join(f"\n    {line}" for line in (*shown, *more))


def _in_words(colors: Mapping[int, Occurrence]) -> list[str]:
    return [f"{to_hex(color)} ({found})" for color, found in _most_frequent(colors)[:2]]
