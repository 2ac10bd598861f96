"""Reads and writes videos by OpenCV. Frames are counted by reading them, since headers may be wrong."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.errors import BadInput
from activation_study.files import replacing
from activation_study.outcome import warn

if TYPE_CHECKING:
    import cv2

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv")
CODECS = (("mp4", "mp4v"), ("avi", "MJPG"))  # of videos that are written: the first that this OpenCV has
USUAL_RATE = 25.0  # frames per second where the header has none
_COMPLETE = 0.99  # of the frames that the header promises, which is an estimate in some formats


@dataclass(frozen=True)
class Video:
    """A video file.

    Args:
        path: of the file.
        every: take the first frame and then one of so many.
    """

    path: Path
    every: int = 1

    def takes(self, number: int) -> bool:
        """Whether the frame of this number, from 1 on, is taken."""
        return (number - 1) % self.every == 0

    def check(self) -> None:
        """Raises BadInput if the file cannot be opened, or has no frame."""
        with self._open() as capture:
            if not capture.read()[0]:
                raise BadInput(f"images={self.path}: no frame can be read; the file is damaged, or has no video")

    @property
    def frame_rate(self) -> float:
        """Frames per second of those that are taken, so that a video of them lasts as long."""
        import cv2

        with self._open() as capture:
            rate = capture.get(cv2.CAP_PROP_FPS)
        return (rate if 0 < rate < 1000 else USUAL_RATE) / self.every

    @property
    def expected_frames(self) -> int | None:
        """How many frames are taken if the header is right; None if it does not say."""
        count = self._promised()
        return -(-count // self.every) if count > 0 else None

    def frames(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yields (number, BGR uint8 [height, width, 3]) of each frame that is taken; warns if the video ends early."""
        number = 0
        with self._open() as capture:
            while capture.grab():
                number += 1
                if not self.takes(number):
                    continue
                read, image = capture.retrieve()
                if not read:
                    break
                yield number, np.asarray(image, np.uint8)
        promised = self._promised()
        if number < _COMPLETE * promised:
            warn(f"{self.path}: {number:,} frames could be read, and its header says {promised:,}")

    def _promised(self) -> int:
        import cv2

        with self._open() as capture:
            return int(capture.get(cv2.CAP_PROP_FRAME_COUNT))

    @contextmanager
    def _open(self) -> Iterator["cv2.VideoCapture"]:
        cv2 = _quiet_opencv()
        # FFmpeg alone: OpenCV's other readers take a name with digits for one of many images.
        capture = cv2.VideoCapture(str(self.path.resolve()), cv2.CAP_FFMPEG)
        try:
            if not capture.isOpened():
                raise BadInput(
                    f"images={self.path}: OpenCV cannot open this video; it is damaged, or of a format that OpenCV "
                    "lacks: convert it to MP4 (H.264)"
                )
            yield capture
        finally:
            capture.release()


class VideoWriter:
    """Writes a video; its file appears when the block ends without an error.

    Args:
        path: of the file, without suffix, which depends on OpenCV.
        frame_rate: frames per second.
    """

    def __init__(self, path: Path, frame_rate: float) -> None:
        self._cv2 = _quiet_opencv()
        self._frame_rate = frame_rate
        self._replaced: Any = None
        self._writer: Any = None
        self._suffix, self._codec = _codec(path.name)
        self.path = path.with_name(f"{path.name}.{self._suffix}")

    def write(self, image: NDArray[np.uint8]) -> None:
        """Adds a frame, BGR uint8 [height, width, 3]; sides of an odd number of pixels are extended by one."""
        height, width = (side + side % 2 for side in image.shape[:2])
        if self._writer is None:
            self._replaced = replacing(self.path)
            temporary = self._replaced.__enter__()
            code = self._cv2.VideoWriter.fourcc(*self._codec)
            self._writer = self._cv2.VideoWriter(str(temporary), code, self._frame_rate, (width, height))
            if not self._writer.isOpened():
                raise BadInput(f"{self.path}: OpenCV cannot write a video of {width}×{height} pixels")
        bottom, right = height - image.shape[0], width - image.shape[1]
        self._writer.write(self._cv2.copyMakeBorder(image, 0, bottom, 0, right, self._cv2.BORDER_REPLICATE))

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *error: Any) -> None:
        if self._writer is not None:
            self._writer.release()
        if self._replaced is not None:
            self._replaced.__exit__(*error)


def _codec(name: str) -> tuple[str, str]:
    """The suffix and code of the first codec that works here."""
    import tempfile

    cv2 = _quiet_opencv()
    with tempfile.TemporaryDirectory() as folder:
        for suffix, codec in CODECS:
            writer = cv2.VideoWriter(f"{folder}/{name}.{suffix}", cv2.VideoWriter.fourcc(*codec), USUAL_RATE, (64, 64))
            works = writer.isOpened()
            writer.release()
            if works:
                return suffix, codec
    raise BadInput("this OpenCV cannot write videos; predict the frames as images instead")


def _quiet_opencv() -> Any:
    """OpenCV, which prints nothing of its own about videos: what matters is in our messages."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # A video file may be a playlist that names other files and addresses.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "protocol_whitelist;file")
    import cv2

    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    return cv2
