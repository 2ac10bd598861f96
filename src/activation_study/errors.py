"""The one exception for errors that the user can fix, and how messages list and count."""

from collections.abc import Iterable

MAX_LISTED = 20


class BadInput(Exception):
    """Invalid input. The command prints the message without a traceback and exits with code 2."""


def alternatives(values: Iterable[object]) -> str:
    """Values to choose from, as prose: "a, b or c"."""
    *first, last = map(str, values)
    return f"{', '.join(first)} or {last}" if first else last


def counted(number: int, noun: str) -> str:
    """A number of things: "1 run", "2 runs", "1,000 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def problems_message(summary: str, problems: Iterable[str], hint: str) -> str:
    """One message for all problems: a summary with their number if there are several, the first 20, and a hint."""
    problems = list(problems)
    count = f" ({len(problems)} found)" if len(problems) > 1 else ""
    lines = [f"{summary}{count}:", *(f"  {problem}" for problem in problems[:MAX_LISTED])]
    if len(problems) > MAX_LISTED:
        lines.append(f"  … and {len(problems) - MAX_LISTED} more")
    return "\n".join([*lines, hint])
