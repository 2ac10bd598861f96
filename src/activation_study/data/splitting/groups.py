"""Which images belong together (a film, a patient, a place), by a pattern on their names or a CSV file."""

import csv
import hashlib
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from activation_study.data.splitting.split_files import listed_name
from activation_study.data.splitting.splits import PARTS, Split, image_index
from activation_study.errors import BadInput, counted, problems_message

CSV_SUFFIX = ".csv"
COLUMNS = ("image", "group")
_EXAMPLE = "data.groups='^([^_]+)_' or data.groups=groups.csv"
_MAX_BYTES = 100_000_000
_MAX_NAMED = 5  # images that a message names; the others are counted


def is_groups_file(groups: str) -> bool:
    """Whether `data.groups` names a file rather than a pattern."""
    return groups.lower().endswith(CSV_SUFFIX)


def pattern_error(pattern: str) -> str | None:
    """What is wrong with a regular expression; None if nothing is."""
    try:
        re.compile(pattern)
    except re.error as error:
        return f"data.groups={pattern}: not a regular expression: {error}; expected e.g. {_EXAMPLE}"
    return None


def groups_by_pattern(names: Sequence[str], pattern: str) -> tuple[str, ...]:
    """The group of each image: the pattern's first group, or the whole match if it has none.

    Args:
        names: of the images.
        pattern: a regular expression that may match anywhere in a name.

    Raises:
        BadInput: the pattern does not match a name, or matches nothing of it.
    """
    number = 1 if re.compile(pattern).groups else 0
    found = [re.search(pattern, name) for name in names]
    groups = [(match[number] or "") if match else "" for match in found]
    missing = [name for name, group in zip(names, groups, strict=True) if not group]
    if missing:
        reason = f"data.groups={pattern}: {_listed(missing)} not matched, of {counted(len(names), 'image')}"
        raise BadInput(f"{reason}; expected a regular expression that finds each image's group: {_EXAMPLE}")
    return tuple(groups)


def read_groups(path: Path) -> dict[str, str]:
    """The rows of a CSV file with the columns `image` and `group`: image → group.

    Columns are separated by commas, semicolons or tabs; further columns and empty rows are skipped.

    Raises:
        BadInput: the file cannot be read, a column is missing, a value is empty, or an image is in two groups.
    """
    expected = "Expected a first line `image,group`, then one line per image."
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"larger than {_MAX_BYTES:,} bytes")
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"data.groups={path}: {reason}. {expected}") from error
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [cell.strip().lower() for cell in next(rows, [])]
        table = [(rows.line_num, row) for row in rows if any(map(str.strip, row))]
    except csv.Error as error:
        raise BadInput(
            f"data.groups={path}: line {rows.line_num}: {error}; is a quote left open? {expected}"
        ) from error
    if missing := [column for column in COLUMNS if column not in header]:
        raise BadInput(f"data.groups={path}: no column {' and '.join(missing)} in its first line. {expected}")
    image_column, group_column = map(header.index, COLUMNS)
    groups: dict[str, str] = {}
    problems = []
    for line, row in table:
        padded = [*map(str.strip, row), *[""] * len(header)]
        image, group = padded[image_column], padded[group_column]
        if not image or not group:
            problems.append(f"line {line}: no {'group' if image else 'image'}")
        elif groups.setdefault(image, group) != group:
            problems.append(f"line {line}: {image} is in {group}, but already in {groups[image]}")
    if problems:
        raise BadInput(problems_message(f"data.groups={path} cannot be used", problems, expected))
    return groups


def groups_digest(groups: Mapping[str, str]) -> str:
    """16 hex digits of a hash of the rows, independent of their order."""
    return hashlib.sha256(json.dumps(groups, sort_keys=True).encode()).hexdigest()[:16]


def groups_by_file(
    names: Sequence[str], path: Path, digest: str | None, image_suffix: str | None = None
) -> tuple[str, ...]:
    """The group of each image as a CSV file says, which names images with or without their suffixes.

    Args:
        names: of the images.
        path: of the file; rows of other images are skipped.
        digest: of the file when the run was configured.
        image_suffix: `data.image_suffix`, which names do not have.

    Raises:
        BadInput: the file was changed, or lacks an image, or names one twice with different groups.
    """
    rows = read_groups(path)
    if groups_digest(rows) != digest:
        raise BadInput(
            f"data.groups={path}: the file was changed since the run was configured; restore it or start a new run"
        )
    index_of = image_index(names)
    found: dict[int, str] = {}
    problems = []
    for image, group in rows.items():
        index = index_of(listed_name(image, image_suffix))
        if index is not None and found.setdefault(index, group) != group:
            problems.append(f"{image} is in {group}, but without its suffix in {found[index]}")
    missing = [name for index, name in enumerate(names) if index not in found]
    if missing:
        problems.append(f"{_listed(missing)} missing, of {counted(len(names), 'image')}")
    if problems:
        hint = "Every image needs one line; one that belongs to no other needs a group of its own."
        raise BadInput(problems_message(f"data.groups={path} cannot be used", problems, hint))
    return tuple(found[index] for index in range(len(names)))


def group_counts(split: Split, groups: Sequence[str]) -> dict[str, int]:
    """The number of groups in each part of the split."""
    return {part: len({groups[index] for index in indices}) for part, indices in vars(split).items()}


def describe_groups(counts: Mapping[str, int]) -> str:
    """The groups of a split in words: "4 groups: 2 train, 1 validation, 1 test"."""
    return f"{counted(sum(counts.values()), 'group')}: {', '.join(f'{counts[part]} {part}' for part in PARTS)}"


def divided_groups(split: Split, groups: Sequence[str]) -> list[str]:
    """Each group that is in more than one part of the split, with its images in each: "film1: 3 train, 2 test"."""
    counts: dict[str, Counter[str]] = {}
    for part, indices in vars(split).items():
        for index in indices:
            counts.setdefault(groups[index], Counter())[part] += 1
    return [
        f"{group}: {', '.join(f'{count} {part}' for part, count in parts.items())}"
        for group, parts in sorted(counts.items())
        if len(parts) > 1
    ]


def _listed(names: Sequence[str]) -> str:
    others = f" and {len(names) - _MAX_NAMED:,} more" if len(names) > _MAX_NAMED else ""
    verb = "is" if len(names) == 1 else "are"
    return f"{', '.join(names[:_MAX_NAMED])}{others} {verb}"
