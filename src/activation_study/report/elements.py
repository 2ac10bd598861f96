"""The elements of a page: tables, images, figures, sections. No layout."""

from dataclasses import dataclass

import rich.table
from rich.console import Console
from rich.text import Text

NARROWEST = 7  # columns of the console for one of a table, in which numbers are not broken


@dataclass(frozen=True)
class Table:
    """A table: headings, rows of the same length, and a caption that can be read on its own."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


def print_table(console: Console, table: Table) -> None:
    """Prints a table, and its caption below it as text: within a narrow table, rich would break it after every word.
    A table of more columns than the console has room for is printed with a row for each of them.
    """
    rows = [table.head, *table.rows]
    if len(table.head) * NARROWEST > console.width and len(rows) < len(table.head):
        rows = list(zip(*rows, strict=True))
    head, *body = rows
    result = rich.table.Table()
    for column, heading in enumerate(head):
        result.add_column(Text(heading), justify="right" if column else "left", overflow="fold")
    for row in body:
        result.add_row(*map(Text, row))
    console.print(result)
    console.print(table.caption, style="dim", highlight=False, markup=False)


@dataclass(frozen=True)
class ImagePanel:
    """An image on a page: its caption, its description in words, and its content as a data URI."""

    caption: str
    alt: str
    data_uri: str


@dataclass(frozen=True)
class ImageRow:
    """A row of images: the reason why it is shown, and its images."""

    reason: str
    panels: tuple[ImagePanel, ...]


@dataclass(frozen=True)
class Gallery:
    """The sample images of a condition.

    Args:
        rows: one for each image.
        legend: (class, colour).
        seed: seed of the runs whose predictions are shown.
    """

    rows: tuple[ImageRow, ...]
    legend: tuple[tuple[str, str], ...]
    seed: int


@dataclass(frozen=True)
class Figure:
    """A figure with a caption that can be read on its own, and tables of its numbers."""

    title: str
    svg: str
    caption: str
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section of the report: one condition, or the changes of the protocol.

    Args:
        slug: the section's anchor, with which the file names of its figures begin.
        title: heading.
        data: name of the data set.
        conclusion: conclusion of the condition; empty for changes of the protocol.
        tables: tables that precede the figures.
        colors: colours of the activations, by the names used in tables.
        figures: figures, in order.
        gallery: sample test images, if any.
        no_gallery: the reason why there are no sample images; empty if none are wanted.
        main: whether the section is open; the others are collapsed.
    """

    slug: str
    title: str
    data: str
    conclusion: str
    tables: tuple[Table, ...]
    colors: dict[str, str]
    figures: tuple[Figure, ...]
    gallery: Gallery | None
    no_gallery: str
    main: bool


@dataclass(frozen=True)
class Contents:
    """The contents of a study's report.

    Args:
        study: name of the study.
        factor: what it compares, for one and for several: "activation", "activations".
        summary: the conclusions, one paragraph each.
        classes: what stands out in the classes, one sentence each.
        reduced: whether network and image size are smaller than the article's.
        problems: what is missing in the study.
        runs: number of runs.
        trials: number of trials of the searches for tuned values; they are no runs of the comparison.
        followed: the protocols that the runs followed, in words.
        protocol: protocol version.
        sections: sections, in order.
        environment: (name, values).
        commands: the command of each run.
    """

    study: str
    factor: tuple[str, str]
    summary: tuple[str, ...]
    classes: tuple[str, ...]
    reduced: bool
    problems: tuple[str, ...]
    runs: int
    trials: int
    followed: str
    protocol: int
    sections: tuple[Section, ...]
    environment: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
