"""The mirror of a run's folder in an MLflow store. The only importer of mlflow.

`Mirror.update()` may be called at any time and any number of times: it looks up what the store has and adds
what is missing, so that no step is ever logged twice. The folder is the truth; a store that cannot be
reached delays the mirror and nothing else.
"""

import getpass
import os
import sys
import time
import warnings
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import filelock

from activation_study.config import flat
from activation_study.files import write_text
from activation_study.run.record import Record, read_record

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_DISABLE_AUTO_LOGGING_WARNING", "true")

KEY_TAG = "activation_study.key"
MODEL_NAME = "model"
# Without it the page opens a new experiment as one about language models.
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
# Tracking may cost this share of a run's time: an update waits until the last one's time is this share.
SHARE = 0.01
# In a run's folder: the store that has all of it.
MIRRORED_FILE = ".mirrored"
# Files that MLflow gets in another way than as an artifact of the same name.
NOT_ARTIFACTS = {"run.json", "best.keras"}


class Mirror:
    """One run's folder in one MLflow store.

    Args:
        folder: the run's.
        uri: of the store, as MLflow takes it; None mirrors nowhere.
        weights: `best` logs the best weights as a model, `none` does not.
    """

    def __init__(self, folder: Path, uri: str | None, weights: str) -> None:
        self._folder, self._uri, self._weights = folder, uri, weights
        self._run_id: str | None = None
        self._steps = 0
        self._cost = 0.0
        self._last = 0.0
        self._warned = False

    @property
    def run_id(self) -> str | None:
        """The run's id in the store, once it is there."""
        return self._run_id

    def update(self, final: bool = False) -> None:
        """Brings what is new into the store; skipped when it would cost more than its share, unless `final`."""
        if self._uri is None or not (final or time.perf_counter() - self._last > self._cost / SHARE):
            return
        record = read_record(self._folder)
        assert record is not None, self._folder
        started, connected = time.perf_counter(), self._run_id is not None
        try:
            self._bring(record)
            if record.ended is not None:
                write_text(self._folder / MIRRORED_FILE, f"{self._uri}\n")
        except Exception as error:  # whatever the store raises must not end a training
            if not self._warned or final:
                reason = f"{self._folder} has everything; {_first_line(error)}"
                print(f"warning: tracking in {self._uri} failed, training goes on: {reason}", file=sys.stderr)
            self._warned = True
        self._last = time.perf_counter()
        # Creating store and run happens once and says nothing about the next update.
        self._cost = self._last - started if connected or self._run_id is None else 0.0

    def catch_up(self) -> None:
        """For a run that has ended: brings it into the store unless that was done when it ended."""
        marker = self._folder / MIRRORED_FILE
        if self._uri is not None and not (marker.exists() and marker.read_text(encoding="utf-8").strip() == self._uri):
            self.update(final=True)

    def _bring(self, record: Record) -> None:
        assert self._uri is not None
        client = _client(self._uri)
        if self._run_id is None:
            self._run_id, self._steps = _find_or_create(client, self._uri, record, self._folder)
        _log_epochs(client, self._run_id, record, self._steps)
        self._steps = len(record.epochs)
        if record.status == "RUNNING":
            return
        _log_results(client, self._run_id, record)
        for path in sorted(self._folder.rglob("*")):
            relative = path.relative_to(self._folder)
            if path.is_file() and path.name not in NOT_ARTIFACTS and not path.name.startswith("."):
                client.log_artifact(self._run_id, str(path), relative.parent.as_posix().removeprefix(".") or None)
        if self._weights == "best" and (self._folder / "best.keras").exists():
            _log_model(self._uri, client, self._run_id, record, self._folder / "best.keras")
        assert record.ended is not None
        client.set_terminated(self._run_id, record.status, end_time=int(record.ended * 1000))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _client(uri: str | None) -> Any:
    import logging

    from mlflow import MlflowClient

    logging.getLogger("alembic").setLevel(logging.WARNING)  # a new store's migrations, line by line
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=uri)


def _experiment(client: Any, uri: str | None, name: str) -> str:
    """The id of the experiment `name`; made under a lock, since processes that create a SQLite store at the same
    moment break it for good.
    """
    database = (uri or "").partition("sqlite:///")[2]
    with filelock.FileLock(f"{database}.lock") if database else nullcontext():
        found = client.get_experiment_by_name(name)
        return str(found.experiment_id if found else client.create_experiment(name, tags=EXPERIMENT_TAGS))


