"""Writes the files of a prediction.

OUTPUT/<run>/labels/NAME.png     each pixel's value is the id of its class in classes.yaml
OUTPUT/<run>/overlays/NAME.jpg   the image blended with the colours of the predicted classes
OUTPUT/<run>/class_fractions.csv the fraction of each image's pixels in each class
OUTPUT/<run>/classes.yaml        names, ids and colours, in the format of data=folder
OUTPUT/side_by_side/NAME.png     the image and the label maps of several runs
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.data.input_convention import bgr_to_rgb, rgb_to_bgr
from activation_study.evaluation.plots import colorize, draw_panels, overlay
from activation_study.files import replacing, write_text
from activation_study.palette import rgb

LABELS = "labels"  # folder of a run's label maps
JPEG_QUALITY = 90
MAX_INDEX = 255  # of an indexed PNG; larger ids make a grey one of 16 bits


@dataclass
class PredictionWriter:
    """Writes the predictions of one run.

    Args:
        folder: for the files.
        caption: names the run where several are shown side by side.
        classes: their names.
        colors: "#RRGGBB" of each class.
        ids: the value of each class in the label maps: of own data, the first that the run's classes.yaml has for it.
        rows: of class_fractions.csv so far: the image's name and the fraction of each class.
    """

    folder: Path
    caption: str
    classes: tuple[str, ...]
    colors: tuple[str, ...]
    ids: tuple[int, ...]
    rows: list[list[str]] = field(default_factory=list)

    def write(self, name: str, image: NDArray[np.uint8], label_map: NDArray[np.uint8]) -> None:
        """Writes the label map and the overlay of an image.

        Args:
            name: of the image.
            image: BGR uint8 [height, width, 3].
            label_map: class indices, uint8 [height, width].
        """
        import cv2
        from PIL import Image

        labels = Image.fromarray(np.array(self.ids, np.uint16 if max(self.ids) > MAX_INDEX else np.uint8)[label_map])
        if max(self.ids) <= MAX_INDEX:
            palette = np.zeros((max(self.ids) + 1, 3), np.uint8)
            palette[list(self.ids)] = [rgb(color) for color in self.colors]
            labels.putpalette(palette.tobytes())
        with replacing(self.folder / LABELS / f"{name}.png") as temporary:
            labels.save(temporary)
        blended = np.ascontiguousarray(rgb_to_bgr(overlay(bgr_to_rgb(image), label_map, self.colors)))
        with replacing(self.folder / "overlays" / f"{name}.jpg") as temporary:
            temporary.write_bytes(cv2.imencode(".jpg", blended, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
        fractions = np.bincount(label_map.ravel(), minlength=len(self.classes)) / label_map.size
        self.rows.append([name, *(f"{fraction:.6f}" for fraction in fractions)])

    def close(self) -> None:
        """Writes class_fractions.csv and classes.yaml."""
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([["image", *self.classes], *self.rows])
        write_text(self.folder / "class_fractions.csv", table.getvalue())
        lines = ["# id: the value of the class's pixels in labels/", "classes:"]
        for name, value, color in zip(self.classes, self.ids, self.colors, strict=True):
            lines.append(f'  - {{name: {json.dumps(name, ensure_ascii=False)}, id: {value}, color: "{color}"}}')
        write_text(self.folder / "classes.yaml", "\n".join(lines) + "\n")


def write_side_by_side(
    path: Path,
    name: str,
    image: NDArray[np.uint8],
    writers: Sequence[PredictionWriter],
    label_maps: Sequence[NDArray[np.uint8]],
) -> None:
    """Draws an image (BGR) and the runs' label maps in a row, titled with the fraction of pixels where all agree."""
    agreement = float(np.mean(np.all(np.stack(label_maps) == label_maps[0], axis=0)))
    panels = [("image", bgr_to_rgb(image))]
    for writer, label_map in zip(writers, label_maps, strict=True):
        panels.append((writer.caption, colorize(label_map, writer.colors)))
    legend = list(zip(writers[0].classes, writers[0].colors, strict=True))
    draw_panels(path, panels, legend, f"{name}: all agree on {agreement:.0%} of the pixels")
