"""What is predicted: the images of a folder, one image, or the frames of a video, all as pictures with names."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from activation_study.console import track_progress
from activation_study.data.image_io import SUFFIXES, check_image, read_image
from activation_study.data.verification import error_reason, printable_path
from activation_study.errors import BadInput, problems_message
from activation_study.inference.video import VIDEO_SUFFIXES, Video


@dataclass(frozen=True)
class Picture:
    """A picture to predict.

    Args:
        name: of the files that are written for it, without suffix; may have folders.
        file_name: of its own file; of a frame, that of its label map.
        image: BGR uint8 [height, width, 3].
    """

    name: str
    file_name: str
    image: NDArray[np.uint8]


class Inputs(Protocol):
    """The pictures of one prediction."""

    def has(self, name: str) -> bool:
        """Whether one of the pictures may have this name."""

    def check(self) -> None:
        """Raises BadInput if a picture cannot be read."""

    def pictures(self) -> Iterator[Picture]:
        """Yields each picture, and shows the progress."""


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

    def check(self) -> None:
        """Reads every image once, so that the prediction does not stop halfway.

        Raises:
            BadInput: lists all that cannot be read.
        """
        problems = []
        for path in track_progress(list(self.paths.values()), "images checked"):
            try:
                check_image(path.read_bytes())
            except (OSError, ValueError) as error:
                problems.append(f"{printable_path(str(path))}: {error_reason(error)}")
        if problems:
            raise BadInput(problems_message("Unreadable images", problems, "Fix them or move them elsewhere."))

    def pictures(self) -> Iterator[Picture]:
        """Yields each image, and shows the progress."""
        for name, path in track_progress(list(self.paths.items()), "images"):
            yield Picture(name, f"{name}{path.suffix}", read_image(path.read_bytes()))


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

    def check(self) -> None:
        """Raises BadInput if the video cannot be opened, or has no frame."""
        self.video.check()

    def pictures(self) -> Iterator[Picture]:
        """Yields each frame, and shows the progress."""
        frames = track_progress(self.video.frames(), "frames", self.video.expected_frames)
        for number, image in frames:
            name = self._name(number)
            yield Picture(name, f"{name}.png", image)

    def _name(self, number: int) -> str:
        return f"{self.video.path.stem}/frame_{number:06}"


def find_inputs(source: Path, every: int) -> Images | Frames:
    """The pictures that a path stands for.

    Args:
        source: a folder that is searched recursively, an image or a video.
        every: of a video, one of so many frames is taken.

    Raises:
        BadInput: nothing is there, or names collide.
    """
    if source.is_file() and source.suffix.lower() in VIDEO_SUFFIXES:
        return Frames(Video(source, every))
    if every != 1:
        raise BadInput(f"every={every}: this is for a video, and images={source} is none ({', '.join(VIDEO_SUFFIXES)})")
    if source.is_file():
        return Images({source.stem: source})
    if not source.is_dir():
        raise BadInput(f"images={source}: no such file or folder")
    return Images(_images_in(source))


def name_in(folder: Path, path: Path) -> str:
    """The name of a file in a folder: its relative path without suffix."""
    return path.relative_to(folder).with_suffix("").as_posix()


def _images_in(folder: Path) -> dict[str, Path]:
    images: dict[str, Path] = {}
    videos, problems = [], []
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts) or not path.is_file():
            continue
        if path.suffix.lower() in VIDEO_SUFFIXES:
            videos.append(path)
        if path.suffix.lower() not in SUFFIXES:
            continue
        other = images.setdefault(name_in(folder, path), path)
        if other is not path:
            problems.append(
                f"{printable_path(str(relative))}: has the same name as {printable_path(other.name)} except the suffix"
            )
    if problems:
        raise BadInput(problems_message(f"Images in {folder} have the same name", problems, "Rename them."))
    if not images:
        hint = f"; a video is given by itself, as images={printable_path(str(videos[0]))}" if videos else ""
        raise BadInput(f"images={folder}: no images found; expected files that end in {', '.join(SUFFIXES)}{hint}")
    return images
