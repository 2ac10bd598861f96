"""Reads and writes an MLflow store."""

import logging
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import filelock

from activation_study.config.scored_weights import scored_weights, weights_file
from activation_study.config.tuning import is_trial
from activation_study.errors import BadInput
from activation_study.records.artifacts import artifacts
from activation_study.records.public_copy import public_copy
from activation_study.records.record import Record
from activation_study.records.run import read_findings
from activation_study.tracking.attempts import leave_one, place_of, status_in_mlflow
from activation_study.tracking.run_page.datasets import dataset_inputs
from activation_study.tracking.run_page.description import describe_run, note_tags
from activation_study.tracking.run_page.log_model import MODEL_NAME, current_store, log_model
from activation_study.tracking.run_page.result_metrics import result_metrics, validation_score
from activation_study.tracking.run_page.run_params import run_params
from activation_study.tracking.run_page.run_tags import color_tags, run_tags
from activation_study.tracking.search_run import SearchRun
from activation_study.tracking.store.experiments import find_experiment, open_experiment
from activation_study.tracking.store.inventory import has_file
from activation_study.tracking.store.problems import ModelRefused
from activation_study.tracking.store.reachable import remember
from activation_study.tracking.store.sqlite import database_path, relocate_artifacts
from activation_study.tracking.study_run import StudyRun, is_study
from activation_study.tracking.tags import KEY_TAG, PLACE_TAG
from activation_study.user import provide_user, user_name

provide_user()  # MLflow's import fails without a home folder
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_DISABLE_AUTO_LOGGING_WARNING", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
# Otherwise, with a server, MLflow prints two lines for each run.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# By default, each call to an unreachable server takes minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

CREATION_TIMEOUT = 15  # seconds to wait for a process that creates the store
MAX_METRICS = 1000  # MLflow's limit for one call of `log_batch`
SAMPLED = "system/cpu_utilization_percentage"  # is in every sample of the machine


