"""Keeps one run per run folder in a store: no doubles, nothing half logged, earlier attempts out of the default view.

A run in a store mirrors one attempt, by a record's `key`. Runs are deleted only in MLflow's sense: its page shows them
under "Deleted", and `restore` brings them back. A tag says why; without one, a person deleted the run.
"""

import socket
from enum import Enum
from pathlib import Path
from typing import Any

from activation_study.config.scored_weights import scored_weights, weights_file
from activation_study.errors import BadInput
from activation_study.records.artifacts import artifacts
from activation_study.records.record import Record, read_record
from activation_study.tracking.store.inventory import Inventory, TrackedRun, read_with_client
from activation_study.tracking.store.problems import deleted_runs
from activation_study.tracking.tags import (
    COMPLETE_TAG,
    DUPLICATE_TAG,
    IDENTITY_TAG,
    KEY_TAG,
    PLACE_TAG,
    SUPERSEDED_TAG,
)

MODEL_MARK = "model"  # in COMPLETE_TAG: the weights are logged


class Presence(Enum):
    """How much of a run is in a store."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"  # or there twice
    MISSING = "missing"
    DELETED = "deleted"  # by a person
    EXPERIMENT_DELETED = "experiment deleted"


def presence(inventory: Inventory, record: Record, folder: Path, weights: str) -> Presence:
    """How much of an ended run a store has.

    Args:
        inventory: what the store has of the run's study.
        record: of the run.
        folder: of the run.
        weights: see `Mirror`.
    """
    experiment = inventory.experiments.get(record.study)
    if experiment is not None and experiment.deleted:
        return Presence.EXPERIMENT_DELETED
    runs = inventory.with_key(record.key)
    if not runs:
        return Presence.MISSING
    first = runs[0]
    if first.deleted:
        return Presence.INCOMPLETE if _deleted_by_us(first) else Presence.DELETED
    once = not any(not run.deleted for run in runs[1:])
    complete = (
        once
        and first.status == status_in_mlflow(record)
        and first.epochs == len(record.epochs)
        and (set(completion(record, folder, weights).split()) <= set(first.tags.get(COMPLETE_TAG, "").split()))
        and first.has_artifacts(path.relative_to(folder).as_posix() for path in artifacts(folder))
    )
    return Presence.COMPLETE if complete else Presence.INCOMPLETE


def status_in_mlflow(record: Record) -> str:
    """The status that MLflow shows; it knows no pruned runs."""
    return "FINISHED" if record.status == "PRUNED" else record.status


def completion(record: Record, folder: Path, weights: str) -> str:
    """The value of COMPLETE_TAG when everything of a run is logged."""
    return f"{record.ended} {MODEL_MARK}" if logs_model(record, folder, weights) else str(record.ended)


def logs_model(record: Record, folder: Path, weights: str) -> bool:
    """Whether the run's scored weights are logged: it has finished, and nobody has deleted the file."""
    file = folder / weights_file(scored_weights(record.config))
    return weights == "best" and record.status == "FINISHED" and file.is_file()


def place_of(folder: Path) -> str:
    """The value of PLACE_TAG for a run folder."""
    return f"{socket.gethostname()}:{folder.resolve()}"


def leave_one(client: Any, record: Record, restore: bool) -> None:
    """Leaves at most one run with the record's key, and none that is deleted.

    Args:
        client: MLflow's client.
        record: of the run.
        restore: bring back what a person has deleted.

    Raises:
        StoreProblem: a person has deleted the run or its experiment, and `restore` is false.
    """
    inventory = read_with_client(client, [record.study], f"tags.`{KEY_TAG}` = '{record.key}'")
    runs = inventory.with_key(record.key)
    if not runs:
        return
    first = runs[0]
    if first.deleted:
        if not (restore or _deleted_by_us(first)):
            raise deleted_runs([record.name])
        client.restore_run(first.run_id)
        for tag in (SUPERSEDED_TAG, DUPLICATE_TAG):
            if tag in first.tags:
                client.delete_tag(first.run_id, tag)
    for duplicate in runs[1:]:
        if not duplicate.deleted:
            _delete(client, duplicate, DUPLICATE_TAG, first.run_id)


def restore_experiment(client: Any, study: str) -> None:
    """Brings back the study's experiment, if it is deleted, with its runs, but not those that were superseded."""
    inventory = read_with_client(client, [study])
    experiment = inventory.experiments.get(study)
    if experiment is not None and experiment.deleted:
        client.restore_experiment(experiment.id)
        for run in inventory.runs:
            if _deleted_by_us(run):
                client.delete_run(run.run_id)


def supersede(client: Any, record: Record, folder: Path, run_id: str) -> None:
    """Takes earlier attempts out of the default view once the run has finished: deleted, with the tag `superseded_by`.

    An earlier attempt is one that this folder held before, as far as the record knows, or one of a folder at the same
    place of the same host. The same run in another clone, or on another machine, is none.
    """
    same = read_with_client(client, [record.study], f"tags.{IDENTITY_TAG} = '{record.identity}'")
    here = place_of(folder)
    for run in same.runs:
        if run.deleted or run.run_id == run_id or run.key == record.key:
            continue
        there = run.tags.get(PLACE_TAG, "")
        if there == here or (run.key in record.supersedes and not _held_elsewhere(run, there, here)):
            _delete(client, run, SUPERSEDED_TAG, run_id)
            experiment = same.experiments[record.study].id
            for model in client.search_logged_models([experiment], f"source_run_id = '{run.run_id}'"):
                client.set_logged_model_tags(model.model_id, {SUPERSEDED_TAG: run_id})  # it stays in the list of models


def _held_elsewhere(run: TrackedRun, there: str, here: str) -> bool:
    """Whether another folder has an attempt that this folder held, too: one is then a copy of the other."""
    (host, _, path), (this_host, _, this_path) = there.partition(":"), here.partition(":")
    if path in ("", this_path):  # the nodes of a cluster, and containers, have one path and many names
        return False
    if host != this_host:
        return True
    try:
        record = read_record(Path(path))
    except BadInput:
        return True
    return record is not None and record.key == run.key  # otherwise the project was moved


def _delete(client: Any, run: TrackedRun, reason: str, other: str) -> None:
    client.set_tag(run.run_id, reason, other)
    client.delete_run(run.run_id)


def _deleted_by_us(run: TrackedRun) -> bool:
    return SUPERSEDED_TAG in run.tags or DUPLICATE_TAG in run.tags
