"""Reads and writes an MLflow store."""

import logging
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import filelock

from activation_study.config.identity import flatten
from activation_study.records.artifacts import WEIGHTS_FILE, artifacts
from activation_study.records.record import Record
from activation_study.tracking.attempts import leave_one, place_of
from activation_study.tracking.experiments import find_experiment, open_experiment
from activation_study.tracking.log_model import MODEL_NAME, current_store, log_model
from activation_study.tracking.sqlite import database_path, relocate_artifacts
from activation_study.tracking.tags import KEY_TAG, PLACE_TAG
from activation_study.user import provide_user, user_name

provide_user()  # MLflow's import fails without a home folder
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_DISABLE_AUTO_LOGGING_WARNING", "true")
# Otherwise, with a server, MLflow prints two lines for each run.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# By default, each call to an unreachable server takes minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

CREATION_TIMEOUT = 15  # seconds to wait for a process that creates the store
MAX_METRICS = 1000  # MLflow's limit for one call of `log_batch`
REPORT_FILES = ("*.html", "*.md", "*.csv", "figures/*.svg")  # what else is in the folder is not copied


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
        """Downloads the logged model of a run into a folder; returns the file of its best weights."""
        import mlflow

        model = f"runs:/{run_id}/{MODEL_NAME}"
        with current_store(self._uri):  # download_artifacts does not pass its tracking_uri to every call it makes
            model_folder = mlflow.artifacts.download_artifacts(model, dst_path=str(folder), tracking_uri=self._uri)
        return next(Path(model_folder).rglob(WEIGHTS_FILE))

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
        """Logs a study's report to the run `report`, created if needed; nothing if the store lacks the study."""
        experiment_id = self._existing_experiment(study)
        if experiment_id is None:
            return
        key = f"report of {study}"
        run_id = next(iter(self._runs_with_key(experiment_id, key)), None)
        if run_id is None:
            tags = {KEY_TAG: key, "mlflow.source.name": "compare.py", "mlflow.user": user_name()}
            created = self._client.create_run(experiment_id, tags=tags, run_name="report")
            run_id = str(created.info.run_id)
        self.set_tags(run_id, {"mlflow.note.content": note})
        for path in sorted(path for pattern in REPORT_FILES for path in folder.glob(pattern) if path.is_file()):
            place = path.relative_to(folder).parent.as_posix().removeprefix(".") or None
            self._client.log_artifact(run_id, str(path), place)
        self._client.set_terminated(run_id, "FINISHED")

    def set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        """Sets tags of a run."""
        for name, value in tags.items():
            self._client.set_tag(run_id, name, value)

    def open_run(self, record: Record, folder: Path) -> str:
        """The ID of the record's run, which is created if needed, and reopened if it is resumed."""
        experiment_id = self._experiment_id(record.study)
        run_id = self.find_run(record)
        if run_id is None:
            tags = {
                KEY_TAG: record.key,
                "mlflow.source.name": "train.py",
                "mlflow.user": user_name(),
                "identity": record.identity,
                "folder": str(folder),
                PLACE_TAG: place_of(folder),
                **record.links,
                **{f"digest.{name}": digest for name, digest in record.digests.items()},
            }
            started = int(record.started * 1000)
            created = self._client.create_run(experiment_id, start_time=started, tags=tags, run_name=record.name)
            leave_one(self._client, record, restore=False)  # a server's response may be lost, and the request repeated
            run_id = self.find_run(record) or str(created.info.run_id)
        run = self._client.get_run(run_id)
        if record.status == "RUNNING" and run.info.status != "RUNNING":
            self._client.update_run(run_id, status="RUNNING")
        if not run.data.params:  # a new run, or the store or the process failed just after creating it
            self._log_start(run_id, record)
        return run_id

    def log_epochs(self, run_id: str, record: Record, logged: int | None) -> None:
        """Logs the epochs that the store lacks.

        Args:
            run_id: the run's ID.
            record: the run's record.
            logged: the number of epochs in the store; None looks it up.
        """
        from mlflow.entities import Metric

        if logged is None:
            logged = len({point.step for point in self._client.get_metric_history(run_id, "train/loss")})
        batch: list[Metric] = []  # of whole epochs, because a call is stored completely or not at all
        for step, epoch in enumerate(record.epochs[logged:], logged + 1):
            timestamp = int(epoch["time"] * 1000)
            metrics = [Metric(key, value, timestamp, step) for key, value in epoch.items() if key != "time"]
            if len(batch) + len(metrics) > MAX_METRICS:
                self._client.log_batch(run_id, batch)
                batch = []
            batch += metrics
        if batch:
            self._client.log_batch(run_id, batch)

    def log_end(self, run_id: str, record: Record, folder: Path, weights: str) -> None:
        """Logs results, tags, files and the model, and closes the run with the record's status."""
        from mlflow.entities import Metric

        assert record.ended is not None
        timestamp = int(record.ended * 1000)
        logged = self._client.get_run(run_id).data.metrics
        # Metrics are logged once, so an unfinished run must not log scores that will change when it is resumed.
        results = record.results if record.status == "FINISHED" else {"parameters": record.results.get("parameters", 0)}
        missing = {_metric_name(key): value for key, value in results.items() if _metric_name(key) not in logged}
        if missing:
            self._client.log_batch(run_id, [Metric(name, value, timestamp, 0) for name, value in missing.items()])
        tags = {f"digest.{name}": digest for name, digest in record.digests.items()}
        tags |= {"error": record.error} if record.error else {}
        tags |= {"resumed": str(len(record.resumed))} if record.resumed else {}
        tags |= {"changes": "\n".join(record.changes)} if record.changes else {}
        self.set_tags(run_id, tags)
        self._log_artifacts(run_id, folder)
        if weights == "best" and record.status == "FINISHED":
            self._log_model(run_id, record, folder / WEIGHTS_FILE)
        self._client.set_terminated(run_id, record.status, end_time=timestamp)

    def _log_artifacts(self, run_id: str, folder: Path) -> None:
        for path in artifacts(folder):
            relative = path.relative_to(folder)
            self._client.log_artifact(run_id, str(path), relative.parent.as_posix().removeprefix(".") or None)

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
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset
        from mlflow.entities import DatasetInput, InputTag, Param

        config = record.config
        main_params = {
            "activation": config["activation"]["name"],
            "label_type": config["label_type"]["name"],
            "seed": config["seed"],
            "data": config["data"]["name"],
            "model": config["model"]["name"],
        }
        source = CodeDatasetSource(tags={"data": str(config["data"]["root"] or config["data"]["format"])})
        digest = record.digests["data"][:12]
        dataset = MetaDataset(source=source, name=main_params["data"], digest=digest)  # type: ignore[abstract]
        self._client.log_inputs(
            run_id, [DatasetInput(dataset._to_mlflow_entity(), [InputTag("mlflow.data.context", "training")])]
        )
        params = {**main_params, **{key: value for key, value in flatten(config).items() if key not in main_params}}
        # Last: `open_run` takes a run with parameters for one whose start is completely logged.
        self._client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])

    def _log_model(self, run_id: str, record: Record, best: Path) -> None:
        """Logs `runs:/<run id>/model`, once."""
        experiment_id = self._client.get_run(run_id).info.experiment_id
        for model in self._client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'"):
            if str(model.status) == "READY":
                return
            self._client.delete_logged_model(model.model_id)  # the process was killed while it logged the model
        log_model(self._uri, run_id, record, best)


def _metric_name(key: str) -> str:
    """A name that MLflow accepts: letters, digits, '_', '-', '.', ' ', ':' and '/'."""
    return "".join(character if character.isalnum() or character in "_-. :/" else "_" for character in key)
