"""Names with their values in aligned columns, for lists that would otherwise take a line each."""

from collections.abc import Mapping

from rich.cells import cell_len, set_cell_size

WIDTH = 80  # of a line
_GAP = 3  # spaces between two columns


def in_columns(values: Mapping[str, str], indent: int = 4) -> list[str]:
    """The lines of a list of names and values, read from top to bottom and then from left to right.

    Lines have at most `WIDTH` cells; a name that is too long for that is shortened.

    Args:
        values: short texts by name.
        indent: spaces at the start of each line.
    """
    values_width = max(map(cell_len, values.values()), default=0)
    longest = WIDTH - indent - values_width - 1
    names = {name: name if cell_len(name) <= longest else f"{set_cell_size(name, longest - 1)}…" for name in values}
    names_width = max(map(cell_len, names.values()), default=0)
    cell = names_width + 1 + values_width
    columns = max(1, (WIDTH - indent + _GAP) // (cell + _GAP))
    rows = -(-len(values) // columns)
    cells = [f"{set_cell_size(names[name], names_width)} {value:>{values_width}}" for name, value in values.items()]
    return [" " * indent + (" " * _GAP).join(cells[row::rows]) for row in range(rows)]
