"""Runs in MLflow: what a small record needs to be tracked, and how to find its run."""

from typing import Any

from mlflow import MlflowClient

CONFIG = {
    "activation": {"name": "mish"}, "label_type": {"name": "surfaces"}, "seed": 3,
    "data": {"name": "scenes", "root": None, "format": "scenes", "image_size": [32, 32]}, "model": {"name": "unet"},
}  # fmt: skip


def trained_runs(client: MlflowClient, study: str) -> list[Any]:
    """The runs of a study, without the study's own run."""
    return list(client.search_runs([client.get_experiment_by_name(study).experiment_id], "params.activation LIKE '%'"))


def study_runs(client: MlflowClient, study: str) -> list[Any]:
    """The run of the study itself, in a list, since there must be one."""
    found = client.search_runs([client.get_experiment_by_name(study).experiment_id])
    return [run for run in found if run.data.tags["activation_study.key"] == f"study of {study}"]
