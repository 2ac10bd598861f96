"""What is predicted: the images of a folder, one image, or the frames of a video, each image with a name."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from activation_study.console import track_progress
from activation_study.data.images.image_check import ImageCheck
from activation_study.data.images.image_io import SUFFIXES, is_unread_image
from activation_study.data.images.image_reader import COLOR_IMAGES, ImageReader
from activation_study.data.images.input_convention import to_grey
from activation_study.data.verification import FileTree, error_reason, printable_path
from activation_study.errors import BadInput, counted, examples, problems_message
from activation_study.inference.video import VIDEO_SUFFIXES, Video
from activation_study.outcome import warn


@dataclass(frozen=True)
class NamedImage:
    """An image to predict.

    Args:
        name: of the files that are written for it, without suffix; may have folders.
        file_name: of its own file; of a frame, that of its label map.
        as_read: the image as each run's reader reads it, uint8 [height, width, channels].
    """

    name: str
    file_name: str
    as_read: tuple[NDArray[np.uint8], ...]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The image as the first run reads it."""
        return self.as_read[0]


class Inputs(Protocol):
    """The images of one prediction; `readers` are those of its runs."""

    def has(self, name: str) -> bool:
        """Whether one of the images may have this name."""

    def digests(self) -> dict[str, str]:
        """A SHA-256 of the file of each image by its name; of a video under the name of its first frame."""

    def check(self, readers: Sequence[ImageReader]) -> None:
        """Raises BadInput if an image cannot be read."""

    def named_images(self, readers: Sequence[ImageReader]) -> Iterator[NamedImage]:
        """Yields each image, and shows the progress."""


@dataclass(frozen=True)
class Images:
    """Image files.

    Args:
        paths: by name: the path relative to the folder, without suffix.
    """

    paths: dict[str, Path]

    def has(self, name: str) -> bool:
        """Whether one of the images has this name."""
        return name in self.paths

    def digests(self) -> dict[str, str]:
        """A SHA-256 of each file, by the image's name."""
        return {name: _digest(path) for name, path in self.paths.items()}

    def check(self, readers: Sequence[ImageReader]) -> None:
        """Reads every image once as each run does, so that the prediction does not stop halfway.

        Raises:
            BadInput: lists all that cannot be read.
        """
        for reader in dict.fromkeys(readers):
            self._check(reader)

    def _check(self, reader: ImageReader) -> None:
        problems, check = [], ImageCheck(reader)
        for path in track_progress(list(self.paths.values()), "images checked"):
            try:
                check.size_of(printable_path(str(path)), path.read_bytes())
            except (OSError, ValueError) as error:
                problems.append(f"{printable_path(str(path))}: {error_reason(error)}")
        problems += check.unusable()
        if problems:
            raise BadInput(problems_message("Unreadable images", problems, "Fix them or move them elsewhere."))
        dark = check.dark_images()  # in a data set this is an error, but single images may well be dark
        if dark is not None:
            warn(f"{dark} for a network that was trained with the range of the type")
        for what, _ in check.misfits():
            warn(f"{what}: this is the range of the training")

    def named_images(self, readers: Sequence[ImageReader]) -> Iterator[NamedImage]:
        """Yields each image, and shows the progress."""
        for name, path in track_progress(list(self.paths.items()), "images"):
            content = path.read_bytes()
            as_read = {reader: reader.read(content) for reader in dict.fromkeys(readers)}
            yield NamedImage(name, f"{name}{path.suffix}", tuple(as_read[reader] for reader in readers))


