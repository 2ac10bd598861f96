"""A table that is shown: on a page, in Markdown, in a terminal."""

from dataclasses import dataclass

import rich.table


@dataclass(frozen=True)
class Table:
    """A table: headings, rows of the same length, and a caption that can be read alone."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


def to_rich(table: Table) -> rich.table.Table:
    """The table for a terminal."""
    result = rich.table.Table(caption=table.caption)
    for place, heading in enumerate(table.head):
        result.add_column(heading, justify="right" if place else "left", overflow="fold")
    for row in table.rows:
        result.add_row(*row)
    return result


@dataclass(frozen=True)
class ImagePanel:
    """One picture on the page: its caption, what it shows in words, and its content as a data address."""

    caption: str
    alt: str
    address: str


@dataclass(frozen=True)
class ImageRow:
    """One line of pictures: why it is shown, and its panels."""

    reason: str
    panels: tuple[ImagePanel, ...]


@dataclass(frozen=True)
class Gallery:
    """The chosen images of a block.

    Args:
        rows: one for each image.
        legend: (class, colour).
        seed: whose predictions are shown.
    """

    rows: tuple[ImageRow, ...]
    legend: tuple[tuple[str, str], ...]
    seed: int


@dataclass(frozen=True)
class Figure:
    """A figure with a caption that can be read alone, and perhaps a table of its numbers."""

    title: str
    svg: str
    caption: str
    table: Table | None = None


@dataclass(frozen=True)
class Section:
    """One block, or what sets several apart.

    Args:
        name: for the names of its files.
        title: of its heading.
        data: the data set's name.
        lead: its answer.
        tables: before its figures.
        colors: of the activations, by the names in the tables.
        figures: in order.
        pictures: test images side by side.
        no_pictures: why there are none; empty where none are meant to be.
        main: it is of the study's answer; the others are folded in.
    """

    name: str
    title: str
    data: str
    lead: str
    tables: tuple[Table, ...]
    colors: dict[str, str]
    figures: tuple[Figure, ...]
    pictures: Gallery | None
    no_pictures: str
    main: bool


@dataclass(frozen=True)
class Contents:
    """The whole report.

    Args:
        study: its name.
        leads: the answer.
        reduced: it is not the article's network and size.
        problems: what is missing.
        runs: how many.
        protocol: the protocol's version.
        sections: in order.
        environment: (name, values).
        commands: one for each run.
    """

    study: str
    summary: tuple[str, ...]
    reduced: bool
    problems: tuple[str, ...]
    runs: int
    protocol: int
    sections: tuple[Section, ...]
    environment: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
