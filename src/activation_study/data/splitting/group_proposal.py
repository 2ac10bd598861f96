"""Which images may belong together, judging by their names, or because they show the same scene."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from activation_study.data.connected import connected
from activation_study.data.splitting.folder_splits import in_part_folder
from activation_study.data.splitting.groups import COLUMNS, groups_by_pattern
from activation_study.errors import BadInput
from activation_study.files import write_text

MAX_GUESSED = 40  # more parts of names than this are no groups
# What all names have to match, and the pattern of their groups: the folder; the text before the first separator that
# all names have, or before the first of any; the text before a final number; of names like
# those of the Stanford set, a digit for the source and a small number, that digit.
_RULES = (
    ("[^/]+/", "([^/]+)/"),
    *((f"[^{separator}]+{separator}", f"([^{separator}]+){separator}") for separator in ("_", "-", " ", r"\.")),
    ("[^-_ .]+[-_ .]", "([^-_ .]+)[-_ .]"),
    (".*?[^0-9/][0-9]*$", "(.*?)[0-9]*$"),
    ("[0-9][01][0-9]{5}$", "([0-9])"),
)
SOURCE_DIGIT = "^([0-9])"  # tells where images come from rather than which belong together
_PART_FOLDER = "[^/]+/"  # which is a part of the split, and no group


def group_pattern(names: Sequence[str]) -> str | None:
    """A pattern for `data.groups` that divides the names into 2 to `MAX_GUESSED` groups; None if no rule does."""
    beginning = _PART_FOLDER if all(map(in_part_folder, names)) else ""
    for required, rule in _RULES:
        if not all(re.match(beginning + required, name) for name in names):
            continue
        pattern = f"^{beginning}{rule}"
        if 1 < len(set(groups_by_pattern(names, pattern))) <= min(MAX_GUESSED, len(names) // 2):
            return pattern
    return None


def joined_groups(
    names: Sequence[str], pairs: Iterable[tuple[int, int]], groups: Sequence[str] | None = None
) -> tuple[str, ...]:
    """The group of each image: those that are connected by pairs, or in one given group, are in one.

    A group has the name of its first image; with given groups the name of its given group, or of several, "a+b".

    Args:
        names: of the images.
        pairs: indices of images that belong together.
        groups: the given group of each image; None if there are none.
    """
    firsts: dict[str, int] = {}
    same = [(firsts.setdefault(group, index), index) for index, group in enumerate(groups or ())]
    roots = connected(len(names), [*pairs, *same]).tolist()
    if groups is None:
        return tuple(names[root] for root in roots)
    given: dict[int, set[str]] = {}
    for root, group in zip(roots, groups, strict=True):
        given.setdefault(root, set()).add(group)
    name_of: dict[int, str] = {}
    for root, parts in given.items():
        name = "+".join(sorted(parts))
        while name in name_of.values() or (len(parts) > 1 and name in groups):
            name += "+"
        name_of[root] = name
    return tuple(name_of[root] for root in roots)


def check_new_file(path: Path) -> None:
    """Raises BadInput if a file of groups cannot have this name, or exists."""
    if path.suffix.lower() != ".csv":
        raise BadInput(f"write_groups={path}: expected a file name that ends in .csv")
    if path.exists():
        raise BadInput(f"write_groups={path}: exists already and is not overwritten; choose another file")


def write_groups(path: Path, names: Sequence[str], groups: Sequence[str]) -> None:
    """Writes a CSV file for `data.groups`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(zip(names, groups, strict=True))
    write_text(path, text.getvalue())
