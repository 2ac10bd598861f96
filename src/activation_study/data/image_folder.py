"""Images and label images in two folders, with the same names, verified once.

    IMAGES/NAME.jpg (or .png, .tif, …)    LABELS/NAME.png

Subfolders are allowed and become part of the names: `berlin/0001`.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from activation_study.data.image_check import ImageCheck
from activation_study.data.image_io import SUFFIXES, conversion_hint
from activation_study.data.image_reader import COLOR_IMAGES, ImageFacts, ImageReader
from activation_study.data.label_image import LABEL_SUFFIXES, LOSSY_SUFFIXES, WHY_NOT_LOSSY, read_label_image
from activation_study.data.label_tally import LabelFacts, LabelTally, label_facts
from activation_study.data.label_types import LabelType
from activation_study.data.verification import WORKERS, File, FileTree, error_reason, is_hidden, printable_path
from activation_study.errors import BadInput, alternatives, problems_message

_WINDOWS_FILES = ("thumbs.db", "desktop.ini")  # not part of a data set


@dataclass(frozen=True)
class ImageFolder:
    """A verified data set.

    Args:
        name: as in the configuration.
        tree: the two folders, as `images/` and `labels/`.
        digest: see `FileTree.verify`.
        files: (name, path of the image, path of its label), sorted by name.
        label_type: how labels are read.
        reader: of the images.
    """

    name: str
    tree: FileTree
    digest: str
    files: tuple[tuple[str, str, str], ...]
    label_type: LabelType
    reader: ImageReader = COLOR_IMAGES

    @property
    def names(self) -> tuple[str, ...]:
        """The images' names without suffix, sorted."""
        return tuple(name for name, _, _ in self.files)

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image, uint8 [height, width, channels], rotated by its EXIF orientation; see `ImageReader`."""
        return self.tree.read(self.files[index][1], self.reader.read)

    def facts(self, index: int) -> ImageFacts:
        """What the image's file holds."""
        return self.tree.read(self.files[index][1], self.reader.check)

    def label(self, index: int, label_type: str) -> NDArray[np.int32]:
        """The raw values (see `LabelType.raw`), int32 [height, width], of the same size as the image."""
        return self.tree.read(self.files[index][2], lambda content: self.label_type.raw(read_label_image(content)))


def open_folder(
    name: str, images: Path, labels: Path, label_type: LabelType, stamps: Path, reader: ImageReader = COLOR_IMAGES
) -> ImageFolder:
    """Opens the data set. Reads its files only if they, the ids of the classes or the reader are new or changed.

    Raises:
        BadInput: lists all problems at once.
    """
    for key, folder in (("data.images", images), ("data.labels", labels)):
        if not folder.is_dir():
            raise BadInput(f"{key}={folder}: no such folder")
    if images.resolve() == labels.resolve():
        raise BadInput(f"data.images and data.labels are both {images}: expected two folders")
    tree = FileTree({"images/": images, "labels/": labels})
    verified = tree.verify(
        stamps,
        None,
        lambda files: [*_structure_problems(files), *_content_problems(tree, files, label_type, reader)],
        f"{label_type.meaning}, {reader}",
    )
    if verified.problems:
        raise BadInput(
            problems_message(
                f"The data set in {images} and {labels} cannot be used",
                verified.problems,
                f"`images/…` is in {images}, `labels/…` in {labels}. Fix or remove them, or change data.classes.",
            )
        )
    image_paths, label_paths = (_paths_by_name(verified.files, part) for part in ("images", "labels"))
    files = tuple((key, image_paths[key][0], label_paths[key][0]) for key in sorted(image_paths))
    return ImageFolder(name, tree, verified.digest, files, label_type, reader)


def _paths_by_name(files: Sequence[File], part: str) -> dict[str, list[str]]:
    """The paths of `images` or `labels` for each name in Unicode's composed form."""
    suffixes = SUFFIXES if part == "images" else LABEL_SUFFIXES
    paths = defaultdict(list)
    for file in files:
        path = PurePosixPath(file.path)
        if file.path.startswith(f"{part}/") and path.suffix.lower() in suffixes and not is_hidden(file.path):
            name = unicodedata.normalize("NFC", file.path[len(part) + 1 : -len(path.suffix)])
            paths[name].append(file.path)
    return dict(paths)


