"""The results that a run writes beside `run.json`: confusion matrices and IoU per image."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from activation_study.files import replacing, write_text
from activation_study.metrics import image_iou

if TYPE_CHECKING:
    from activation_study.records.run import Run

CONFUSIONS_FILE = "evaluation/confusions.npz"
# The files of a run folder that are copied into MLflow; the scored weights go there as a model. Whatever else is put
# into the folder stays there.
ARTIFACTS = (
    *("run.json", "config.yaml", "overrides.yaml", "environment.json", "changes.patch", "traceback.txt"),
    "system_metrics.jsonl",
    *("verdict.json", "reproductions/*.json", CONFUSIONS_FILE, "evaluation/iou.csv", "pictures/*.png"),
)
IMAGE_HASHES_KEY = "photographs"  # name of the array in the file
TRAINING_HASHES_KEY = "training_photographs"
GROUPS_KEY = "groups"  # likewise; only where groups are given
OTHER_WEIGHTS = "confusions_"  # begins the names of the arrays of the weights that the result is not about


def artifacts(folder: Path) -> list[Path]:
    """The files of a run folder that are copied into MLflow, sorted."""
    found = [path for pattern in ARTIFACTS for path in folder.glob(pattern)]
    return sorted(path for path in found if path.is_file() and not path.is_symlink() and not path.name.startswith("."))


def write_confusions(run: "Run", article: bool = True) -> None:
    """Writes `evaluation/confusions.npz` and `evaluation/iou.csv` into the run's folder.

    A field in the table is empty if neither the truth nor the prediction contains the class.

    Args:
        run: with the confusion matrices of its evaluation.
        article: whether the table has the article's IoU, in which unlabeled pixels can count.
    """
    arrays = {
        "confusions": run.confusions,
        "names": np.array(run.images),
        IMAGE_HASHES_KEY: np.array(run.image_hashes),
        "classes": np.array(run.record.classes),
        **({GROUPS_KEY: np.array(run.groups)} if run.groups else {}),
        **({TRAINING_HASHES_KEY: np.array(run.training_hashes)} if run.training_hashes else {}),
        **{f"{OTHER_WEIGHTS}{name}": counts for name, counts in run.others.items()},
        **run.image_counts,
    }
    with replacing(run.folder / CONFUSIONS_FILE) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["image", *run.record.classes])
    for name, values in zip(run.images, image_iou(run.confusions, unlabeled=article), strict=True):
        writer.writerow([name, *("" if np.isnan(value) else f"{value:.6f}" for value in values)])
    write_text(run.folder / "evaluation" / "iou.csv", table.getvalue())
