"""What a command hands to programs: with `--json`, one object on standard output (docs/reference/json.md).

Hydra drops what a task returns, so the object is kept here until the command ends.
"""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

from activation_study.credentials import without_credentials

SCHEMA = 1  # raised when a field changes its name or meaning, not when one is added

_fields: dict[str, Any] = {}
_warnings: list[str] = []


def deliver(kind: str, fields: Mapping[str, Any]) -> None:
    """Keeps the result of this process's command; a later one replaces it.

    Args:
        kind: what the object is, e.g. "plan".
        fields: plain values, paths, arrays' scalars, dataclasses, and lists and mappings of these.
    """
    _fields.clear()
    _fields.update(kind=kind, **fields)


def add(**fields: Any) -> None:
    """Adds to the result."""
    _fields.update(fields)


def fail(message: str) -> None:
    """Keeps an error in place of a result."""
    _fields.clear()
    _fields["error"] = message


def warn(message: str) -> None:
    """Prints a warning on standard error, and keeps it for the object."""
    print(f"warning: {without_credentials(message)}", file=sys.stderr)
    keep_warning(message)


def keep_warning(message: str) -> None:
    """Keeps a warning that is printed elsewhere for the object; a repeated one only once."""
    message = without_credentials(message)
    if message not in _warnings:
        _warnings.append(message)


def kept_warnings() -> list[str]:
    """The warnings of this process so far."""
    return list(_warnings)


def delivered() -> bool:
    """Whether there is a result or an error."""
    return bool(_fields)


def as_json(command: str | None) -> str:
    """The object as one line of JSON.

    Args:
        command: its name; None if none was given.
    """
    value = {"schema": SCHEMA, "command": command, **plain(_fields), "warnings": _warnings}
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """The value in JSON's types; a number that is not finite becomes None, passwords are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else without_credentials(str(value))
