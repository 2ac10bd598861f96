"""A network's weights scored on some pictures, and all that is known about it written beside the record."""

import time
from pathlib import Path

from activation_study.data.dataset import Inputs
from activation_study.data.splits import Indices
from activation_study.evaluation.evaluate import Predict, evaluate
from activation_study.metrics import summary
from activation_study.records import artifacts
from activation_study.records.record import Record


def score(predict: Predict, inputs: Inputs, indices: Indices, record: Record, folder: Path, part: str = "test") -> None:
    """Puts the scores into the record's results, and confusions, table and pictures into its folder.

    Args:
        predict: the network with the weights.
        inputs: the data.
        indices: which pictures.
        record: of the run; says how probabilities are resized.
        folder: the run's.
        part: how these pictures are called; metrics' names begin so.
    """
    label_type, options = inputs.label_type, record.config["evaluation"]
    started = time.perf_counter()
    confusions = evaluate(
        predict, inputs.prepared.images, inputs.source, label_type, indices, options["resize"], options["batch_size"]
    )
    record.results["evaluation_seconds"] = time.perf_counter() - started
    record.results.update(summary(confusions, label_type.classes, part))
    names = [inputs.source.names[index] for index in indices]
    photographs = inputs.prepared.photographs(indices)
    artifacts.write_confusions(folder, confusions, names, photographs, label_type.classes)
    artifacts.draw(folder, record, inputs, indices, predict, confusions, part)
