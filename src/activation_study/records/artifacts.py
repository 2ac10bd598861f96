"""What a finished run leaves in its folder beside `run.json`: confusions, IoU per image, pictures."""

import csv
import io
from pathlib import Path

import numpy as np

from activation_study.files import replacing, write_text
from activation_study.metrics import Counts, image_iou

CONFUSIONS_FILE = "evaluation/confusions.npz"
WEIGHTS_FILE = "best.keras"


def write_confusions(
    folder: Path, confusions: Counts, names: list[str], image_hashes: list[str], classes: tuple[str, ...]
) -> None:
    """Writes `evaluation/confusions.npz` and `evaluation/iou.csv`.

    In the table an empty field stands for a class that neither the truth nor the prediction has.

    Args:
        folder: the run's.
        confusions: int64 [images, C + 1, C].
        names: of the images.
        image_hashes: a digest of each image's pixels: equal for the same photograph under two names.
        classes: names of the C classes.
    """
    with replacing(folder / CONFUSIONS_FILE) as temporary:
        np.savez_compressed(
            temporary,
            confusions=confusions,
            names=np.array(names),
            photographs=np.array(image_hashes),
            classes=np.array(classes),
        )
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["image", *classes])
    for name, values in zip(names, image_iou(confusions), strict=True):
        writer.writerow([name, *("" if np.isnan(value) else f"{value:.6f}" for value in values)])
    write_text(folder / "evaluation" / "iou.csv", table.getvalue())


def read_confusions(path: Path) -> Counts | None:
    """The confusions in a run's file; None where there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays["confusions"], np.int64)
    except (OSError, ValueError, KeyError):
        return None
