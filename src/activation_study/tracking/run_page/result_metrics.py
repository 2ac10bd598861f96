"""The results of a run as MLflow's metrics, linked to its model and to the images that they were measured on."""

from typing import Any

from activation_study.config.scored_weights import scored_weights
from activation_study.records.record import Record
from activation_study.tracking.run_page.datasets import PARTS, test_dataset


def result_metrics(record: Record, model_id: str | None) -> list[Any]:
    """The metrics at the end of a run.

    Args:
        record: the ended run.
        model_id: of its logged model; None: the metrics are the run's alone.
    """
    from mlflow.entities import Metric

    assert record.ended is not None
    timestamp, (name, digest) = int(record.ended * 1000), test_dataset(record)
    metrics = []
    for key, value in record.results.items():
        measured = key.startswith(tuple(f"{part}/" for part in PARTS))
        dataset = {"dataset_name": name, "dataset_digest": digest} if measured else {}
        metrics.append(Metric(_metric_name(key), value, timestamp, 0, model_id=model_id, **dataset))
    return metrics


def validation_score(record: Record, model_id: str) -> Any | None:
    """The mean IoU of the scored weights on the validation images after their epoch, as the model's metric.

    None for averaged weights, which are those of no epoch: their score is a result, `val/ema/mean_iou`.
    """
    from mlflow.entities import Metric

    scored = scored_weights(record.config)
    if scored == "ema":
        return None
    step = int(record.results["best_epoch"]) if scored == "best" else len(record.epochs)
    timestamp = int(record.epochs[step - 1]["time"] * 1000)
    return Metric("val/mean_iou", record.validation_mean_iou, timestamp, step, model_id=model_id)


def _metric_name(key: str) -> str:
    """A name that MLflow accepts: letters, digits, '_', '-', '.', ' ', ':' and '/'."""
    return "".join(character if character.isalnum() or character in "_-. :/" else "_" for character in key)
