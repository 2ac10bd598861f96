"""Pictures and label images in two folders, with the same names: verified once and then opened without reading.

    IMAGES/NAME.jpg (or .png, .tif, …)    LABELS/NAME.png

Both may have folders inside, which then belong to the names: `berlin/0001`.
"""

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from activation_study.data.image_io import SUFFIXES, check_whole, read_label_image, read_picture
from activation_study.data.label_types import LabelType
from activation_study.data.verification import WORKERS, File, FileTree, error_reason, is_hidden, printable_path
from activation_study.errors import BadInput, problems_message

_LABEL_SUFFIXES = (".png",)
_LEFT_BY_WINDOWS = ("thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class PictureFolder:
    """A verified data set.

    Args:
        name: as in the configuration.
        tree: of the two folders.
        digest: see `FileTree.verify`, as if the folders were called `images` and `labels`.
        files: (name, path of the picture, path of its label), sorted by name.
    """

    name: str
    tree: FileTree
    digest: str
    files: tuple[tuple[str, str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The pictures' names without suffix, sorted."""
        return tuple(name for name, _, _ in self.files)

    def image(self, index: int) -> NDArray[np.uint8]:
        """The picture, uint8 [height, width, 3], BGR, turned by its EXIF orientation."""
        return self.tree.parsed(self.files[index][1], read_picture)

    def label(self, index: int, label_type: str) -> NDArray[np.int32]:
        """The raw ids, int32 [height, width], as large as the picture."""
        return self.tree.parsed(self.files[index][2], read_label_image)


def open_folder(name: str, images: Path, labels: Path, label_type: LabelType, stamps: Path) -> PictureFolder:
    """Opens the data set; reads its files only when they, or the ids of the classes, are new or changed.

    Raises:
        BadInput: with all faults at once.
    """
    for key, folder in (("data.images", images), ("data.labels", labels)):
        if not folder.is_dir():
            raise BadInput(f"{key}={folder}: there is no such folder")
    if images.resolve() == labels.resolve():
        raise BadInput(f"data.images and data.labels are both {images}: expected two folders with the same names")
    tree = FileTree({"images/": images, "labels/": labels})
    found = tree.verify(
        stamps,
        None,
        lambda files: [*_structure_problems(files), *_content_problems(tree, files, label_type)],
        json.dumps([label_type.ids, label_type.unknown]),
    )
    if found.problems:
        raise BadInput(
            problems_message(
                f"The data set of {images} and {labels} cannot be used",
                found.problems,
                f"`images/…` is below {images}, `labels/…` below {labels}. Mend these files or move them away.",
            )
        )
    pictures, truths = (_by_name(found.files, part) for part in ("images", "labels"))
    files = tuple((key, pictures[key][0], truths[key][0]) for key in sorted(pictures))
    return PictureFolder(name, tree, found.digest, files)


def _by_name(files: Sequence[File], part: str) -> dict[str, list[str]]:
    """The files of a folder by name; a name is the same however Unicode composes it."""
    suffixes = SUFFIXES if part == "images" else _LABEL_SUFFIXES
    found = defaultdict(list)
    for file in files:
        path = PurePosixPath(file.path)
        if file.path.startswith(f"{part}/") and path.suffix.lower() in suffixes and not is_hidden(file.path):
            name = unicodedata.normalize("NFC", file.path[len(part) + 1 : -len(path.suffix)])
            found[name].append(file.path)
    return dict(found)


def _structure_problems(files: Sequence[File]) -> Iterator[str]:
    """What is wrong with the names: files missing, of other kinds, or told apart by case or suffix alone."""
    pictures, labels = _by_name(files, "images"), _by_name(files, "labels")
    known = {path for found in (pictures, labels) for paths in found.values() for path in paths}
    if not pictures:
        yield f"no pictures: expected images/NAME{SUFFIXES[0]} (or {', '.join(SUFFIXES[1:])}) with labels/NAME.png"
        return
    for file in files:
        name = file.path.rsplit("/", 1)[-1]
        if not file.path.isprintable():
            yield f"{printable_path(file.path)}: unprintable characters in its name"
        elif file.path not in known and not is_hidden(file.path) and name.lower() not in _LEFT_BY_WINDOWS:
            expected = ", ".join(SUFFIXES if file.path.startswith("images/") else _LABEL_SUFFIXES)
            yield f"{file.path}: expected files that end in {expected}"
    for name in sorted(set(pictures) - set(labels)):
        yield f"labels/{printable_path(name)}.png: missing, {printable_path(pictures[name][0])} is there"
    for name in sorted(set(labels) - set(pictures)):
        yield f"{printable_path(labels[name][0])}: there is no picture of that name"
    for found in (pictures, labels):
        alike: dict[str, list[str]] = defaultdict(list)
        for name, paths in sorted(found.items()):
            alike[name.casefold()] += paths
        for paths in alike.values():
            if len(paths) > 1:
                yield f"{', '.join(map(printable_path, paths))}: names that differ only in case, suffix or Unicode form"


def _content_problems(tree: FileTree, files: Sequence[File], label_type: LabelType) -> Iterator[str]:
    """What is wrong inside the pictures and labels."""
    pictures, labels = _by_name(files, "images"), _by_name(files, "labels")
    jobs = [(pictures.get(name, []), labels.get(name, [])) for name in sorted({*pictures, *labels})]
    with ThreadPoolExecutor(WORKERS) as pool:
        for problems in pool.map(partial(_pair_problems, tree, label_type), jobs):
            yield from problems


def _pair_problems(tree: FileTree, label_type: LabelType, job: tuple[list[str], list[str]]) -> list[str]:
    """The faults of one picture and its label, as far as there are such files."""
    problems, size = [], None
    for path in job[0]:
        try:
            content = tree.content(path)
            check_whole(content)
            size = read_picture(content).shape[:2]
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(path)}: {error_reason(error)}")
    for path in job[1]:
        try:
            ids = read_label_image(tree.content(path))
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(path)}: {error_reason(error)}")
            continue
        wrong = ids[label_type.undeclared(ids)]
        if len(wrong):
            counts = dict(zip(*np.unique(wrong, return_counts=True), strict=True))
            told = ", ".join(f"{each} ({count} pixels)" for each, count in list(counts.items())[:5])
            problems.append(f"{printable_path(path)}: ids that are no class' nor unknown: {told}")
        if size and ids.shape != size:
            sizes = [f"{width}×{height}" for height, width in (ids.shape, size)]
            turned = "; it is turned by its EXIF orientation" if ids.shape == size[::-1] else ""
            problems.append(
                f"{printable_path(path)}: {sizes[0]} (width × height): expected {sizes[1]} as its picture{turned}"
            )
    return problems
