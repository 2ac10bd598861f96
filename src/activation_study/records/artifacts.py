"""What a finished run leaves in its folder beside `run.json`: confusions, IoU per image, pictures."""

import csv
import io
import resource
import sys
from pathlib import Path

import numpy as np

from activation_study.data.dataset import Inputs
from activation_study.data.splits import Indices
from activation_study.evaluation.evaluate import Predict, class_map
from activation_study.evaluation.plots import draw_confusion, draw_course, draw_predictions
from activation_study.files import replacing, write_text
from activation_study.metrics import Counts, image_iou
from activation_study.records.record import Record

EXAMPLES = 6
CONFUSIONS_FILE = "evaluation/confusions.npz"
WEIGHTS_FILE = "best.keras"


def peak_memory() -> float:
    """Largest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def write_confusions(
    folder: Path, confusions: Counts, names: list[str], photographs: list[str], classes: tuple[str, ...]
) -> None:
    """Writes `evaluation/confusions.npz` and `evaluation/iou.csv`.

    In the table an empty field stands for a class that neither the truth nor the prediction has.

    Args:
        folder: the run's.
        confusions: int64 [images, C + 1, C].
        names: of the images.
        photographs: a digest of each image's pixels: equal for the same photograph under two names.
        classes: names of the C classes.
    """
    with replacing(folder / CONFUSIONS_FILE) as temporary:
        np.savez_compressed(
            temporary,
            confusions=confusions,
            names=np.array(names),
            photographs=np.array(photographs),
            classes=np.array(classes),
        )
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["image", *classes])
    for name, values in zip(names, image_iou(confusions), strict=True):
        writer.writerow([name, *("" if np.isnan(value) else f"{value:.6f}" for value in values)])
    write_text(folder / "evaluation" / "iou.csv", table.getvalue())


def draw(
    folder: Path,
    record: Record,
    inputs: Inputs,
    indices: Indices,
    predict: Predict,
    confusions: Counts,
    part: str,
) -> None:
    """Draws `pictures/`: predictions of pictures spread evenly over the part, the course, the confusion."""
    resize, source, label_type = record.config["evaluation"]["resize"], inputs.source, inputs.label_type
    chosen = indices[np.unique(np.linspace(0, len(indices) - 1, EXAMPLES).round().astype(int))]
    examples = []
    for index, probabilities in zip(chosen, predict(inputs.prepared.images[chosen]), strict=True):
        truth = inputs.truth(index)
        height, width = truth.shape
        picture = source.image(index)[..., ::-1]
        examples.append((source.names[index], picture, truth, class_map(probabilities, (height, width), resize)))
    pictures, iou = folder / "pictures", record.results[f"{part}/mean_iou"]
    title = f"{record.name}: {len(examples)} of {len(indices)} {part} images, evenly spaced; mean IoU of all {iou:.3f}"
    draw_predictions(pictures / "predictions.png", examples, label_type, title)
    if record.epochs:
        draw_course(pictures / "course.png", record.epochs, int(record.results["best_epoch"]), record.name)
    draw_confusion(pictures / "confusion.png", confusions.sum(axis=0), label_type.classes, record.name)
