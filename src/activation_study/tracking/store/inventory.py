"""What a store has of a study: all its runs, deleted ones included, in about one request.

A SQLite file is read directly, so that a sweep with nothing left to do need not import MLflow.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from activation_study.tracking.store.experiments import STUDY_TAG, Experiment, choose, find_experiment
from activation_study.tracking.store.reachable import TIMEOUT, check_reachable
from activation_study.tracking.store.sqlite import database_path
from activation_study.tracking.tags import COMPLETE_TAG, KEY_TAG, OWN_TAGS, study_key

PAGE_SIZE = 1000
READY = "lifecycle_stage = 'active' AND status = 2"  # of a logged model


@dataclass(frozen=True)
class TrackedRun:
    """A run in a store.

    Args:
        run_id: its ID.
        name: its name.
        status: RUNNING, FINISHED, FAILED or KILLED.
        deleted: whether it is deleted, by a person or by `superseded`.
        started: Unix time in milliseconds.
        epochs: the last epoch that is logged.
        artifacts: the address of its artifacts.
        tags: those of this project.
        models: the addresses of its logged models that exist, where their files can be seen.
    """

    run_id: str
    name: str
    status: str
    deleted: bool
    started: int
    epochs: int
    artifacts: str
    tags: dict[str, str]
    models: tuple[str, ...] = ()

    @property
    def key(self) -> str | None:
        """The key of the attempt that it mirrors."""
        return self.tags.get(KEY_TAG)

    def has_artifacts(self, names: Iterable[str]) -> bool:
        """Whether these artifacts and the files of its models exist, where that can be seen without a request."""
        return all(has_file(self.artifacts, name) for name in names) and all(
            has_file(model, "MLmodel") for model in self.models
        )


def has_file(address: str, name: str) -> bool:
    """Whether a file exists below an address of artifacts; true if that cannot be seen without a request."""
    folder = _local_folder(address)
    return folder is None or (folder / name).is_file()


def _local_folder(address: str) -> Path | None:
    parts = urlparse(address)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


@dataclass(frozen=True)
class Inventory:
    """What a store has of some studies.

    Args:
        experiments: by study; a study without an experiment is missing.
        runs: of these experiments.
    """

    experiments: dict[str, Experiment] = field(default_factory=dict)
    runs: Sequence[TrackedRun] = ()

    def with_key(self, key: str) -> list[TrackedRun]:
        """The runs of one attempt: those that exist before deleted ones, complete ones before others."""
        found = [run for run in self.runs if run.key == key]
        return sorted(found, key=lambda run: (run.deleted, COMPLETE_TAG not in run.tags, run.started))

    def deleted_study_runs(self) -> list[str]:
        """The studies whose own run a person deleted, in experiments that exist."""
        return [
            study
            for study, experiment in self.experiments.items()
            if not experiment.deleted and (own := self.with_key(study_key(study))) and own[0].deleted
        ]


def read_inventory(uri: str, studies: Iterable[str]) -> Inventory:
    """What a store has of some studies.

    Args:
        uri: the store's tracking URI. A SQLite file that does not exist has nothing, and is not created.
        studies: the names of their experiments, e.g. `demo` and `demo/reproductions`.

    Raises:
        Exception: the store cannot be read.
    """
    studies = sorted(set(studies))
    check_reachable(uri)
    database = database_path(uri)
    if database is not None:
        if not database.is_file():
            return Inventory()
        try:
            with closing(sqlite3.connect(_read_only(database), uri=True, timeout=TIMEOUT)) as connection:
                return _read_database(connection, studies)
        except sqlite3.Error:  # another version of MLflow has other tables
            pass
    from activation_study.tracking.store.mlflow_store import MlflowStore

    return read_with_client(MlflowStore(uri).client, studies)


def read_with_client(client: Any, studies: Iterable[str], condition: str = "") -> Inventory:
    """What a store has of some studies, through MLflow's client.

    Args:
        client: MLflow's client.
        studies: see `read_inventory`.
        condition: on the runs, in MLflow's words.
    """
    from mlflow.entities import ViewType

    experiments = {study: found for study in studies if (found := find_experiment(client, study)) is not None}
    ids, runs, token = [each.id for each in experiments.values()], [], None
    while ids:
        page = client.search_runs(ids, condition, ViewType.ALL, max_results=PAGE_SIZE, page_token=token)
        runs += [_tracked(run) for run in page]
        token = page.token
        if not token:
            break
    if any(_local_folder(run.artifacts) for run in runs):
        models = _models(client, ids)
        runs = [replace(run, models=tuple(models.get(run.run_id, ()))) for run in runs]
    return Inventory(experiments, runs)


def _models(client: Any, experiments: Sequence[str]) -> dict[str, list[str]]:
    """The addresses of all models that are completely logged, by their run."""
    found: dict[str, list[str]] = {}
    token = None
    while True:
        page = client.search_logged_models(experiments, page_token=token)
        for model in page:
            if str(model.status) == "READY":
                found.setdefault(model.source_run_id, []).append(model.artifact_location)
        token = page.token
        if not token:
            return found


def _tracked(run: Any) -> TrackedRun:
    steps = [metric.step for metric in run.data._metric_objs if metric.key == "train/loss"]
    tags = {key: value for key, value in run.data.tags.items() if key in OWN_TAGS}
    info = run.info
    values = info.run_id, info.run_name, info.status, info.lifecycle_stage == "deleted", info.start_time
    return TrackedRun(*values, max(steps, default=0), info.artifact_uri, tags)


def _read_database(connection: sqlite3.Connection, studies: Sequence[str]) -> Inventory:
    every = [
        Experiment(str(row[0]), row[1], row[2] == "deleted", row[3])
        for row in connection.execute(
            "SELECT e.experiment_id, e.name, e.lifecycle_stage, t.value FROM experiments e LEFT JOIN experiment_tags t "
            "ON t.experiment_id = e.experiment_id AND t.key = ?",
            (STUDY_TAG,),
        )
    ]
    experiments = {study: found for study in studies if (found := choose(study, every)) is not None}
    ids = [int(each.id) for each in experiments.values()]
    chosen = f"SELECT run_uuid FROM runs WHERE experiment_id IN ({','.join('?' * len(ids))})"
    tags: dict[str, dict[str, str]] = {}
    names = ",".join("?" * len(OWN_TAGS))
    query = f"SELECT run_uuid, key, value FROM tags WHERE run_uuid IN ({chosen}) AND key IN ({names})"
    for run_id, key, value in connection.execute(query, (*ids, *OWN_TAGS)):
        tags.setdefault(run_id, {})[key] = value
    query = f"SELECT run_uuid, step FROM latest_metrics WHERE run_uuid IN ({chosen}) AND key = 'train/loss'"
    epochs = dict(connection.execute(query, ids))
    models: dict[str, list[str]] = {}
    query = f"SELECT source_run_id, artifact_location FROM logged_models WHERE source_run_id IN ({chosen}) AND {READY}"
    for run_id, address in connection.execute(query, ids):
        models.setdefault(run_id, []).append(address)
    columns = "run_uuid, name, status, lifecycle_stage, start_time, artifact_uri"
    query = f"SELECT {columns} FROM runs WHERE run_uuid IN ({chosen})"
    runs = [
        TrackedRun(
            *(row[0], row[1], row[2], row[3] == "deleted", row[4], epochs.get(row[0], 0), row[5]),
            tags.get(row[0], {}),
            tuple(models.get(row[0], ())),
        )
        for row in connection.execute(query, ids)
    ]
    return Inventory(experiments, runs)


def _read_only(database: Path) -> str:
    return f"{database.absolute().as_uri()}?mode=ro"
