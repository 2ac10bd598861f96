"""A given split, read from a folder: train.txt, validation.txt (or val.txt) and test.txt with one name per line."""

import hashlib
import json
import shlex
from pathlib import Path

from activation_study.data.folders.hidden_files import is_hidden
from activation_study.data.splitting.splits import name_forms
from activation_study.errors import BadInput, problems_message

_FILES = {"train": ("train.txt",), "validation": ("validation.txt", "val.txt"), "test": ("test.txt",)}
_MAX_BYTES = 100_000_000
_HELD_OUT = 10  # every tenth image validates where there is no test list


def read_split_files(folder: Path) -> dict[str, list[str]]:
    """The names in `train`, `validation` and `test`, without empty lines, lines that start with # and hidden files.

    Raises:
        BadInput: a file is missing, empty or not UTF-8 text, or a name occurs twice.
    """
    problems: list[str] = []
    lacking: list[str] = []
    names_of: dict[str, list[str]] = {}
    for part, candidates in _FILES.items():
        path = next((folder / name for name in candidates if (folder / name).is_file()), None)
        if path is None:
            problems.append(f"{' or '.join(candidates)}: no such file")
            lacking.append(part)
            continue
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise ValueError(f"larger than {_MAX_BYTES:,} bytes")
            lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
        except (OSError, ValueError) as error:
            problems.append(f"{path.name}: {error}")
            continue
        names_of[part] = [line for line in lines if line and not line.startswith("#") and not _is_hidden(line)]
        if not names_of[part]:
            problems.append(f"{path.name}: contains no names")
    part_of: dict[str, str] = {}
    for part, names in names_of.items():
        for name in names:
            if name in part_of:
                problems.append(f"{name}: in {part}, but already in {part_of[name]}")
            part_of[name] = part
    if problems:
        only_test = lacking == ["test"] and len(problems) == 1
        hint = _without_test(folder, len(names_of["train"])) if only_test else "Expected one unique name per line."
        raise BadInput(problems_message(f"The split in {folder} cannot be used", problems, hint))
    return names_of


def _is_hidden(line: str) -> bool:
    """Whether a program that listed a folder has listed a hidden file, which is no image."""
    return is_hidden(line) and not line.startswith(("./", "../"))


def _without_test(folder: Path, count: int) -> str:
    """How to split a data set that has no list of test images, as those of many benchmarks are secret."""
    quoted, kept = shlex.quote(str(folder)), count - max(1, count // _HELD_OUT)
    validation = next(name for name in _FILES["validation"] if (folder / name).is_file())
    return (
        f"Where the test images have no labels, test on the images of {validation}, and validate on the last tenth of "
        "train.txt:\n"
        f"  mkdir split && cp {quoted}/{validation} split/test.txt\n"
        f"  head -n {kept} {quoted}/train.txt > split/train.txt\n"
        f"  tail -n +{kept + 1} {quoted}/train.txt > split/val.txt\n"
        "Then give data.split_files=split."
    )


def without_suffix(lists: dict[str, list[str]], image_suffix: str | None) -> dict[str, list[str]]:
    """The lists with the names as `data.image_suffix` makes them, whether the lines have that suffix or not."""
    return {part: [listed_name(line, image_suffix) for line in lines] for part, lines in lists.items()}


def listed_name(line: str, image_suffix: str | None) -> str:
    """A line of a list without `data.image_suffix` and what follows it: `1_img.png` is 1; others are unchanged."""
    if not image_suffix:
        return line
    return next((form for form in name_forms(line) if form.endswith(image_suffix)), line).removesuffix(image_suffix)


def split_digest(split: dict[str, list[str]]) -> str:
    """16 hex digits of a hash of the names, independent of their order."""
    text = json.dumps({part: sorted(names) for part, names in split.items()}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
