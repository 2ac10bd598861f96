"""The data set of a run as MLflow's inputs: its training images, and the images that it was tested on."""

import json
from typing import Any

from activation_study.records.record import Record

PARTS = ("test", "validation", "train", "all")  # of a data set; the first part of a score's name


def dataset_inputs(record: Record) -> list[Any]:
    """The inputs for `log_inputs`. MLflow keeps one input for each name and digest, so they need two names."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = record.config["data"]
    source = json.dumps({"tags": {"data": str(data.get("root") or data.get("format"))}})
    profile = json.dumps({"classes": record.classes, "image_size": data.get("image_size")})
    contexts = {test_dataset(record)[0]: "testing"}
    if "evaluates" not in record.links:
        contexts = {data["name"]: "training", **contexts}
    return [
        DatasetInput(
            Dataset(name=name, digest=_digest(record), source_type="code", source=source, profile=profile),
            [InputTag("mlflow.data.context", context)],
        )
        for name, context in contexts.items()
    ]


def test_dataset(record: Record) -> tuple[str, str]:
    """Name and digest of the data set that the scores belong to."""
    part = "test"
    if "evaluates" in record.links:
        part = next((key.split("/")[0] for key in record.results if key.endswith("/mean_iou")), part)
    return f"{record.config['data']['name']} {part} images", _digest(record)


def _digest(record: Record) -> str:
    return record.digests["data"][:12]
