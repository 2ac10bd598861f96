"""The ids or colours that occur in a data set's labels, with their pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from activation_study.data.labels.packed_color import to_hex
from activation_study.errors import counted, percentage

VOID = 255  # the usual id of unknown pixels
BLACK = 0  # their usual colour
NUMBERED = 4  # ids are numbers of classes if the largest is below this times their number
RARE_CLASS = 0.001  # share of all pixels below which a class is hardly learnt


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


@dataclass(frozen=True)
class LabelValues:
    """All ids, or all colours, of a data set's labels.

    Args:
        by_colors: whether they are colours.
        kept: those that are classes or unknown.
        edges: those that look like smoothed edges, and are no classes.
        names: of colours, from a list beside the labels.
        palette: the colour of each id, if the labels tell.
    """

    by_colors: bool
    kept: Mapping[int, Value]
    edges: Mapping[int, Value]
    names: Mapping[int, str]
    palette: Mapping[int, int]

    @property
    def noun(self) -> str:
        """What the values are."""
        return "colour" if self.by_colors else "id"

    @property
    def pixels(self) -> int:
        """Their number, in all labels."""
        return sum(found.pixels for found in (*self.kept.values(), *self.edges.values()))

    @property
    def void(self) -> int | None:
        """The value that usually means unknown: the id 255 beside smaller numbers, or rare black without a name; None
        if there is none.
        """
        if len(self.kept) <= 2:
            return None
        if self.by_colors:
            return BLACK if BLACK in self.kept.keys() - self.names.keys() and self.is_rare(self.kept[BLACK]) else None
        others = sorted(self.kept.keys() - {VOID})
        numbered = others[-1] < NUMBERED * len(others)  # 0, 1, 2, …: 255 is none of these, as it may be of 0, 128, 255
        return VOID if VOID in self.kept and (numbered or self.is_rare(self.kept[VOID])) else None

    @property
    def classes(self) -> list[int]:
        """The values of the classes: ids in their order, colours with the most frequent one first."""
        values = sorted(self.kept.keys() - {self.void})
        return sorted(values, key=lambda value: -self.kept[value].pixels) if self.by_colors else values

    def color(self, value: int) -> int | None:
        """The colour of a value; None if the labels do not tell."""
        return value if self.by_colors else self.palette.get(value)

    def is_rare(self, found: Value) -> bool:
        """Whether a class of so few pixels is hardly learnt."""
        return found.pixels < RARE_CLASS * self.pixels

    def shown(self, value: int) -> str:
        """A value as YAML has it."""
        return f'"{to_hex(value)}"' if self.by_colors else str(value)

    def share(self, found: Value) -> str:
        """The share of all pixels, and in how many labels."""
        return f"{percentage(found.pixels / self.pixels)}, {counted(found.labels, 'label')}"