def _find_or_create(client: Any, uri: str | None, record: Record, folder: Path) -> tuple[str, int]:
    """The run's id, and how many of its epochs the store has."""
    experiment = _experiment(client, uri, record.study)
    found = client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{record.key}'", max_results=1)
    if found:
        run_id = str(found[0].info.run_id)
        if not found[0].data.params:  # the store failed between creating the run and its first batch
            _log_start(client, run_id, record)
        return run_id, len({point.step for point in client.get_metric_history(run_id, "train/loss")})
    tags = {
        KEY_TAG: record.key,
        "mlflow.source.name": "train.py",
        "mlflow.user": getpass.getuser(),
        "identity": record.identity,
        "folder": str(folder),
        **{f"digest.{name}": digest for name, digest in record.digests.items()},
    }
    run = client.create_run(experiment, start_time=int(record.started * 1000), tags=tags, run_name=record.name)
    _log_start(client, run.info.run_id, record)
    return str(run.info.run_id), 0


def _log_start(client: Any, run_id: str, record: Record) -> None:
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
    values = {**short, **{key: value for key, value in flat(config).items() if key not in short}}
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in values.items()])
    source = CodeDatasetSource(tags={"data": str(config["data"]["root"] or config["data"]["kind"])})
    digest = record.digests["data"][:12]
    dataset = MetaDataset(source=source, name=short["data"], digest=digest)  # type: ignore[abstract]
    client.log_inputs(
        run_id, [DatasetInput(dataset._to_mlflow_entity(), [InputTag("mlflow.data.context", "training")])]
    )


def _log_epochs(client: Any, run_id: str, record: Record, known: int) -> None:
    from mlflow.entities import Metric

    for step, epoch in enumerate(record.epochs[known:], known + 1):
        stamp = int(epoch["time"] * 1000)
        # One call an epoch: it is stored whole or not at all.
        client.log_batch(run_id, [Metric(key, value, stamp, step) for key, value in epoch.items() if key != "time"])


def _log_results(client: Any, run_id: str, record: Record) -> None:
    from mlflow.entities import Metric

    stamp = int((record.ended or time.time()) * 1000)
    there = client.get_run(run_id).data.metrics
    missing = {key: value for key, value in record.results.items() if _metric_name(key) not in there}
    metrics = [Metric(_metric_name(key), value, stamp, 0) for key, value in missing.items()]
    if metrics:
        client.log_batch(run_id, metrics)
    for name, digest in record.digests.items():
        client.set_tag(run_id, f"digest.{name}", digest)
    if record.error:
        client.set_tag(run_id, "error", record.error)


def _metric_name(key: str) -> str:
    """MLflow takes letters, digits, '_', '-', '.', ' ', ':' and '/'."""
    return "".join(letter if letter.isalnum() or letter in "_-. :/" else "_" for letter in key)


def _log_model(uri: str, client: Any, run_id: str, record: Record, best: Path) -> None:
    """Logs `runs:/<run id>/model`, once."""
    import mlflow
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    experiment = client.get_run(run_id).info.experiment_id
    if client.search_logged_models([experiment], f"source_run_id = '{run_id}'", max_results=1):
        return
    from activation_study.model import activations

    height, width = record.config["data"]["image_size"]
    classes = len(record.classes)
    signature = ModelSignature(
        inputs=Schema([TensorSpec(np.dtype(np.float32), (-1, height, width, 3))]),
        outputs=Schema([TensorSpec(np.dtype(np.float32), (-1, height, width, classes))]),
    )
    mlflow.set_tracking_uri(uri)
    with mlflow.start_run(run_id=run_id), warnings.catch_warnings():
        # An example would be stored with every model; the signature is written out above.
        warnings.filterwarnings("ignore", message=".*input example was not provided.*")
        mlflow.pyfunc.log_model(
            name=MODEL_NAME,
            python_model=str(Path(__file__).with_name("served_model.py")),
            artifacts={"keras_model": str(best)},
            code_paths=[activations.__file__],
            signature=signature,
            pip_requirements=[f"{name}=={version(name)}" for name in ("tensorflow", "keras", "numpy", "mlflow")],
        )
