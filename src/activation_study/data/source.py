"""What all data sets offer, and which one a configuration means."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from activation_study.config.schema import Data
from activation_study.data.label_types import LabelType


class Source(Protocol):
    """Photographs with their label matrices, sorted by name.

    Attributes:
        name: the data set's.
        names: the pictures', sorted.
        digest: sha256 of the content.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def digest(self) -> str: ...  # noqa: D102

    def image(self, index: int) -> NDArray[np.uint8]:
        """A picture as OpenCV reads it: uint8 [height, width, 3], BGR."""

    def label(self, index: int, label_type: str) -> NDArray[Any]:
        """Its label file's matrix, integers [height, width], which `LabelType.target` understands."""


def open_source(data: Data, label_type: LabelType) -> Source:
    """The configured data set, fetched when it is missing, verified.

    Raises:
        BadInput: it is not there and cannot be had, or its content is not what it should be.
    """
    if data.format == "scenes":
        assert data.count is not None
        assert data.scenes_seed is not None
        return _scenes(data.count, data.scenes_seed)
    stamps = Path(data.cache) / "verified"
    if data.format == "folder":
        from activation_study.data.image_folder import open_folder

        assert data.images is not None
        assert data.labels is not None
        return open_folder(data.name, Path(data.images), Path(data.labels), label_type, stamps)
    from activation_study.data.download import fetch
    from activation_study.data.iccv09 import open_iccv09

    assert data.root is not None
    root = Path(data.root)
    fetch(root, Path(data.archive) if data.archive else None, data.addresses)
    return open_iccv09(root, data.name, data.digest, stamps)


@lru_cache(maxsize=2)
def _scenes(count: int, seed: int) -> Source:
    """Drawn once per process: a sweep's runs share them."""
    from activation_study.data.scenes import draw_scenes

    return draw_scenes(count, seed)
