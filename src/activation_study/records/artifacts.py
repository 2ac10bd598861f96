"""The results that a run writes beside `run.json`: confusion matrices and IoU per image."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from activation_study.files import replacing, write_text
from activation_study.metrics import Counts, image_iou

CONFUSIONS_FILE = "evaluation/confusions.npz"
# The files of a run folder that are copied into MLflow; the scored weights go there as a model. Whatever else is put
# into the folder stays there.
ARTIFACTS = (
    *("run.json", "config.yaml", "overrides.yaml", "environment.json", "changes.patch", "traceback.txt"),
    "system_metrics.jsonl",
    *("verdict.json", "reproductions/*.json", CONFUSIONS_FILE, "evaluation/iou.csv", "pictures/*.png"),
)
IMAGE_HASHES_KEY = "photographs"  # name of the array in the file
GROUPS_KEY = "groups"  # likewise; only where groups are given
OTHER_WEIGHTS = "confusions_"  # begins the names of the arrays of the weights that the result is not about


def artifacts(folder: Path) -> list[Path]:
    """The files of a run folder that are copied into MLflow, sorted."""
    found = [path for pattern in ARTIFACTS for path in folder.glob(pattern)]
    return sorted(path for path in found if path.is_file() and not path.is_symlink() and not path.name.startswith("."))


def write_confusions(
    folder: Path,
    confusions: Counts,
    names: list[str],
    image_hashes: list[str],
    classes: tuple[str, ...],
    groups: list[str] | None = None,
    article: bool = True,
    others: Mapping[str, Counts] | None = None,
) -> None:
    """Writes `evaluation/confusions.npz` and `evaluation/iou.csv`.

    A field in the table is empty if neither the truth nor the prediction contains the class.

    Args:
        folder: the run folder.
        confusions: int64 [images, C + 1, C].
        names: names of the images.
        image_hashes: a digest of each image's pixels; equal if the same image occurs under two names.
        classes: names of the C classes.
        groups: the group of each image; None without groups.
        article: whether the table has the article's IoU, in which unlabeled pixels can count.
        others: the confusion matrices of further weights of the same training, by their names.
    """
    arrays = {
        "confusions": confusions,
        "names": np.array(names),
        IMAGE_HASHES_KEY: np.array(image_hashes),
        "classes": np.array(classes),
        **({} if groups is None else {GROUPS_KEY: np.array(groups)}),
        **{f"{OTHER_WEIGHTS}{name}": counts for name, counts in (others or {}).items()},
    }
    with replacing(folder / CONFUSIONS_FILE) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["image", *classes])
    for name, values in zip(names, image_iou(confusions, unlabeled=article), strict=True):
        writer.writerow([name, *("" if np.isnan(value) else f"{value:.6f}" for value in values)])
    write_text(folder / "evaluation" / "iou.csv", table.getvalue())
