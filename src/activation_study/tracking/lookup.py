"""A tracked run found: by its folder, or by its id in a store."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from activation_study.errors import BadInput
from activation_study.metrics import Counts
from activation_study.records.artifacts import CONFUSIONS_FILE, WEIGHTS_FILE, read_confusions
from activation_study.records.record import RECORD_FILE, Record, read_record
from activation_study.tracking.mirror import run_id_of
from activation_study.tracking.sqlite import database_path


@dataclass(frozen=True)
class TrackedRun:
    """A run: its record, confusions [images, C + 1, C], its folder if it is here, its id if a store has been asked."""

    record: Record
    confusions: Counts | None
    folder: Path | None
    run_id: str | None = None


def find_run(name: str, uri: str | None) -> TrackedRun:
    """The run of a folder, an MLflow run id, or a unique beginning of one.

    Raises:
        BadInput: there is none, or more than one.
    """
    folder = Path(name)
    record = read_record(folder)
    if record is not None:
        return TrackedRun(record, read_confusions(folder / CONFUSIONS_FILE), folder)
    if folder.exists():
        raise BadInput(f"{folder}: no run's folder (it has no {RECORD_FILE} that can be read)")
    if not re.fullmatch("[0-9a-f]{1,32}", name):
        what = "there is no such folder" if "/" in name else "no folder, and no MLflow run id or beginning of one"
        raise BadInput(f"run={name}: {what}; expected a run's folder, an MLflow run id, or the beginning of one")
    from activation_study.tracking.mlflow_store import KEY_TAG, MlflowStore

    database = database_path(uri or "")
    if uri is None or (database is not None and not database.exists()):
        raise BadInput(f"run={name}: no such folder, and there is no store {uri or ''}; tracking.uri=… names one")
    try:
        store = MlflowStore(uri)
        found = store.run_ids(name)
        tags = store.tags(found[0]) if len(found) == 1 else {}
    except Exception as error:
        raise BadInput(f"run={name}: no such folder, and {uri} cannot be read: {error}") from error
    if len(found) != 1:
        raise BadInput(f"run={name}: {len(found) or 'no'} runs of {uri} begin so; expected one")
    folder = Path(tags.get("folder", ""))
    record = read_record(folder)
    if record is not None and record.key == tags.get(KEY_TAG):
        return TrackedRun(record, read_confusions(folder / CONFUSIONS_FILE), folder, found[0])
    return _from_store(store, found[0], uri)


def find_finished_run(name: str, uri: str | None) -> TrackedRun:
    """The same, of a run that has best weights; BadInput where it has not."""
    run = find_run(name, uri)
    if run.record.status != "FINISHED":
        raise BadInput(f"{run.record.name}: {run.record.status}; only finished runs have best weights")
    return run


def _from_store(store: Any, run_id: str, uri: str) -> TrackedRun:
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        try:
            store.download(run_id, RECORD_FILE, place)
        except Exception as error:
            raise BadInput(f"run {run_id} has no {RECORD_FILE} in {uri}: only ended runs have one") from error
        record = read_record(place)
        if record is None:
            raise BadInput(f"run {run_id}: its {RECORD_FILE} in {uri} cannot be read")
        counts = None
        if record.status == "FINISHED":
            counts = read_confusions(store.download(run_id, CONFUSIONS_FILE, place))
        return TrackedRun(record, counts, None, run_id)


def weights_file(run: TrackedRun, uri: str | None, place: Path) -> Path:
    """The run's best weights: in its folder, or fetched from the store into the folder `place`.

    Raises:
        BadInput: neither has them.
    """
    if run.folder is not None and (run.folder / WEIGHTS_FILE).is_file():
        return run.folder / WEIGHTS_FILE
    run_id = run.run_id if run.folder is None else run_id_of(run.folder, run.record)
    if uri is None or run_id is None:
        raise BadInput(f"{run.record.name}: its best weights are not in {run.folder}; its MLflow run id may find them")
    from activation_study.tracking.mlflow_store import MlflowStore

    try:
        return MlflowStore(uri).download_weights(run_id, place)
    except Exception as error:
        raise BadInput(f"{run.record.name}: its best weights are neither here nor in {uri}: {error}") from error
