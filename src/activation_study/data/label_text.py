"""Label matrices as text files: read quickly, refused precisely."""

import io

import numpy as np
from numpy.typing import NDArray

_RAW_RANGES = {"regions": (-1, 7), "surfaces": (-1, 2), "layers": (-1, 32767)}
_INT16 = np.iinfo(np.int16)
_EMPTY = "empty: expected one line of integers per image row"
_BLANKS = b" \t\n\r\v\f"  # the white space of bytes.split()


def raw_range(name: str) -> tuple[int, int]:
    """Smallest and largest id that a label file of the type `name` may hold; −1 is unknown."""
    return _RAW_RANGES[name]


def read_label(content: bytes) -> NDArray[np.int16]:
    """A label file's matrix, int16 [height, width].

    Text of integers, one image row per line, at least one blank or tab between; blanks at a line's
    ends, CRLF and empty lines at the end are accepted.

    Raises:
        ValueError: empty; a token that is no integer; a value beyond int16; rows of different
            lengths. Lines are counted from 1.
    """
    matrix = _one_digit_matrix(content)
    if matrix is None:
        matrix = _any_matrix(content)
    return matrix


def _one_digit_matrix(content: bytes) -> NDArray[np.int16] | None:
    """The usual file, 3 to 4 times as fast as np.loadtxt: ids −1..9, one blank between, LF. Else None.

    With the two bytes of −1 written as one, digits and separators alternate, so the text is an array already.
    """
    width = content.find(b"\n") + 1
    text = np.frombuffer(content.replace(b"-1", b"/"), np.uint8)  # "/" comes right before "0"
    width -= content.count(b"-1", 0, width)
    if width < 2 or width % 2 or text.size % width or b"/" in content:
        return None
    lines = text.reshape(-1, width)
    digits, between, ends = lines[:, ::2] - np.uint8(ord("/")), lines[:, 1:-1:2], lines[:, -1]
    if digits.max() > 10 or (between != ord(" ")).any() or (ends != ord("\n")).any():
        return None
    return digits.astype(np.int16) - np.int16(1)


def _any_matrix(content: bytes) -> NDArray[np.int16]:
    """Every other file; ValueError with the first fault."""
    rows = content.rstrip(_BLANKS).count(b"\n") + 1
    # np.loadtxt would also take floats, "+1" and comments, and skip empty lines.
    if content.strip(_BLANKS) and not content.translate(None, b"-0123456789" + _BLANKS):
        try:
            matrix = np.loadtxt(io.BytesIO(content), np.int16, comments=None, ndmin=2)
        except ValueError:
            pass  # its message has no line for a ragged row and no token for a large one
        else:
            if len(matrix) == rows:
                return matrix
    raise ValueError(_first_problem(content, rows))


def _first_problem(content: bytes, rows: int) -> str:
    """What is wrong with the first line that is wrong."""
    lines = content.split(b"\n")[:rows]
    expected = len(lines[0].split())
    for number, line in enumerate(lines, 1):
        tokens = line.split()
        for token in tokens:
            spelled, digits = token[:40].decode("utf-8", "replace"), token.removeprefix(b"-")
            if not digits.isdigit():
                return f"line {number}: {spelled!r} is no integer"
            significant = digits.lstrip(b"0") or b"0"
            value = int(significant[:6]) * (-1 if token.startswith(b"-") else 1)  # six digits are too many already
            if not _INT16.min <= value <= _INT16.max:
                return f"line {number}: {spelled} is out of range: expected {_INT16.min} to {_INT16.max}"
        if not tokens:
            return f"line {number} is empty" if content.strip(_BLANKS) else _EMPTY
        if len(tokens) != expected:
            return f"line {number} has {len(tokens)} values, expected {expected} as in line 1"
    return "lines end with a lone carriage return: expected LF or CRLF"
