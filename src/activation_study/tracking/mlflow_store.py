"""One MLflow store: what the mirror says to it, each step once. The only importer of mlflow."""

import getpass
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import filelock

from activation_study.config.identity import flatten
from activation_study.records.artifacts import WEIGHTS_FILE
from activation_study.records.record import Record
from activation_study.tracking.log_model import MODEL_NAME, log_model
from activation_study.tracking.sqlite import database_path, relocate_artifacts

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_DISABLE_AUTO_LOGGING_WARNING", "true")
# Else two lines on standard output for each run, from a server's store.
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# MLflow would try a server that cannot be reached for minutes at each call.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")

MOST_POINTS = 1000  # that MLflow takes in one call
KEY_TAG = "activation_study.key"
# Without it the page opens a new experiment as one about language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
# Files that MLflow gets in another way than as an artifact of the same name.
NOT_ARTIFACTS = {WEIGHTS_FILE}


class MlflowStore:
    """A store.

    Args:
        uri: as MLflow takes it.
    """

    def __init__(self, uri: str) -> None:
        import logging

        from mlflow import MlflowClient

        logging.getLogger("alembic").setLevel(logging.WARNING)  # a new store's migrations, line by line
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        self._uri = uri
        self._database = database_path(uri)
        with self._creation():  # the client opens the database, and makes it where there is none
            if self._database is not None:
                relocate_artifacts(self._database)
            self._client: Any = MlflowClient(tracking_uri=uri)

    def run_ids(self, initial_state: str) -> list[str]:
        """The ids of all runs that begin so."""
        experiments = [each.experiment_id for each in self._client.search_experiments()]
        found, token = [], None
        while True:
            page = self._client.search_runs(experiments, page_token=token, max_results=1000)
            found += [run.info.run_id for run in page if run.info.run_id.startswith(initial_state)]
            token = page.token
            if not token:
                return found

    def tags(self, run_id: str) -> dict[str, str]:
        """A run's tags."""
        return dict(self._client.get_run(run_id).data.tags)

    def download(self, run_id: str, file: str, to: Path) -> Path:
        """Fetches one of a run's artifacts."""
        return Path(self._client.download_artifacts(run_id, file, str(to)))

    def download_weights(self, run_id: str, to: Path) -> Path:
        """Fetches the logged model of a run; its best weights."""
        import mlflow

        mlflow.set_tracking_uri(self._uri)  # the call's own argument does not reach all of its parts
        model = f"runs:/{run_id}/{MODEL_NAME}"
        fetched = mlflow.artifacts.download_artifacts(model, dst_path=str(to), tracking_uri=self._uri)
        return next(Path(fetched).rglob(WEIGHTS_FILE))

    def find_run(self, record: Record) -> str | None:
        """The id of the record's run; None where it is not in this store."""
        experiment = self._client.get_experiment_by_name(record.study)
        if experiment is None:
            return None
        return self._find(experiment.experiment_id, record.key)

    def _find(self, experiment: str, key: str) -> str | None:
        return next(iter(self._all(experiment, key)), None)

    def _all(self, experiment: str, key: str) -> list[str]:
        found = self._client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{key}'")
        return [str(run.info.run_id) for run in found]

    def _one_of(self, experiment: str, key: str) -> str | None:
        """The run of a key, the only one: a server whose answer was lost may have made two."""
        found = self._all(experiment, key)
        for twin in found[1:]:
            self._client.delete_run(twin)
        return found[0] if found else None

    def log_report(self, folder: Path, study: str, note: str) -> None:
        """Puts a study's report into its one run `report`; nothing where the store has no such study."""
        experiment = self._client.get_experiment_by_name(study)
        if experiment is None:
            return
        key = f"report of {study}"
        run_id = self._find(experiment.experiment_id, key)
        if run_id is None:
            tags = {KEY_TAG: key, "mlflow.source.name": "compare.py", "mlflow.user": getpass.getuser()}
            created = self._client.create_run(experiment.experiment_id, tags=tags, run_name="report")
            run_id = str(created.info.run_id)
        self.set_tags(run_id, {"mlflow.note.content": note})
        self._client.log_artifacts(run_id, str(folder))
        self._client.set_terminated(run_id, "FINISHED")

    def set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        """Sets tags of a run."""
        for name, value in tags.items():
            self._client.set_tag(run_id, name, value)

    def open_run(self, record: Record, folder: Path) -> str:
        """The id of the record's run, made if it is not there; a closed one that goes on is opened again."""
        experiment = self._experiment(record.study)
        run_id = self.find_run(record)
        if run_id is None:
            tags = {
                KEY_TAG: record.key,
                "mlflow.source.name": "train.py",
                "mlflow.user": getpass.getuser(),
                "identity": record.identity,
                "folder": str(folder),
                **record.links,
                **{f"digest.{name}": digest for name, digest in record.digests.items()},
            }
            started = int(record.started * 1000)
            created = self._client.create_run(experiment, start_time=started, tags=tags, run_name=record.name)
            run_id = self._one_of(experiment, record.key) or str(created.info.run_id)
        run = self._client.get_run(run_id)
        if record.status == "RUNNING" and run.info.status != "RUNNING":
            self._client.update_run(run_id, status="RUNNING")
        if not run.data.params:  # also where the store failed, or this process was killed, just after creating the run
            self._log_start(run_id, record)
        return run_id

    def log_epochs(self, run_id: str, record: Record, known: int | None) -> None:
        """Logs the epochs that the store lacks.

        Args:
            run_id: the run's.
            record: with the epochs.
            known: how many the store has; None looks it up.
        """
        from mlflow.entities import Metric

        if known is None:
            known = len({point.step for point in self._client.get_metric_history(run_id, "train/loss")})
        waiting: list[Metric] = []
        for step, epoch in enumerate(record.epochs[known:], known + 1):
            stamp = int(epoch["time"] * 1000)
            metrics = [Metric(key, value, stamp, step) for key, value in epoch.items() if key != "time"]
            if len(waiting) + len(metrics) > MOST_POINTS:
                self._client.log_batch(run_id, waiting)
                waiting = []
            waiting += metrics
        if waiting:  # whole epochs in each call, which is stored whole or not at all
            self._client.log_batch(run_id, waiting)

    def log_end(self, run_id: str, record: Record, folder: Path, weights: str) -> None:
        """Logs results, tags, the folder's files and the model, and closes the run with the record's status."""
        from mlflow.entities import Metric

        assert record.ended is not None
        stamp = int(record.ended * 1000)
        there = self._client.get_run(run_id).data.metrics
        # Scores of a run that did not finish would stand in the way of those of its end.
        results = record.results if record.status == "FINISHED" else {"parameters": record.results.get("parameters", 0)}
        missing = {key: value for key, value in results.items() if _metric_name(key) not in there}
        if missing:
            self._client.log_batch(
                run_id, [Metric(_metric_name(key), value, stamp, 0) for key, value in missing.items()]
            )
        tags = {f"digest.{name}": digest for name, digest in record.digests.items()}
        tags |= {"error": record.error} if record.error else {}
        tags |= {"resumed": str(len(record.resumed))} if record.resumed else {}
        tags |= {"changes": "\n".join(record.changes)} if record.changes else {}
        self.set_tags(run_id, tags)
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            hidden = any(part.startswith(".") for part in relative.parts)
            if path.is_file() and not hidden and path.name not in NOT_ARTIFACTS:
                self._client.log_artifact(run_id, str(path), relative.parent.as_posix().removeprefix(".") or None)
        if weights == "best" and record.status == "FINISHED":
            self._log_model(run_id, record, folder / WEIGHTS_FILE)
        self._client.set_terminated(run_id, record.status, end_time=stamp)

    def _creation(self) -> Any:
        """A lock around what may create the store: processes that do so at the same moment break SQLite for good."""
        return filelock.FileLock(f"{self._database}.lock") if self._database else nullcontext()

    def _experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        with self._creation():
            found = self._client.get_experiment_by_name(name)
            if found is None:
                try:
                    return str(self._client.create_experiment(name, tags=EXPERIMENT_TAGS))
                except MlflowException:  # another process has made it meanwhile, on a server
                    found = self._client.get_experiment_by_name(name)
                    if found is None:
                        raise
            return str(found.experiment_id)

    def _log_start(self, run_id: str, record: Record) -> None:
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset
        from mlflow.entities import DatasetInput, InputTag, Param

        config = record.config
        short = {
            "activation": config["activation"]["name"],
            "label_type": config["label_type"]["name"],
            "seed": config["seed"],
            "data": config["data"]["name"],
            "model": config["model"]["name"],
        }
        source = CodeDatasetSource(tags={"data": str(config["data"]["root"] or config["data"]["format"])})
        digest = record.digests["data"][:12]
        dataset = MetaDataset(source=source, name=short["data"], digest=digest)  # type: ignore[abstract]
        self._client.log_inputs(
            run_id, [DatasetInput(dataset._to_mlflow_entity(), [InputTag("mlflow.data.context", "training")])]
        )
        values = {**short, **{key: value for key, value in flatten(config).items() if key not in short}}
        # Last: a run with parameters has all that is logged at its start.
        self._client.log_batch(run_id, params=[Param(key, str(value)) for key, value in values.items()])

    def _log_model(self, run_id: str, record: Record, best: Path) -> None:
        """Logs `runs:/<run id>/model`, once."""
        experiment = self._client.get_run(run_id).info.experiment_id
        for model in self._client.search_logged_models([experiment], f"source_run_id = '{run_id}'"):
            if str(model.status) == "READY":
                return
            self._client.delete_logged_model(model.model_id)  # a killed process was logging it
        log_model(self._uri, run_id, record, best)


def _metric_name(key: str) -> str:
    """MLflow takes letters, digits, '_', '-', '.', ' ', ':' and '/'."""
    return "".join(letter if letter.isalnum() or letter in "_-. :/" else "_" for letter in key)
