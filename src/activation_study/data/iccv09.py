"""The folder layout of the Stanford Background Dataset, verified once.

    images/NAME.jpg    labels/NAME.regions.txt  labels/NAME.surfaces.txt  labels/NAME.layers.txt

Other files beside the two folders (`horizons.txt`, `README`) are allowed and contribute to the digest.
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

from activation_study.data.folders.hidden_files import is_hidden
from activation_study.data.images.image_io import read_jpeg
from activation_study.data.images.image_reader import ImageFacts, facts_of
from activation_study.data.labels.label_text import raw_range, read_label
from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.data.verification import WORKERS, File, FileTree, error_reason, is_printable, printable_path
from activation_study.errors import BadInput, alternatives, problems_message, summed_up

_SUFFIXES = {"images": (".jpg",), "labels": tuple(f".{label_type}.txt" for label_type in LABEL_TYPES)}


@dataclass(frozen=True)
class Iccv09Folder:
    """A verified data set.

    Args:
        name: as in the configuration, for messages and tables.
        root: the folder that contains `images` and `labels`.
        names: the images' names without suffix, sorted.
        digest: see `FileTree.verify`.
    """

    name: str
    root: Path
    names: tuple[str, ...]
    digest: str

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image, uint8 [height, width, 3], BGR. The EXIF orientation is ignored, since labels do not follow it."""
        return FileTree({"": self.root}).read(f"images/{self.names[index]}.jpg", read_jpeg)

    def facts(self, index: int) -> ImageFacts:
        """What the image's file holds."""
        return facts_of(self.image(index))

    def label(self, index: int, label_type: str) -> NDArray[np.int16]:
        """The raw ids, int16 [height, width], of the same size as the image."""
        return FileTree({"": self.root}).read(f"labels/{self.names[index]}.{label_type}.txt", read_label)


def open_iccv09(root: Path, name: str, expected_digest: str | None, stamps: Path) -> Iccv09Folder:
    """Opens the data set in the folder `root`. Reads its files only if they are new or changed.

    Raises:
        BadInput: lists all problems at once, or gives both digests if the content is valid but not the expected one.
    """
    root = root.resolve()
    if not root.is_dir():
        raise BadInput(f"There is no data set in {root}: expected a folder with the folders images and labels.")
    tree = FileTree({"": root})
    files, problems = tree.scan()
    verified = tree.verify(
        files,
        stamps,
        expected_digest,
        lambda: [*structure_problems(files), *_content_problems(tree, files)],
        known_problems=problems,
    )
    if verified.problems:
        fix = f"Fix or remove these files in {root}."
        if expected_digest is not None:
            fix = f"Delete {root} to fetch the data set again. If it is your own data set: f{fix[1:]}"
        raise BadInput(problems_message(f"The data set in {root} cannot be used", summed_up(verified.problems), fix))
    if expected_digest not in (None, verified.digest):
        raise BadInput(
            f"The data set in {root} is complete and readable, but it is not the expected one.\n"
            f"  expected content digest {expected_digest}\n  actual content digest   {verified.digest}\n"
            "Delete the folder to fetch the data set again. If it is your own data set in this layout, "
            "set data.digest=null."
        )
    return Iccv09Folder(name, root, tuple(sorted(_image_names(files))), verified.digest)


def structure_problems(files: Sequence[File]) -> list[str]:
    """Missing files, unexpected files, and names that differ only in case or Unicode form."""
    problems = [
        f"{printable_path(file.path)}: unprintable characters in its name"
        for file in files
        if not is_printable(file.path)
    ]
    images, labels = _image_names(files), _label_suffixes(files)
    if not images and not labels:
        return ["no images: expected images/NAME.jpg with labels/NAME.regions.txt, .surfaces.txt and .layers.txt"]
    for file in files:
        folder, _, rest = file.path.partition("/")
        if folder in _SUFFIXES and not is_hidden(file.path) and ("/" in rest or not rest.endswith(_SUFFIXES[folder])):
            expected = alternatives(f"{folder}/NAME{suffix}" for suffix in _SUFFIXES[folder])
            problems.append(f"{printable_path(file.path)}: unexpected file: only {expected} may be here")
    for name in sorted(images):
        missing = [suffix for suffix in _SUFFIXES["labels"] if suffix not in labels.get(name, ())]
        problems += [f"labels/{printable_path(name)}{suffix}: missing, but its image exists" for suffix in missing]
    problems += [
        f"images/{printable_path(name)}.jpg: missing, but it has labels" for name in sorted(set(labels) - images)
    ]
    colliding = defaultdict(list)
    for name in sorted(images):
        colliding[unicodedata.normalize("NFC", name).casefold()].append(f"images/{printable_path(name)}.jpg")
    return problems + [
        f"{', '.join(paths)}: names that differ only in case" for paths in colliding.values() if len(paths) > 1
    ]


def _content_problems(tree: FileTree, files: Sequence[File]) -> list[str]:
    """Images and labels that cannot be read, do not fit, or have ids out of range."""
    jobs = {name: [f"images/{name}.jpg"] for name in sorted(_image_names(files))}
    for name, suffixes in _label_suffixes(files).items():
        jobs.setdefault(name, []).extend(f"labels/{name}{suffix}" for suffix in suffixes)
    with ThreadPoolExecutor(WORKERS) as pool:
        return [
            problem for problems in pool.map(partial(_problems_of_name, tree), jobs.values()) for problem in problems
        ]


def _problems_of_name(tree: FileTree, paths: Sequence[str]) -> list[str]:
    """The problems of an image and its labels; the image comes first, and any may be missing."""
    problems, image_size = [], None
    for path in paths:
        try:
            content = tree.read_bytes(path)
            if path.startswith("images/"):
                image_size = read_jpeg(content).shape[:2]
                continue
            label = read_label(content)
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(path)}: {error_reason(error)}")
            continue
        low, high = raw_range(path.rsplit(".", 2)[1])
        wrong = np.argwhere((label < low) | (label > high))
        if len(wrong):
            row, column = wrong[0]
            pixels = f" ({len(wrong)} pixels)" if len(wrong) > 1 else ""
            problems.append(
                f"{printable_path(path)}: id {label[row, column]} in line {row + 1}{pixels}: expected {low} to {high}"
            )
        if image_size and label.shape != image_size:
            label_size, expected = (f"{width}×{height}" for height, width in (label.shape, image_size))
            problems.append(
                f"{printable_path(path)}: {label_size} (width × height): expected {expected}, the size of its image"
            )
    return problems


def _image_names(files: Iterable[File]) -> set[str]:
    return {file.path[7:-4] for file in files if _is_in(file.path, "images", ".jpg")}


def _label_suffixes(files: Iterable[File]) -> dict[str, list[str]]:
    """The suffixes of the existing label files for each name."""
    suffixes = defaultdict(list)
    for file in files:
        for suffix in _SUFFIXES["labels"]:
            if _is_in(file.path, "labels", suffix):
                suffixes[file.path[7 : -len(suffix)]].append(suffix)
    return dict(suffixes)


def _is_in(path: str, folder: str, suffix: str) -> bool:
    return path.startswith(f"{folder}/") and path.endswith(suffix) and path.count("/") == 1 and not is_hidden(path)
