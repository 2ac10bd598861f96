"""Images and label images in two folders, verified once; `pairing` says which belong together.

Subfolders are allowed and become part of the names: `berlin/0001`.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.data.folders.find_files import find_files
from activation_study.data.folders.pairing import ANY_NAMES, Naming, Pairing
from activation_study.data.folders.size_check import size_problem
from activation_study.data.images.exif import EXCHANGES_SIDES, TURNED, UPRIGHT, exif_orientation
from activation_study.data.images.image_check import ImageCheck
from activation_study.data.images.image_reader import COLOR_IMAGES, ImageFacts, ImageReader
from activation_study.data.labels.label_facts import LabelFacts, label_facts
from activation_study.data.labels.label_image import read_label_image
from activation_study.data.labels.label_tally import LabelTally
from activation_study.data.labels.label_types import LabelType
from activation_study.data.verification import WORKERS, FileTree, error_reason, printable_path
from activation_study.outcome import warn

# 1, without a name: of a TIFF's pages the first alone, and colours multiplied by their transparency.
# 2: 16 bits in tiles mixed up, a fourth channel without a meaning dropped.
TIFF_DECODING = "-tiff3"


@dataclass(frozen=True)
class ImageFolder:
    """A verified data set.

    Args:
        name: as in the configuration.
        tree: the two folders, as `images/` and `labels/`.
        digest: see `FileTree.verify`.
        files: (name, path of the image, path of its label), in the order of `Pairing.names`.
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
        """The images' names without suffix."""
        return tuple(name for name, _, _ in self.files)

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image, uint8 [height, width, channels], rotated by its EXIF orientation; see `ImageReader`."""
        return self.tree.read(self.files[index][1], self.reader.read)

    def facts(self, index: int) -> ImageFacts:
        """What the image's file holds."""
        return self.tree.read(self.files[index][1], self.reader.check)

    def orientation(self, index: int) -> int:
        """The EXIF orientation by which the image is rotated, 1 to 8; 1 = as stored."""
        return self.tree.read(self.files[index][1], exif_orientation)

    def label(self, index: int, label_type: str) -> NDArray[np.int32]:
        """The raw values (see `LabelType.raw`), int32 [height, width], of the same size as the image."""
        return self.tree.read(self.files[index][2], lambda content: self.label_type.raw(read_label_image(content)))


def image_decoding(source: object) -> str:
    """How the images of a source are decoded (`decoding_of`)."""
    return decoding_of(image for _, image, _ in source.files) if isinstance(source, ImageFolder) else ""


def turned_images(source: object) -> dict[int, str]:
    """The images of an image folder that their EXIF orientation turns, each with how."""
    if not isinstance(source, ImageFolder):  # no other source turns images
        return {}
    orientations = {index: source.orientation(index) for index in range(len(source.files))}
    return {index: TURNED[value] for index, value in orientations.items() if value != UPRIGHT}


def open_folder(
    name: str,
    images: Path,
    labels: Path,
    label_type: LabelType,
    stamps: Path,
    reader: ImageReader = COLOR_IMAGES,
    naming: Naming = ANY_NAMES,
) -> ImageFolder:
    """Opens the data set. Reads its files only if they, the ids of the classes or the reader are new or changed.

    Warns where it reads them of a range that hardly fits the images.

    Raises:
        BadInput: lists all problems at once.
    """
    found, check = find_files(images, labels, naming), ImageCheck(reader)
    pairing = found.pairing
    used = {path for key in pairing.names for path in (*pairing.images[key], *pairing.labels[key])}
    verified = found.tree.verify(
        [file for file in found.files if file.path in used],
        stamps,
        None,
        lambda: _content_problems(found.tree, pairing, label_type, check),
        f"{label_type.meaning}, {reader}{_gif_version(used)}{decoding_of(used)}",
        found.problems,
    )
    found.reject(verified.problems)
    for what, fix in check.misfits():
        warn(f"{what}: unless this is meant, set {fix}")
    files = tuple((key, pairing.images[key][0], pairing.labels[key][0]) for key in pairing.names)
    return ImageFolder(name, found.tree, verified.digest, files, label_type, reader)


def decoding_of(images: Iterable[str]) -> str:
    """Names how images are decoded, for what is kept of them; empty unless some are decoded otherwise than at first."""
    return TIFF_DECODING if any(path.lower().endswith((".tif", ".tiff")) for path in images) else ""


def _gif_version(paths: Iterable[str]) -> str:
    """Has labels verified again that were verified when grey GIF files were read by their indices."""
    return ", grey GIF" if any(path.lower().endswith(".gif") for path in paths) else ""


def _content_problems(tree: FileTree, pairing: Pairing, label_type: LabelType, check: ImageCheck) -> Iterator[str]:
    """Images and labels that cannot be read or do not fit, and values of labels that are not declared."""
    jobs = [(pairing.images[name], pairing.labels[name]) for name in pairing.names]
    tally = LabelTally(label_type)
    with ThreadPoolExecutor(WORKERS) as pool:
        for problems, labels_facts in pool.map(partial(_pair_problems, tree, label_type, check), jobs):
            yield from problems
            for path, facts in labels_facts:
                tally.add(printable_path(path), facts)
    yield from check.problems()
    yield from tally.problems()


def _pair_problems(
    tree: FileTree, label_type: LabelType, check: ImageCheck, job: tuple[Sequence[str], Sequence[str]]
) -> tuple[list[str], list[tuple[str, LabelFacts]]]:
    """The problems of an image and its label, and what the label contains."""
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
            turned = exif_orientation(tree.read_bytes(image_paths[0])) in EXCHANGES_SIDES
            problems.append(str(size_problem(path, (raw.shape[0], raw.shape[1]), size, turned)))
    return problems, found