def _structure_problems(files: Sequence[File]) -> Iterator[str]:
    """Missing files, files of other formats, and names that differ only in case, suffix or Unicode form."""
    images, labels = _paths_by_name(files, "images"), _paths_by_name(files, "labels")
    known = {path for paths_by_name in (images, labels) for paths in paths_by_name.values() for path in paths}
    if not images:
        yield f"no images: expected images/NAME{SUFFIXES[0]} (or {', '.join(SUFFIXES[1:])}) with labels/NAME.png"
        return
    for file in files:
        file_name = file.path.rsplit("/", 1)[-1]
        if not file.path.isprintable():
            yield f"{printable_path(file.path)}: unprintable characters in its name"
        elif file.path not in known and not is_hidden(file.path) and file_name.lower() not in _WINDOWS_FILES:
            expected = alternatives(SUFFIXES if file.path.startswith("images/") else LABEL_SUFFIXES)
            lossy = file.path.startswith("labels/") and file.path.lower().endswith(LOSSY_SUFFIXES)
            reason = f": {WHY_NOT_LOSSY}" if lossy else conversion_hint(file.path)
            yield f"{file.path}: expected a file name that ends in {expected}{reason}"
    for name in sorted(set(images) - set(labels)):
        yield f"labels/{printable_path(name)}.png: missing, but {printable_path(images[name][0])} exists"
    for name in sorted(set(labels) - set(images)):
        yield f"{printable_path(labels[name][0])}: no image of this name"
    for paths_by_name in (images, labels):
        colliding: dict[str, list[str]] = defaultdict(list)
        for name, paths in sorted(paths_by_name.items()):
            colliding[name.casefold()] += paths
        for paths in colliding.values():
            if len(paths) > 1:
                yield f"{', '.join(map(printable_path, paths))}: names that differ only in case, suffix or Unicode form"


def _content_problems(
    tree: FileTree, files: Sequence[File], label_type: LabelType, reader: ImageReader
) -> Iterator[str]:
    """Images and labels that cannot be read or do not fit, and values of labels that are not declared."""
    images, labels = _paths_by_name(files, "images"), _paths_by_name(files, "labels")
    jobs = [(images.get(name, []), labels.get(name, [])) for name in sorted({*images, *labels})]
    check, tally = ImageCheck(reader), LabelTally(label_type)
    with ThreadPoolExecutor(WORKERS) as pool:
        for problems, labels_facts in pool.map(partial(_pair_problems, tree, label_type, check), jobs):
            yield from problems
            for path, facts in labels_facts:
                tally.add(printable_path(path), facts)
    yield from check.problems()
    yield from tally.problems()


def _pair_problems(
    tree: FileTree, label_type: LabelType, check: ImageCheck, job: tuple[list[str], list[str]]
) -> tuple[list[str], list[tuple[str, LabelFacts]]]:
    """The problems of an image and its label, either of which may be missing; and what the label contains."""
    image_paths, label_paths = job
    problems, found, size = [], [], None
    for path in image_paths:
        try:
            size = check.size_of(printable_path(path), tree.read_bytes(path))
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(path)}: {error_reason(error)}")
    for path in label_paths:
        try:
            image = read_label_image(tree.read_bytes(path))
            raw = label_type.raw(image)
        except (OSError, ValueError) as error:
            problems.append(f"{printable_path(path)}: {error_reason(error)}")
            continue
        found.append((path, label_facts(label_type, image, raw)))
        if size and raw.shape != size:
            label_size, expected = (f"{width}×{height}" for height, width in (raw.shape, size))
            rotated = " rotated by its EXIF orientation" if raw.shape == size[::-1] else ""
            problems.append(
                f"{printable_path(path)}: {label_size} (width × height): "
                f"expected {expected}, the size of its image{rotated}"
            )
    return problems, found
