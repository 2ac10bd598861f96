"""A given split, read from a folder: train.txt, validation.txt (or val.txt) and test.txt with one name per line."""

import hashlib
import json
from pathlib import Path

from activation_study.errors import BadInput, problems_message

_FILES = {"train": ("train.txt",), "validation": ("validation.txt", "val.txt"), "test": ("test.txt",)}
_MAX_BYTES = 100_000_000


def read_split_files(folder: Path) -> dict[str, list[str]]:
    """The names in `train`, `validation` and `test`; empty lines and lines that start with # are skipped.

    Raises:
        BadInput: a file is missing, empty or not UTF-8 text, or a name occurs twice.
    """
    problems: list[str] = []
    names_of: dict[str, list[str]] = {}
    for part, candidates in _FILES.items():
        path = next((folder / name for name in candidates if (folder / name).is_file()), None)
        if path is None:
            problems.append(f"{' or '.join(candidates)}: no such file")
            continue
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise ValueError(f"larger than {_MAX_BYTES:,} bytes")
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except (OSError, ValueError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        names_of[part] = [line for line in lines if line and not line.startswith("#")]
        if not names_of[part]:
            problems.append(f"{path.name}: contains no names")
    part_of: dict[str, str] = {}
    for part, names in names_of.items():
        for name in names:
            if name in part_of:
                problems.append(f"{name}: in {part}, but already in {part_of[name]}")
            part_of[name] = part
    if problems:
        raise BadInput(
            problems_message(f"The split in {folder} cannot be used", problems, "Expected one unique name per line.")
        )
    return names_of


def split_digest(split: dict[str, list[str]]) -> str:
    """16 hex digits of a hash of the names, independent of their order."""
    text = json.dumps({part: sorted(names) for part, names in split.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
