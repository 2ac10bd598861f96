"""The split that folders give: images/train/…, images/val/…, images/test/…"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from activation_study.data.folders.hidden_files import is_hidden
from activation_study.data.folders.pairing import matching_folders
from activation_study.data.splitting.splits import Split
from activation_study.errors import BadInput, alternatives, counted, examples

# In lower case; the first name of each part is the usual one.
FOLDERS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
_PART_OF = {folder: part for part, folders in FOLDERS.items() for folder in folders}


def part_of(name: str) -> str | None:
    """The part of the split that the first folder of an image's name stands for; None if it stands for none."""
    folder, slash, _ = name.partition("/")
    return _PART_OF.get(folder.lower()) if slash else None


def in_part_folder(name: str) -> bool:
    """Whether `split_by_folders` uses the image of this name."""
    return part_of(name) is not None


def has_part_folders(folders: Sequence[str]) -> bool:
    """Whether these first folders of names are a split: two or three parts of one."""
    return len({part for folder in folders if (part := _PART_OF.get(folder.lower()))}) > 1


def automatic_split(images: str | None) -> str:
    """What `data.split=auto` stands for: `folders` where the first folders of the images are parts, else `shuffled`."""
    if images is None:
        return "shuffled"
    places = matching_folders(Path(images))
    names = [beginning.partition("/")[0] for beginning in places if beginning]
    if "" in places:
        try:
            names = [path.name for path in places[""].iterdir() if not is_hidden(path.name) and path.is_dir()]
        except OSError:
            names = []
    return "folders" if has_part_folders(names) else "shuffled"


def automatic_split_of(names: Sequence[str]) -> str:
    """Likewise of images of these names."""
    return "folders" if has_part_folders(first_folders(names)) else "shuffled"


def first_folders(names: Sequence[str]) -> list[str]:
    """The first folders of images' names, sorted."""
    return sorted({name.partition("/")[0] for name in names if "/" in name})


def split_by_folders(names: Sequence[str]) -> Split:
    """The split by the first folder of each name; images in other folders are left out.

    Raises:
        BadInput: a part has no images.
    """
    parts = [part_of(name) for name in names]
    missing = [part for part in FOLDERS if part not in parts]
    if missing:
        counts = Counter(name.partition("/")[0] for name in names if part_of(name))
        there = ", ".join(f"{folder}/ ({counted(count, 'image')})" for folder, count in counts.items())
        lacking = " and no ".join(
            f"folder {alternatives(f'{folder}/' for folder in FOLDERS[part])}" for part in missing
        )
        raise BadInput(
            f"data.split=folders: the images have no {lacking}{f', only {there}' if there else ''}. "
            "Add the folder with images and labels; or list the images of each part: data.split=files "
            "data.split_files=FOLDER, where FOLDER has train.txt, val.txt and test.txt; or set data.split=shuffled, "
            "which divides all images at random."
        )
    return Split(**{part: np.flatnonzero([each == part for each in parts]) for part in FOLDERS})


def left_out_folders(names: Sequence[str]) -> str | None:
    """Says which folders beside those of the parts are left out; None if there are none."""
    counts = Counter(
        f"{name.partition('/')[0]}/" if "/" in name else "no folder" for name in names if not part_of(name)
    )
    if not counts:
        return None
    where = examples([f"{folder} ({count:,})" for folder, count in sorted(counts.items())], 5)
    return f"data.split=folders leaves out {counted(counts.total(), 'image')} beside the folders of the parts: {where}"