class MlflowStore:
    """One MLflow store.

    Args:
        uri: its tracking URI.
    """

    def __init__(self, uri: str) -> None:
        from mlflow import MlflowClient

        logging.getLogger("alembic").setLevel(logging.WARNING)  # it logs each migration of a new store
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # the traceback of what it also raises
        self._uri = uri
        self._database = database_path(uri)
        self._experiments: dict[str, str] = {}  # ID by study
        with self._creation_lock():  # the client opens the database and creates it if it is missing
            if self._database is not None:
                relocate_artifacts(self._database)
            self._client: Any = MlflowClient(tracking_uri=uri)
        remember(uri)

    @property
    def client(self) -> Any:
        """MLflow's client."""
        return self._client

    def run_ids(self, prefix: str, deleted: bool = False) -> list[str]:
        """The IDs of all runs that start with a prefix: of those that exist, or of deleted ones."""
        from mlflow.entities import ViewType

        experiments = [each.experiment_id for each in self._client.search_experiments(view_type=ViewType.ALL)]
        view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
        run_ids, token = [], None
        while True:
            page = self._client.search_runs(experiments, "", view, page_token=token, max_results=1000)
            run_ids += [run.info.run_id for run in page if run.info.run_id.startswith(prefix)]
            token = page.token
            if not token:
                return run_ids

    def tags(self, run_id: str) -> dict[str, str]:
        """A run's tags."""
        return dict(self._client.get_run(run_id).data.tags)

    def download(self, run_id: str, file: str, folder: Path) -> None:
        """Downloads an artifact of a run to the same relative path in a folder."""
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(self._client.download_artifacts(run_id, file, str(folder))).replace(target)  # MLflow may drop its folder

    def download_weights(self, run_id: str, folder: Path) -> Path:
        """Downloads the logged model of a run into a folder; returns the file of its weights."""
        import mlflow

        model = f"runs:/{run_id}/{MODEL_NAME}"
        with current_store(self._uri):  # download_artifacts does not pass its tracking_uri to every call it makes
            model_folder = mlflow.artifacts.download_artifacts(model, dst_path=str(folder), tracking_uri=self._uri)
        return next(Path(model_folder).rglob(weights_file("*")))

    def find_run(self, record: Record) -> str | None:
        """The ID of the record's run; None if it is not in this store."""
        experiment_id = self._experiments.get(record.study) or self._existing_experiment(record.study)
        return next(iter(self._runs_with_key(experiment_id, record.key)), None) if experiment_id else None

    def _existing_experiment(self, study: str) -> str | None:
        found = find_experiment(self._client, study)
        return found.id if found is not None and not found.deleted else None

    def _runs_with_key(self, experiment_id: str, key: str) -> list[str]:
        runs = self._client.search_runs([experiment_id], f"tags.`{KEY_TAG}` = '{key}'")
        return [str(run.info.run_id) for run in runs]

    def log_report(self, folder: Path, study: str, note: str) -> None:
        """Logs a study's report to the study's run; nothing if the store lacks the study."""
        experiment_id = self._existing_experiment(study)
        if experiment_id is not None:
            self._study_run(study, experiment_id).log_report(folder, note)

    def _study_run(self, study: str, experiment_id: str) -> StudyRun:
        return StudyRun(self._client, experiment_id, study, self._creation_lock)

    def _parents(self, record: Record, experiment_id: str) -> list[StudyRun | SearchRun]:
        """The runs above a record's: that of its search if it is a trial, and that of its study."""
        if not is_study(record.study):
            return []
        study = self._study_run(record.study, experiment_id)
        if not is_trial(record.config):
            return [study]
        return [SearchRun(self._client, experiment_id, record, study.child_tags(), self._creation_lock), study]

    def set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        """Sets tags of a run."""
        from mlflow.entities import RunTag

        self._client.log_batch(run_id, tags=[RunTag(name, value) for name, value in tags.items()])

    def open_run(self, record: Record, folder: Path) -> str:
        """The ID of the record's run, which is created if needed, and reopened if it is resumed."""
        experiment_id = self._experiment_id(record.study)
        run_id = self.find_run(record)
        if run_id is None:
            tags = {KEY_TAG: record.key, PLACE_TAG: place_of(folder), "mlflow.user": user_name()}
            started = int(record.started * 1000)
            created = self._client.create_run(experiment_id, start_time=started, tags=tags, run_name=record.name)
            leave_one(self._client, record, restore=False)  # a server's response may be lost, and the request repeated
            run_id = self.find_run(record) or str(created.info.run_id)
        run = self._client.get_run(run_id)
        if record.status == "RUNNING" and run.info.status != "RUNNING":
            self._client.update_run(run_id, status="RUNNING")
        self._describe(run, record, folder)
        if not run.data.params:  # a new run, or the store or the process failed just after creating it
            self._log_start(run_id, record)
        return run_id

    def _describe(self, run: Any, record: Record, folder: Path) -> None:
        """Sets all tags and the description, and places the run below those of its search and study, which get their
        status.
        """
        parents = self._parents(record, run.info.experiment_id)
        present = run.data.tags
        linked = {name: present[name] for name in record.links if name in present}  # they may be run IDs by now
        findings = read_findings(folder, record)
        note = note_tags(present, describe_run(record, run.info.run_id, findings))
        parent = parents[0].child_tags() if parents else {}
        tags = {**run_tags(record, folder, findings), **linked, **note, **parent, **color_tags(present, record)}
        self.set_tags(run.info.run_id, tags)
        for each in parents:
            each.update_status()

    def log_epochs(self, run_id: str, record: Record, logged: int | None) -> None:
        """Logs the epochs that the store lacks.

        Args:
            run_id: the run's ID.
            record: the run's record.
            logged: the number of epochs in the store; None looks it up.
        """
        if logged is None:
            logged = self._count(run_id, "train/loss")
        self._log_points(run_id, record.epochs[logged:], logged + 1)

    def log_samples(self, run_id: str, samples: Sequence[dict[str, float]]) -> None:
        """Logs the samples of the machine that the store lacks."""
        if samples:
            logged = self._count(run_id, SAMPLED)
            self._log_points(run_id, samples[logged:], logged)

    def _count(self, run_id: str, key: str) -> int:
        """How many steps the store has of a metric."""
        return len({point.step for point in self._client.get_metric_history(run_id, key)})

    def _log_points(self, run_id: str, points: Sequence[dict[str, float]], first_step: int) -> None:
        """Logs metrics of one step each, with their `time`."""
        from mlflow.entities import Metric

        batch: list[Metric] = []  # of whole steps, because a call is stored completely or not at all
        for step, point in enumerate(points, first_step):
            timestamp = int(point["time"] * 1000)
            metrics = [Metric(key, value, timestamp, step) for key, value in point.items() if key != "time"]
            if len(batch) + len(metrics) > MAX_METRICS:
                self._client.log_batch(run_id, batch)
                batch = []
            batch += metrics
        if batch:
            self._client.log_batch(run_id, batch)

    def log_end(self, run_id: str, record: Record, folder: Path, weights: str) -> None:
        """Logs files, the model and results, and closes the run with the record's status.

        Raises:
            ModelRefused: everything is logged but the model, because the file does not have the recorded weights.
        """
        assert record.ended is not None
        self._log_artifacts(run_id, folder)
        model_id = problem = None
        if weights == "best" and record.status == "FINISHED":
            try:
                model_id = self._log_model(run_id, record, folder / weights_file(scored_weights(record.config)))
            except BadInput as error:
                problem = ModelRefused(str(error))
        self._log_results(run_id, record, model_id)
        self._client.set_terminated(run_id, status_in_mlflow(record), end_time=int(record.ended * 1000))
        self._describe(self._client.get_run(run_id), record, folder)
        if problem is not None:
            raise problem

    def _log_results(self, run_id: str, record: Record, model_id: str | None) -> None:
        """Logs what the store lacks of the results, for the run and its model."""
        logged = self._client.get_run(run_id).data.metrics
        if record.status == "FINISHED":
            metrics = result_metrics(record, model_id)
        else:  # metrics are logged once, so an unfinished run must not log scores that change when it is resumed
            metrics = [metric for metric in result_metrics(record, None) if metric.key == "parameters"]
        missing = [metric for metric in metrics if metric.key not in logged]
        if missing and model_id is not None and record.epochs and (score := validation_score(record, model_id)):
            missing.append(score)
        if missing:
            self._client.log_batch(run_id, missing)

    def _log_artifacts(self, run_id: str, folder: Path) -> None:
        for path in artifacts(folder):
            relative = path.relative_to(folder)
            with public_copy(path) as copy:
                self._client.log_artifact(run_id, str(copy), relative.parent.as_posix().removeprefix(".") or None)

    def _creation_lock(self) -> Any:
        """A lock for creating the store: processes that create a SQLite store at the same time corrupt it."""
        return (
            filelock.FileLock(f"{self._database}.lock", timeout=CREATION_TIMEOUT) if self._database else nullcontext()
        )

    def _experiment_id(self, study: str) -> str:
        if study not in self._experiments:
            with self._creation_lock():
                self._experiments[study] = open_experiment(self._client, study)
        return self._experiments[study]

    def _log_start(self, run_id: str, record: Record) -> None:
        from mlflow.entities import Param

        self._client.log_inputs(run_id, dataset_inputs(record))
        # Last: `open_run` takes a run with parameters for one whose start is completely logged.
        self._client.log_batch(run_id, params=[Param(key, value) for key, value in run_params(record).items()])

    def _log_model(self, run_id: str, record: Record, weights: Path) -> str:
        """Logs `runs:/<run id>/model`, once; returns the model's ID."""
        for model in self.models(run_id):
            if str(model.status) == "READY" and has_file(model.artifact_location, "MLmodel"):
                return str(model.model_id)
            # The process was killed while it logged the model, or the files were deleted since.
            self._client.delete_logged_model(model.model_id)
        return log_model(self._uri, run_id, record, weights)

    def models(self, run_id: str) -> list[Any]:
        """The logged models of a run."""
        experiment_id = self._client.get_run(run_id).info.experiment_id
        return list(self._client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'"))
