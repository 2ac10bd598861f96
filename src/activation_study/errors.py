"""The one exception for what the user can mend."""

from collections.abc import Iterable

SHOWN = 20


class BadInput(Exception):
    """What was given cannot be used. Shown as one message without a traceback; exit code 2."""


def faults_message(what: str, faults: Iterable[str], mend: str) -> str:
    """One message for all faults: what happened, the first 20 of them with the count, and the mend."""
    faults = list(faults)
    lines = [f"{what} ({len(faults)} found):", *(f"  {fault}" for fault in faults[:SHOWN])]
    if len(faults) > SHOWN:
        lines.append(f"  … and {len(faults) - SHOWN} more")
    return "\n".join([*lines, mend])
