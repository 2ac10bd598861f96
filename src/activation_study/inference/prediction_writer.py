"""Writes the files of a prediction.

OUTPUT/<run>/labels/NAME.png         format=png: each pixel's value is the id of its class in classes.yaml
OUTPUT/<run>/colors/NAME.png         format=color: each pixel has the colour of its class
OUTPUT/<run>/probabilities/NAME.npy  format=npy: of each class, float32 [height, width, C]
OUTPUT/<run>/coco.json               format=coco: see `CocoWriter`
OUTPUT/<run>/overlays/NAME.jpg       the image blended with the colours of the predicted classes; of a video overlay.mp4
OUTPUT/<run>/class_fractions.csv     the fraction of each image's pixels in each class
OUTPUT/<run>/.images.json            a digest of each image, so that those of others are not mixed in
OUTPUT/<run>/classes.yaml            names, ids and colours, in the format of data=folder
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.input_convention import displayed, rgb_to_bgr
from activation_study.errors import BadInput
from activation_study.evaluation.plots import colorize, overlay
from activation_study.evaluation.strips import Keep, Strip
from activation_study.files import remove_temporaries, replacing, write_text
from activation_study.inference.coco import CocoWriter, check_pycocotools
from activation_study.inference.inputs import NamedImage
from activation_study.inference.video import VideoWriter
from activation_study.palette import rgb

# The formats, and where each is in the folder of a run.
FORMATS = {"png": "labels", "color": "colors", "npy": "probabilities", "coco": "coco.json"}
PER_IMAGE = ("labels", "colors", "probabilities", "overlays")  # folders with a file for each image
_OF_ALL = ("coco.json", "class_fractions.csv", "classes.yaml")  # written at the end
JPEG_QUALITY = 90
MAX_JPEG_SIDE = 65500  # of libjpeg; the format itself allows 65,535
MAX_INDEX = 255  # of an indexed PNG; larger ids make a grey one of 16 bits
_ROWS = 256  # that are coloured at once


@dataclass(frozen=True)
class Look:
    """What the classes of a run are called and how they are shown.

    Args:
        caption: names the run where several are shown side by side.
        classes: their names.
        colors: "#RRGGBB" of each class.
        ids: the value of each class in the label maps: of own data, the first that the run's classes.yaml has for it.
    """

    caption: str
    classes: tuple[str, ...]
    colors: tuple[str, ...]
    ids: tuple[int, ...]


class PredictionWriter:
    """Writes the predictions of one run. The files about all images appear when the block ends without an error.

    Args:
        folder: for the files.
        look: the classes.
        formats: of `FORMATS`.
        frame_rate: of the video that is predicted; None for images.
    """

    def __init__(self, folder: Path, look: Look, formats: Sequence[str], frame_rate: float | None = None) -> None:
        self.folder, self.look = folder, look
        self.files = {name: folder / FORMATS[name] for name in formats}
        self._rows: list[list[str]] = []
        self._stack = ExitStack()
        self._coco: CocoWriter | None = None
        self._video = None if frame_rate is None else VideoWriter(folder / "overlay", frame_rate)
        self.files["overlay"] = folder / "overlays" if self._video is None else self._video.path

    def __enter__(self) -> "PredictionWriter":
        remove_temporaries(self.folder)
        for name in _OF_ALL:  # so that none is of an earlier prediction if this one is interrupted
            if name not in FORMATS.values() or self.folder / name in self.files.values():
                (self.folder / name).unlink(missing_ok=True)
        if "coco" in self.files:
            coco = CocoWriter(self.files["coco"], f"Predicted by {self.folder.name}", self.look.classes, self.look.ids)
            self._coco = self._stack.enter_context(coco)
        if self._video is not None:
            self._stack.enter_context(self._video)
        return self

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is None:
            self._write_tables()
        return self._stack.__exit__(*error)

    @contextmanager
    def probabilities(self, image: NamedImage) -> Iterator[Keep | None]:
        """Yields what stores the strips of probabilities; None if they are not asked for."""
        if "npy" not in self.files:
            yield None
            return
        with replacing(self.files["npy"] / f"{image.name}.npy") as path:
            shape = (*image.pixels.shape[:2], len(self.look.classes))
            np.lib.format.open_memmap(path, "w+", np.float32, shape).flush()

            def keep(strip: Strip) -> None:
                file = np.lib.format.open_memmap(path, "r+")  # anew, so that memory holds one strip
                file[strip.rows, strip.columns] = strip.probabilities

            yield keep

    def write(self, image: NamedImage, label_map: NDArray[np.uint8]) -> None:
        """Writes the files of an image, but not its probabilities.

        Args:
            image: the image.
            label_map: class indices, uint8 [height, width].
        """
        name, colors = image.name, self.look.colors
        if "png" in self.files:
            self._write_ids(self.files["png"] / f"{name}.png", label_map)
        if "color" in self.files:
            _write_image(self.files["color"] / f"{name}.png", rgb_to_bgr(_in_bands(colorize, label_map, colors)))
        if self._coco is not None:
            self._coco.write(image.file_name, label_map)
        blended = rgb_to_bgr(_in_bands(overlay, displayed(image.pixels), label_map, colors))
        if self._video is not None:
            self._video.write(np.ascontiguousarray(blended))
        else:
            suffix = "jpg" if max(label_map.shape) <= MAX_JPEG_SIDE else "png"
            _write_image(self.files["overlay"] / f"{name}.{suffix}", blended)
        fractions = _counts(label_map, len(self.look.classes)) / label_map.size
        self._rows.append([name, *(f"{fraction:.6f}" for fraction in fractions)])

    def _write_ids(self, path: Path, label_map: NDArray[np.uint8]) -> None:
        from PIL import Image

        ids = list(self.look.ids)
        labels = Image.fromarray(np.array(ids, np.uint16 if max(ids) > MAX_INDEX else np.uint8)[label_map])
        if max(ids) <= MAX_INDEX:
            palette = np.zeros((max(ids) + 1, 3), np.uint8)
            palette[ids] = [rgb(color) for color in self.look.colors]
            labels.putpalette(palette.tobytes())
        with replacing(path) as temporary:
            labels.save(temporary)

    def _write_tables(self) -> None:
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([["image", *self.look.classes], *self._rows])
        write_text(self.folder / "class_fractions.csv", table.getvalue())
        lines = ["# id: the value of the class's pixels in labels/; color: their colour in colors/", "classes:"]
        for name, value, color in zip(self.look.classes, self.look.ids, self.look.colors, strict=True):
            lines.append(f'  - {{name: {json.dumps(name, ensure_ascii=False)}, id: {value}, color: "{color}"}}')
        write_text(self.folder / "classes.yaml", "\n".join(lines) + "\n")


def checked_formats(given: Any) -> tuple[str, ...]:
    """The formats that were asked for, by one name or a list of them.

    Raises:
        BadInput: there is no such format, or what it needs is not installed.
    """
    formats = [given] if isinstance(given, str) else given
    if not isinstance(formats, list) or not formats or not all(each in FORMATS for each in formats):
        shown = f"[{','.join(map(str, given))}]" if isinstance(given, list) else given
        raise BadInput(f"format={shown}: expected {', '.join(FORMATS)}, or several of them, e.g. format=[png,coco]")
    if "coco" in formats:
        check_pycocotools()
    return tuple(dict.fromkeys(formats))


def _in_bands(paint: Any, *arrays: Any) -> NDArray[np.uint8]:
    """What a function of arrays [height, width, …] and colours paints, some rows at once: uint8 [height, width, 3]."""
    *images, colors = arrays
    painted = np.empty((*images[0].shape[:2], 3), np.uint8)
    for top in range(0, len(painted), _ROWS):
        painted[top : top + _ROWS] = paint(*(image[top : top + _ROWS] for image in images), colors)
    return painted


def _write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes an image, BGR uint8 [height, width, 3], in the format of the path's suffix."""
    import cv2

    full_color = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)  # small areas keep theirs
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, *full_color] if path.suffix == ".jpg" else []
    with replacing(path) as temporary:
        temporary.write_bytes(cv2.imencode(path.suffix, np.ascontiguousarray(image), options)[1].tobytes())


def _counts(label_map: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """The number of pixels of each class."""
    counts = np.zeros(classes, np.int64)
    for top in range(0, len(label_map), _ROWS):
        counts += np.bincount(label_map[top : top + _ROWS].ravel(), minlength=classes)
    return counts