@dataclass(frozen=True)
class Frames:
    """The frames of a video, named NAME/frame_000001, … after their number in the video.

    Args:
        video: the video.
    """

    video: Video

    def has(self, name: str) -> bool:
        """Whether one of the frames may have this name; how many there are is known at the end."""
        number = name.removeprefix(f"{self.video.path.stem}/frame_")
        return number.isdecimal() and self._name(int(number)) == name and self.video.takes(int(number))

    def digests(self) -> dict[str, str]:
        """A SHA-256 of the video, by the name of its first frame."""
        return {self._name(1): _digest(self.video.path)}

    def check(self, readers: Sequence[ImageReader]) -> None:
        """Raises BadInput if the video cannot be opened, has no frame, or is nothing that a run was trained on."""
        for reader in readers:
            if reader.value_range is not None or reader.channels not in (1, COLOR_IMAGES.channels):
                raise BadInput(
                    f"{self.video.path}: a video has 3 channels of 8 bits; the run was trained with "
                    f"data.channels={reader.channels}, data.value_range={reader.value_range}"
                )
        self.video.check()

    def named_images(self, readers: Sequence[ImageReader]) -> Iterator[NamedImage]:
        """Yields each frame, and shows the progress."""
        frames = track_progress(self.video.frames(), "frames", self.video.expected_frames)
        for number, image in frames:
            name = self._name(number)
            yield NamedImage(
                name, f"{name}.png", tuple(image if each.channels > 1 else to_grey(image) for each in readers)
            )

    def _name(self, number: int) -> str:
        return f"{self.video.path.stem}/frame_{number:06}"


def find_inputs(source: Path, every: int) -> Images | Frames:
    """The images that a path stands for.

    Args:
        source: a folder that is searched recursively, an image or a video.
        every: of a video, one of so many frames is taken.

    Raises:
        BadInput: nothing is there, or names collide.
    """
    if source.is_file() and source.suffix.lower() in VIDEO_SUFFIXES:
        return Frames(Video(source, every))
    if not source.exists():
        raise BadInput(f"images={source}: no such file or folder")
    if every != 1:
        raise BadInput(
            f"every={every}: only a video has frames to leave out, and images={source} is none; expected a file that "
            f"ends in {', '.join(VIDEO_SUFFIXES)}"
        )
    if source.is_file() and not _is_utf8(str(source)):
        raise BadInput(f"images={printable_path(str(source))}: its name is not UTF-8; rename it")
    if source.is_file():
        return Images({source.stem: source})
    return Images(_images_in(source))


def _is_utf8(name: str) -> bool:
    """Whether a name can be written into a text file; those of old archives may have other bytes."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_in(folder: Path, path: Path) -> str:
    """The name of a file in a folder: its relative path without suffix."""
    return path.relative_to(folder).with_suffix("").as_posix()


def _images_in(folder: Path) -> dict[str, Path]:
    """The images by name; links are followed and hidden files passed over, as in a data set."""
    files, problems = FileTree({"": folder}, as_found=True).scan()
    if problems:
        raise BadInput(problems_message(f"The images in {folder} cannot be used", problems, "Fix or remove these."))
    images: dict[str, Path] = {}
    paths = sorted(folder / file.path for file in files)
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            continue
        relative = printable_path(str(path.relative_to(folder)))
        other = images.setdefault(name_in(folder, path), path)
        if other is not path:
            problems.append(f"{relative}: has the same name as {printable_path(other.name)} except the suffix")
        if not _is_utf8(str(path)):
            problems.append(f"{relative}: its name is not UTF-8")
    if problems:
        raise BadInput(problems_message(f"Images in {folder} cannot be told apart", problems, "Rename them."))
    left_out = list(_left_out(folder, paths))
    if not images:
        expected = f"images={folder}: no images found; expected files that end in {', '.join(SUFFIXES)}"
        raise BadInput("; ".join([expected, *left_out]))
    for what in left_out:
        warn(f"images={folder}: {what}")
    return images


def _left_out(folder: Path, paths: Sequence[Path]) -> Iterator[str]:
    """What is said about pictures and videos that are not predicted with the images of a folder."""
    unread = [path for path in paths if path.suffix.lower() not in SUFFIXES and is_unread_image(path.name)]
    videos = [path for path in paths if path.suffix.lower() in VIDEO_SUFFIXES]
    if unread:
        yield (
            f"{counted(len(unread), 'picture')} of formats that are not read left out: {_examples(folder, unread)}; "
            "convert them to PNG or JPEG"
        )
    if videos:
        yield (
            f"{counted(len(videos), 'video')} left out: {_examples(folder, videos)}; a video is given by itself, as "
            f"images={printable_path(str(videos[0]))}"
        )


def _examples(folder: Path, paths: Sequence[Path]) -> str:
    return examples([printable_path(path.relative_to(folder).as_posix()) for path in paths])
