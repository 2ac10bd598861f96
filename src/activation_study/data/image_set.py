"""A data set of a plug-in: images and labels that a class of yours hands out, however they are stored."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from activation_study.config.components import make_component
from activation_study.config.schema import Data
from activation_study.console import announced_wait
from activation_study.data.folders.size_check import size_problem
from activation_study.data.images.image_reader import ImageFacts, facts_of
from activation_study.data.labels.class_problems import MAX_ID
from activation_study.data.labels.label_facts import label_facts
from activation_study.data.labels.label_image import LabelImage
from activation_study.data.labels.label_tally import LabelTally
from activation_study.data.labels.label_types import LabelType
from activation_study.errors import BadInput, counted, problems_message

Array = TypeVar("Array", bound=NDArray[Any])


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
        digest: SHA-256 (hex) of the names and `hashes`.
        channels: of each image.
        hashes: SHA-256 of each image and of its label, by which a change since they were read is found.
    """

    name: str
    images: ImageSet
    names: tuple[str, ...]
    digest: str
    channels: int
    hashes: tuple[tuple[str, str], ...]

    def image(self, index: int) -> NDArray[np.uint8]:
        """The image, uint8 [height, width, channels], OpenCV's BGR if these are three."""
        image = self._unchanged(index, 0, "image", lambda name: _image(self.images, name, self.channels))
        return _bgr(image)

    def facts(self, index: int) -> ImageFacts:
        """As those of a file."""
        return facts_of(self.image(index))

    def label(self, index: int, label_type: str) -> NDArray[np.int32]:  # of the interface
        """The ids of the label, int32 [height, width]."""
        return self._unchanged(index, 1, "label", lambda name: _label(self.images, name))

    def _unchanged(self, index: int, part: int, what: str, read: Callable[[str], Array]) -> Array:
        """The image or label, as it was when the set was read.

        Raises:
            BadInput: it cannot be read any more, or is another one.
        """
        name = self.names[index]
        try:
            found = read(name)
            if _hash(found) != self.hashes[index][part]:
                raise ValueError(f"the {what} is another one than when the data set was read")
        except ValueError as error:
            raise BadInput(
                f"{self.name}, {name}: {error}; expected the same whenever it is asked for. Run the same command again "
                "if the data were changed."
            ) from None
        return found


def open_image_set(data: Data, label_type: LabelType) -> ReadImageSet:
    """The set that `data.source` describes; read as a whole once in each process.

    Raises:
        BadInput: lists all problems at once.
    """
    return _open(data.name, _key(data), data.channels, label_type)


def image_names(data: Data) -> tuple[str, ...]:
    """The names of the images of the set, sorted, without reading these.

    Raises:
        BadInput: the set cannot be made, or has not one name for each image.
    """
    return _names(data.name, _make(_key(data)))


def _key(data: Data) -> str:
    """What describes the set, as text: root and source."""
    return json.dumps([data.root, data.source])


@lru_cache(maxsize=2)
def _open(name: str, key: str, channels: int, label_type: LabelType) -> ReadImageSet:
    images = _make(key)
    names = _names(name, images)
    tally, problems = LabelTally(label_type), []
    hashes: list[tuple[str, str]] = []
    with announced_wait(f"reading {counted(len(names), 'image')} of {name}"):
        for each in names:
            try:
                image, label = _image(images, each, channels), _label(images, each)
                tally.add(each, label_facts(label_type, LabelImage(label), label))
            except ValueError as error:
                problems.append(f"{each}: {error}")
                continue
            size = size_problem(each, (label.shape[0], label.shape[1]), (image.shape[0], image.shape[1]), turned=False)
            problems += [size] if size else []
            hashes.append((_hash(image), _hash(label)))
    problems += tally.problems()
    if problems:
        target = json.loads(key)[1]["_target_"]
        raise BadInput(
            problems_message(f"data.source._target_={target} cannot be used", problems, "Nothing was started.")
        )
    lines = "".join(f"{each} {' '.join(pair)}\n" for each, pair in zip(names, hashes, strict=True))
    return ReadImageSet(name, images, names, hashlib.sha256(lines.encode()).hexdigest(), channels, tuple(hashes))


@lru_cache(maxsize=2)
def _make(key: str) -> ImageSet:
    root, source = json.loads(key)
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


def _bgr(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(image[..., ::-1]) if image.shape[2] == 3 else image


def _hash(values: NDArray[Any]) -> str:
    return hashlib.sha256(f"{values.shape}\n".encode() + values.tobytes()).hexdigest()


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
