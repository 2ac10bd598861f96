"""A data set of a plug-in: images and labels that a class of yours hands out, however they are stored."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.config.components import make_component
from activation_study.config.schema import Data
from activation_study.console import announced_wait
from activation_study.data.images.image_reader import ImageFacts, facts_of
from activation_study.data.labels.class_problems import MAX_ID
from activation_study.data.labels.label_facts import label_facts
from activation_study.data.labels.label_image import LabelImage
from activation_study.data.labels.label_tally import LabelTally
from activation_study.data.labels.label_types import LabelType
from activation_study.errors import BadInput, counted, problems_message


class ImageSet(ABC):
    """Images with labels. Both must be the same whenever they are asked for.

    `data.source` names a class derived from this one, with its arguments. One that takes `root` gets `data.root`, which
    may be another folder on each machine.

    Attributes:
        names: of the images, each once, in any order; a folder may be part of a name: `berlin/0001`.
    """

    names: Sequence[str]

    @abstractmethod
    def image(self, name: str) -> NDArray[np.uint8]:
        """The image of a name: uint8 [height, width, `data.channels`]; three channels are red, green, blue."""

    @abstractmethod
    def label(self, name: str) -> NDArray[Any]:
        """Its label: whole numbers [height, width], each an id of `data.classes`."""


@dataclass(frozen=True)
class ReadImageSet:
    """An image set whose images and labels were all read and found right: a `Source`.

    Args:
        name: of the data set.
        images: the set itself.
        names: sorted.
        digest: SHA-256 (hex) of names, sizes, images and labels.
        channels: of each image.
    """

    name: str
    images: ImageSet
    names: tuple[str, ...]
    digest: str
    channels: int

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image, uint8 [height, width, channels], OpenCV's BGR if these are three."""
        return _bgr(_image(self.images, self.names[index], self.channels))

    def facts(self, index: int) -> ImageFacts:
        """As those of a file."""
        return facts_of(self.image(index))

    def label(self, index: int, label_type: str) -> NDArray[np.int32]:  # of the interface
        """The ids of the label, int32 [height, width]."""
        return _label(self.images, self.names[index])


def open_image_set(data: Data, label_type: LabelType) -> ReadImageSet:
    """The set that `data.source` describes; read as a whole once in each process.

    Raises:
        BadInput: lists all problems at once.
    """
    key = json.dumps([data.name, data.root, data.source, data.channels])
    return _open(key, label_type)


def image_names(data: Data) -> tuple[str, ...]:
    """The names of the images of the set, sorted, without reading these.

    Raises:
        BadInput: the set cannot be made, or has not one name for each image.
    """
    return _names(data.name, _make(data.root, data.source))


@lru_cache(maxsize=2)
def _open(key: str, label_type: LabelType) -> ReadImageSet:
    name, root, source, channels = json.loads(key)
    images = _make(root, source)
    names = _names(name, images)
    content, tally, problems = hashlib.sha256(), LabelTally(label_type), []
    with announced_wait(f"reading {counted(len(names), 'image')} of {name}"):
        for each in names:
            try:
                image, label = _image(images, each, channels), _label(images, each)
                tally.add(each, label_facts(label_type, LabelImage(label), label))
            except ValueError as error:
                problems.append(f"{each}: {error}")
                continue
            problems += _size_problem(each, image, label)
            content.update(f"{each} {image.shape}\n".encode())
            content.update(image.tobytes())
            content.update(label.tobytes())
    problems += tally.problems()
    if problems:
        raise BadInput(problems_message(f"{_target(source)} cannot be used", problems, "Nothing was started."))
    return ReadImageSet(name, images, names, content.hexdigest(), channels)


def _make(root: str | None, source: dict[str, Any]) -> ImageSet:
    context: dict[str, Any] = {} if root is None else {"root": Path(root)}
    made: ImageSet = make_component("data.source", source, ImageSet, {}, **context)
    return made


def _names(name: str, images: ImageSet) -> tuple[str, ...]:
    try:
        names = tuple(images.names)
    except Exception as error:  # whatever a class of the user's raises
        raise BadInput(f"{name}: the names of the images: {_reason(error)}") from error
    if not names or not all(isinstance(each, str) and each for each in names) or len(set(names)) < len(names):
        raise BadInput(f"{name}: expected one name for each image, all different; found {list(names[:3])}, …")
    return tuple(sorted(names))


def _image(images: ImageSet, name: str, channels: int) -> NDArray[np.uint8]:
    try:
        image = np.asarray(images.image(name))
    except Exception as error:  # whatever a class of the user's raises
        raise ValueError(f"the image cannot be read: {_reason(error)}") from error
    if image.ndim == 2 and channels == 1:
        image = image[..., None]
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != channels or not image.size:
        raise ValueError(
            f"the image is {image.dtype} {list(image.shape)}; expected uint8 [height, width, {channels}], as "
            f"data.channels={channels} says"
        )
    return np.ascontiguousarray(image)


def _label(images: ImageSet, name: str) -> NDArray[np.int32]:
    try:
        label = np.asarray(images.label(name))
    except Exception as error:  # whatever a class of the user's raises
        raise ValueError(f"the label cannot be read: {_reason(error)}") from error
    if label.ndim != 2 or not np.issubdtype(label.dtype, np.integer) or not label.size:
        raise ValueError(f"the label is {label.dtype} {list(label.shape)}; expected whole numbers [height, width]")
    if label.min() < 0 or label.max() > MAX_ID:
        raise ValueError(f"the label has ids from {label.min()} to {label.max()}; expected 0 to {MAX_ID}")
    return label.astype(np.int32)


def _size_problem(name: str, image: NDArray[Any], label: NDArray[Any]) -> Iterator[str]:
    if image.shape[:2] != label.shape:
        sizes = (f"{width}×{height}" for height, width in (label.shape, image.shape[:2]))
        yield "{}: the label is {}, its image {}".format(name, *sizes)


def _bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image[..., ::-1]) if image.shape[2] == 3 else image


def _target(source: dict[str, Any]) -> str:
    return f"data.source._target_={source.get('_target_')}"


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
