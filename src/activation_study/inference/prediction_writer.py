"""The files of a prediction.

OUTPUT/<run>/labels/NAME.png     indexed: each pixel's value is the place of its class in classes.yaml
OUTPUT/<run>/overlays/NAME.jpg   the picture with the classes' colours over it
OUTPUT/<run>/shares.csv          each class' share of each picture
OUTPUT/<run>/classes.yaml        names and colours, as data=folder takes them
OUTPUT/side_by_side/NAME.png     of several runs
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activation_study.evaluation.plots import colored, draw_panels, overlaid
from activation_study.files import replacing, write_text
from activation_study.palette import rgb

QUALITY = 90  # of the JPEG files


@dataclass
class PredictionWriter:
    """What one run sees.

    Args:
        folder: where it is written.
        caption: names the run beside others.
        classes: their names.
        colors: "#RRGGBB".
        shares: the rows so far: the picture's name, each class' share.
    """

    folder: Path
    caption: str
    classes: tuple[str, ...]
    colors: tuple[str, ...]
    shares: list[list[str]] = field(default_factory=list)

    def write(self, name: str, picture: NDArray[np.uint8], classes: NDArray[np.uint8]) -> None:
        """Writes label map and overlay of a picture uint8 [height, width, 3], BGR."""
        import cv2
        from PIL import Image

        indexed = Image.fromarray(classes)
        indexed.putpalette([value for color in self.colors for value in rgb(color)])
        with replacing(self.folder / "labels" / f"{name}.png") as temporary:
            indexed.save(temporary)
        over = np.ascontiguousarray(overlaid(picture[..., ::-1], classes, self.colors)[..., ::-1])
        with replacing(self.folder / "overlays" / f"{name}.jpg") as temporary:
            temporary.write_bytes(cv2.imencode(".jpg", over, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes())
        shares = np.bincount(classes.ravel(), minlength=len(self.classes)) / classes.size
        self.shares.append([name, *(f"{share:.6f}" for share in shares)])

    def close(self) -> None:
        """Writes what is said about all pictures."""
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([["picture", *self.classes], *self.shares])
        write_text(self.folder / "shares.csv", table.getvalue())
        lines = ["classes:"]
        for place, (name, color) in enumerate(zip(self.classes, self.colors, strict=True)):
            lines.append(f'  - {{name: {json.dumps(name, ensure_ascii=False)}, id: {place}, color: "{color}"}}')
        write_text(self.folder / "classes.yaml", "\n".join(lines) + "\n")


def write_side_by_side(
    path: Path,
    name: str,
    picture: NDArray[np.uint8],
    runs: Sequence[PredictionWriter],
    maps: Sequence[NDArray[np.uint8]],
) -> None:
    """Draws the picture and the runs' maps of it in a row, with the share of pixels on which all agree."""
    agreed = float(np.mean(np.all(np.stack(maps) == maps[0], axis=0)))
    panels = [(run.caption, colored(classes, run.colors)) for run, classes in zip(runs, maps, strict=True)]
    legend = list(zip(runs[0].classes, runs[0].colors, strict=True))
    title = f"{name}: all agree on {agreed:.0%} of the pixels"
    draw_panels(path, [("photograph", np.asarray(picture[..., ::-1], np.uint8)), *panels], legend, title)
