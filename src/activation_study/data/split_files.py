"""A split that someone else made: train.txt, validation.txt (or val.txt) and test.txt in a folder, a name a line."""

import hashlib
import json
from pathlib import Path

from activation_study.errors import BadInput, problems_message

_FILES = {"train": ("train.txt",), "validation": ("validation.txt", "val.txt"), "test": ("test.txt",)}
_MAX_BYTES = 100_000_000


def read_split_files(folder: Path) -> dict[str, list[str]]:
    """The names of each part: `train`, `validation`, `test`; empty lines and those that begin with # are left out.

    Raises:
        BadInput: a file is missing, empty or no text; a name stands twice.
    """
    problems, found = [], {}
    for part, candidates in _FILES.items():
        path = next((folder / each for each in candidates if (folder / each).is_file()), None)
        if path is None:
            problems.append(f"{' or '.join(candidates)}: there is no such file")
            continue
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise ValueError(f"larger than {_MAX_BYTES:,} bytes")
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except (OSError, ValueError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        found[part] = [line for line in lines if line and not line.startswith("#")]
        if not found[part]:
            problems.append(f"{path.name}: no names in it")
    owners: dict[str, str] = {}
    for part, names in found.items():
        for name in names:
            if name in owners:
                problems.append(f"{name}: in {part}, and in {owners[name]} already")
            owners[name] = part
    if problems:
        raise BadInput(
            problems_message(f"The split in {folder} cannot be used", problems, "A name a line, each name once.")
        )
    return found


def split_digest(split: dict[str, list[str]]) -> str:
    """16 hex digits of a hash of the names, whatever their order."""
    text = json.dumps({part: sorted(names) for part, names in split.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
