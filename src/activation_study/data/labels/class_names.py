"""Names of classes from a list of colours that a labelling tool wrote beside its label images.

CVAT's labelmap.txt       road:128,64,128::
CamVid's label_colors.txt 128 64 128 Road
class_dict.csv            Road,128,64,128
"""

import re
from collections.abc import Set
from pathlib import Path

FILES = ("labelmap.txt", "label_colors.txt", "colormap.txt", "class_dict.csv")
_LINES = (
    re.compile(r"(?P<name>[^:]+):(?P<red>\d+),(?P<green>\d+),(?P<blue>\d+)(:.*)?"),
    re.compile(r"(?P<red>\d+)\s+(?P<green>\d+)\s+(?P<blue>\d+)\s+(?P<name>.+)"),
    re.compile(r"(?P<name>[^,]+),\s*(?P<red>\d+),\s*(?P<green>\d+),\s*(?P<blue>\d+)"),
)


def color_names(labels: Path) -> dict[int, str]:
    """The name of each colour (red · 2¹⁶ + green · 2⁸ + blue), from the first list in the folder or its parent."""
    for folder in (labels, labels.resolve().parent):
        for name in FILES:
            try:
                text = (folder / name).read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                continue
            if found := _parse(text):
                return found
    return {}


def class_name(name: str | None, number: int, taken: set[str]) -> str:
    """A name that `classes.yaml` allows and that is not taken yet, which it then is.

    Args:
        name: as it was found; None: class<number>.
        number: of the class.
        taken: the names of other classes, casefolded.
    """
    usable = re.sub(r"[^\w .-]", "_", name or "").strip() or f"class{number}"
    unique = usable if usable.casefold() not in taken else _numbered(usable, taken)
    taken.add(unique.casefold())
    return unique


def _numbered(name: str, taken: Set[str]) -> str:
    return next(each for each in (f"{name}{number}" for number in range(2, 10_000)) if each.casefold() not in taken)


def _parse(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for line in text.splitlines():
        match = next(filter(None, (pattern.fullmatch(line.strip()) for pattern in _LINES)), None)
        if match is None or line.lstrip().startswith("#"):
            continue
        channels = [int(match[channel]) for channel in ("red", "green", "blue")]
        if max(channels) <= 255:
            found.setdefault(channels[0] << 16 | channels[1] << 8 | channels[2], match["name"].strip())
    return found
