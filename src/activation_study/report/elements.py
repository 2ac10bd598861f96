"""A table that is shown: on a page, in Markdown, in a terminal."""

from dataclasses import dataclass

import rich.table


@dataclass(frozen=True)
class Table:
    """A table: headings, rows of the same length, and a caption that can be read alone."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str


def printable(table: Table) -> rich.table.Table:
    """The table for a terminal."""
    result = rich.table.Table(caption=table.caption)
    for place, heading in enumerate(table.head):
        result.add_column(heading, justify="right" if place else "left", overflow="fold")
    for row in table.rows:
        result.add_row(*row)
    return result
