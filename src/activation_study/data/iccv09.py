"""The folder layout of the Stanford Background Dataset, verified once and then opened without reading.

    images/NAME.jpg    labels/NAME.regions.txt  labels/NAME.surfaces.txt  labels/NAME.layers.txt

Other files beside the two folders (`horizons.txt`, `README`) are allowed and count for the digest.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.data.jpeg import read_jpeg
from activation_study.data.label_text import raw_range, read_label
from activation_study.data.label_types import LABEL_TYPES
from activation_study.data.verification import WORKERS, File, FileTree, error_reason, is_hidden, printable_path
from activation_study.errors import BadInput, problems_message

_SUFFIXES = {"images": (".jpg",), "labels": tuple(f".{label_type}.txt" for label_type in LABEL_TYPES)}


@dataclass(frozen=True)
class Iccv09Folder:
    """A verified data set.

    Args:
        name: as in the configuration, for messages and tables.
        root: the folder that holds `images` and `labels`.
        names: the pictures' names without suffix, sorted.
        digest: see `FileTree.verify`.
    """

    name: str
    root: Path
    names: tuple[str, ...]
    digest: str

    def image(self, index: int) -> NDArray[np.uint8]:
        """The picture, uint8 [height, width, 3], BGR; not turned by its EXIF orientation, so that it fits its label."""
        return FileTree({"": self.root}).parsed(f"images/{self.names[index]}.jpg", read_jpeg)

    def label(self, index: int, label_type: str) -> NDArray[np.int16]:
        """The raw ids, int16 [height, width], as large as the picture."""
        return FileTree({"": self.root}).parsed(f"labels/{self.names[index]}.{label_type}.txt", read_label)


def open_iccv09(root: Path, name: str, expected_digest: str | None, stamps: Path) -> Iccv09Folder:
    """Opens the data set in the folder `root`; reads its files only when they are new or changed.

    Raises:
        BadInput: with all faults at once; or with both digests where only these differ.
    """
    root = root.resolve()
    if not root.is_dir():
        raise BadInput(f"There is no data set in {root}: expected a folder that holds images and labels.")
    tree = FileTree({"": root})
    found = tree.verify(
        stamps, expected_digest, lambda files: [*structure_problems(files), *_content_problems(tree, files)]
    )
    if found.problems:
        mend = f"Mend or remove these below {root}"
        if expected_digest is not None:
            mend = f"Delete {root} and it is fetched again; or, if it is a data set of your own: m{mend[1:]}"
        raise BadInput(problems_message(f"The data set in {root} cannot be used", found.problems, f"{mend}."))
    if expected_digest not in (None, found.digest):
        raise BadInput(
            f"The data set in {root} is complete and readable but not the expected one.\n"
            f"  expected content digest {expected_digest}\n  found                   {found.digest}\n"
            "Delete the folder and it is fetched again; or, if it is a data set of your own in this layout, "
            "say data.digest=null."
        )
    return Iccv09Folder(name, root, tuple(sorted(_pictures(found.files))), found.digest)


def structure_problems(files: Sequence[File]) -> list[str]:
    """What is wrong with the names: files missing, too many, or told apart by case alone."""
    problems = [
        f"{printable_path(file.path)}: unprintable characters in its name"
        for file in files
        if not file.path.isprintable()
    ]
    pictures, labels = _pictures(files), _labels(files)
    if not pictures and not labels:
        return ["no pictures: expected images/NAME.jpg with labels/NAME.regions.txt, .surfaces.txt and .layers.txt"]
    for file in files:
        folder, _, rest = file.path.partition("/")
        if folder in _SUFFIXES and not is_hidden(file.path) and ("/" in rest or not rest.endswith(_SUFFIXES[folder])):
            wanted = ", ".join(f"{folder}/NAME{suffix}" for suffix in _SUFFIXES[folder])
            problems.append(f"{printable_path(file.path)}: expected nothing but {wanted}")
    for name in sorted(pictures):
        missing = [suffix for suffix in _SUFFIXES["labels"] if suffix not in labels.get(name, ())]
        problems += [
            f"labels/{printable_path(name)}{suffix}: missing, images/{printable_path(name)}.jpg is there"
            for suffix in missing
        ]
    problems += [
        f"images/{printable_path(name)}.jpg: missing, labels are there" for name in sorted(set(labels) - pictures)
    ]
    alike = defaultdict(list)
    for name in sorted(pictures):
        alike[unicodedata.normalize("NFC", name).casefold()].append(f"images/{printable_path(name)}.jpg")
    return problems + [f"{', '.join(same)}: names that differ only in case" for same in alike.values() if len(same) > 1]


def _content_problems(tree: FileTree, files: Sequence[File]) -> list[str]:
    """What is wrong inside the pictures and labels."""
    labels = _labels(files)
    jobs = {name: [f"images/{name}.jpg"] for name in sorted(_pictures(files))}
    for name, suffixes in labels.items():
        jobs.setdefault(name, []).extend(f"labels/{name}{suffix}" for suffix in suffixes)
    with ThreadPoolExecutor(WORKERS) as pool:
        return [
            problem for problems in pool.map(partial(_picture_problems, tree), jobs.values()) for problem in problems
        ]


def _picture_problems(tree: FileTree, paths: Sequence[str]) -> list[str]:
    """The faults of one picture and its labels, as far as there are such files."""
    problems, picture_size = [], None
    for path in paths:
        try:
            if path.startswith("images/"):
                picture_size = read_jpeg(tree.content(path)).shape[:2]
                continue
            label = read_label(tree.content(path))
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(path)}: {error_reason(error)}")
            continue
        low, high = raw_range(path.rsplit(".", 2)[1])
        wrong = np.argwhere((label < low) | (label > high))
        if len(wrong):
            row, column = wrong[0]
            found = f"id {label[row, column]} in line {row + 1}" + f" ({len(wrong)} pixels)" * (len(wrong) > 1)
            problems.append(f"{printable_path(path)}: {found}: expected {low} to {high}")
        if picture_size and label.shape != picture_size:
            sizes = [f"{width}×{height}" for height, width in (label.shape, picture_size)]
            problems.append(f"{printable_path(path)}: {sizes[0]} (width × height): expected {sizes[1]} as its picture")
    return problems


def _pictures(files: Iterable[File]) -> set[str]:
    return {file.path[7:-4] for file in files if _belongs(file.path, "images", ".jpg")}


def _labels(files: Iterable[File]) -> dict[str, list[str]]:
    """The label suffixes that are there, for each name."""
    found = defaultdict(list)
    for file in files:
        for suffix in _SUFFIXES["labels"]:
            if _belongs(file.path, "labels", suffix):
                found[file.path[7 : -len(suffix)]].append(suffix)
    return dict(found)


def _belongs(path: str, folder: str, suffix: str) -> bool:
    return path.startswith(f"{folder}/") and path.endswith(suffix) and path.count("/") == 1 and not is_hidden(path)
