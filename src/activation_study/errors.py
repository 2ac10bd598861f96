"""The one exception for errors that the user can fix, and how messages list and count."""

from collections.abc import Iterable, Sequence

MAX_LISTED = 20
FEW = 3  # of which each is named


class BadInput(Exception):
    """Invalid input. The command prints the message without a traceback and exits with code 2."""


def alternatives(values: Iterable[object]) -> str:
    """Values to choose from, as prose: "a, b or c"."""
    *first, last = map(str, values)
    return f"{', '.join(first)} or {last}" if first else last


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number of things: "1 run", "2 runs", "1,000 images"."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def counted_between(numbers: Sequence[int], noun: str) -> str:
    """The smallest and largest number of things: "8 seeds", or "5 to 20 seeds" where they differ."""
    few, most = min(numbers), max(numbers)
    return counted(most, noun) if few == most else f"{few:,} to {counted(most, noun)}"


def percentage(share: float) -> str:
    """A share of many pixels: 0.0354 → "3.54%"; never 0.00% of something that is there."""
    return f"{share:.2%}" if share >= 0.0001 else "less than 0.01%"


def problems_message(summary: str, problems: Iterable[str], hint: str) -> str:
    """One message for all problems: a summary with their number if there are several, the first 20, and a hint."""
    problems = list(problems)
    count = f" ({len(problems)} found)" if len(problems) > 1 else ""
    lines = [f"{summary}{count}:", *(f"  {problem}" for problem in problems[:MAX_LISTED])]
    if len(problems) > MAX_LISTED:
        lines.append(f"  … and {len(problems) - MAX_LISTED} more")
    return "\n".join([*lines, hint])


def summed_up(problems: Iterable[str]) -> list[str]:
    """Problems of files, "PATH: what is wrong", with one line for many files that have the same one."""
    paths_of: dict[str, list[str]] = {}
    for problem in problems:
        path, _, text = problem.partition(": ")
        paths_of.setdefault(text, []).append(path)
    lines = []
    for text, paths in paths_of.items():
        if text and len(paths) > FEW:
            lines.append(f"{counted(len(paths), 'file')} ({examples(paths)}): {text}")
        else:
            lines += [f"{path}: {text}" if text else path for path in paths]
    return lines


def examples(values: Sequence[str], maximum: int = FEW) -> str:
    """The first of several values: "a, b, c, …"."""
    return ", ".join([*values[:maximum], *(["…"] if len(values) > maximum else [])])
