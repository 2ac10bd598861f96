"""The interface of all data sets, and the choice of one by the configuration."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import OWN_FORMATS, Data
from activation_study.data.folders.find_files import missing_folder
from activation_study.data.folders.pairing import Naming
from activation_study.data.image_set import open_image_set
from activation_study.data.images.image_reader import ImageFacts, image_reader
from activation_study.data.images.input_convention import to_grey
from activation_study.data.labels.label_types import LabelType
from activation_study.data.splitting.folder_splits import in_part_folder
from activation_study.data.splitting.split_files import read_split_files, without_suffix
from activation_study.data.splitting.splits import name_forms
from activation_study.errors import BadInput


class Source(Protocol):
    """Images and their label matrices, sorted by name.

    Attributes:
        name: of the data set.
        names: of the images, sorted.
        digest: SHA-256 of the content.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def digest(self) -> str: ...  # noqa: D102

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image, uint8 [height, width, channels]: 3 channels are BGR, others in the order of the file."""

    def facts(self, index: int) -> ImageFacts:
        """What the image's file holds."""

    def label(self, index: int, label_type: str) -> NDArray[Any]:
        """The raw label matrix, integers [height, width]; `LabelType.target` converts it to class ids."""


def open_source(data: Data, label_type: LabelType) -> Source:
    """The configured data set, downloaded or extracted if it is missing, and verified.

    Raises:
        BadInput: the data set is missing and cannot be fetched, or its content is invalid.
    """
    if data.format == "scenes":
        assert data.count is not None
        assert data.scenes_seed is not None
        return in_channels(_scenes(data.count, data.scenes_seed), data.channels)
    if data.format == "plugin":
        return open_image_set(data, label_type)
    stamps = Path(data.cache) / "verified"
    if data.format == "folder":
        from activation_study.data.folders.image_folder import open_folder

        if data.images is None or data.labels is None:
            raise BadInput("data.images and data.labels are null; give the folders: data.images=PATH data.labels=PATH")
        folders, naming = (Path(data.images), Path(data.labels)), naming_of(data)
        return open_folder(data.name, *folders, label_type, stamps, image_reader(data), naming)
    from activation_study.data.download import fetch
    from activation_study.data.iccv09 import open_iccv09

    if data.root is None:
        raise BadInput("data.root is null; give the folder of the data set: data.root=PATH")
    root = Path(data.root)
    fetch(root, Path(data.archive) if data.archive else None, data.addresses)
    return in_channels(open_iccv09(root, data.name, data.digest, stamps), data.channels)


def in_channels(source: Source, channels: int) -> Source:
    """A source of colour images with 3 channels, or with 1: grey."""
    return source if channels == 3 else GreySource(source)


@dataclass(frozen=True)
class GreySource:
    """A source of colour images, in grey: uint8 [height, width, 1]."""

    colors: Source

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.colors.name

    @property
    def names(self) -> tuple[str, ...]:
        """Of the images, sorted."""
        return self.colors.names

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return self.colors.digest

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image, uint8 [height, width, 1]."""
        return to_grey(self.colors.image(index))

    def facts(self, index: int) -> ImageFacts:
        """What the image's file holds."""
        return self.colors.facts(index)

    def label(self, index: int, label_type: str) -> NDArray[Any]:
        """The raw label matrix."""
        return self.colors.label(index, label_type)


def naming_of(data: Data) -> Naming:
    """How the files of `data=folder` are named, and which of them the split uses."""
    counts: Callable[[str], bool] | None = None
    if data.split == "folders":
        counts = in_part_folder
    elif data.split_files is not None:
        lists = without_suffix(read_split_files(Path(data.split_files)), data.image_suffix)
        counts = {form for names in lists.values() for name in names for form in name_forms(name)}.__contains__
    return Naming(data.image_suffix, data.label_suffix, counts)


def missing_data(data: Data) -> str | None:
    """Which file or folder is missing, so that the data set cannot be opened; None if it may be."""
    if data.format == "folder":
        named = (("data.images", data.images), ("data.labels", data.labels))
        return next(filter(None, (missing_folder(key, Path(str(name))) for key, name in named)), None)
    if data.format == "plugin":  # one file may be its root
        missing = data.root is not None and not Path(data.root).exists()
        return f"data.root={data.root}: no such file or folder" if missing else None
    if data.format == "scenes" or Path(str(data.root)).is_dir():
        return None
    if data.archive is not None:
        return None if Path(data.archive).is_file() else f"data.archive={data.archive}: no such file"
    return None if data.addresses else f"data.root={data.root}: no such folder, and data.archive=PATH is not given"


def current_digest(data: Data, label_type: LabelType) -> str | None:
    """The digest of the content as it is on the disk; None if the data are not there yet, or drawn.

    Nothing is downloaded or extracted. Files are read only if they are new or changed.

    Raises:
        BadInput: the content is invalid.
    """
    if data.format == "scenes":  # the configuration decides the content
        return None
    if data.format in OWN_FORMATS and missing_data(data) is not None:
        return data.digest
    if data.format == "iccv09" and not (data.root is not None and Path(data.root).is_dir()):
        return data.digest
    return open_source(data, label_type).digest


def reject_changed_files(data: Data, label_type: LabelType, verified: str) -> None:
    """Checks that the files of a data set still have the content that was verified.

    Labels are read once more at the end of a run. A plug-in's images are checked each time they are read.

    Args:
        data: the configured data set.
        label_type: which labels.
        verified: the digest of the content when the data set was opened.

    Raises:
        BadInput: a file was changed, added or removed.
    """
    if data.format in ("folder", "iccv09") and current_digest(data, label_type) != verified:
        raise BadInput(
            f"{data.name}: files of the data set changed after it was opened: restore them, and start the run again"
        )


@lru_cache(maxsize=2)
def _scenes(count: int, seed: int) -> Source:
    """The scenes, drawn once per process, since the runs of a sweep share them."""
    from activation_study.data.scenes import draw_scenes

    return draw_scenes(count, seed)
