"""The one exception for what the user can mend."""

from collections.abc import Iterable

MAX_LISTED = 20


class BadInput(Exception):
    """What was given cannot be used. Shown as one message without a traceback; exit code 2."""


def problems_message(what: str, problems: Iterable[str], mend: str) -> str:
    """One message for all faults: what happened, the first 20 of them with the count, and the mend."""
    problems = list(problems)
    lines = [f"{what} ({len(problems)} found):", *(f"  {problem}" for problem in problems[:MAX_LISTED])]
    if len(problems) > MAX_LISTED:
        lines.append(f"  … and {len(problems) - MAX_LISTED} more")
    return "\n".join([*lines, mend])
