"""Mirrors run folders to an MLflow store.

`Mirror.update()` may be called at any time and any number of times: it looks up what the store has and adds what is
missing, so no step is logged twice. The run folder is the source of truth. An unreachable store delays tracking and
nothing else.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.credentials import without_credentials
from activation_study.files import write_text
from activation_study.outcome import warn
from activation_study.records.record import Record, read_record
from activation_study.tracking.attempts import completion, leave_one, logs_model, place_of, supersede
from activation_study.tracking.stop_request import StopRequest
from activation_study.tracking.store.problems import ModelRefused, StoreProblem, explained, study_of, sync_command
from activation_study.tracking.store.reachable import check_reachable
from activation_study.tracking.store.sqlite import database_path
from activation_study.tracking.system_metrics import read_samples
from activation_study.tracking.tags import COMPLETE_TAG, ERROR_TAG, PLACE_TAG, STOP_TAG

if TYPE_CHECKING:
    from activation_study.tracking.store.mlflow_store import MlflowStore

# Tracking may take this fraction of a run's time: an update is skipped if the last one took more than that.
MAX_TRACKING_FRACTION = 0.01
MAX_ERROR_LENGTH = 160  # characters of a store's error message that are printed
# A file in the run folder that lists the run's IDs in the stores to which all of it was logged; a line is
# "<end time> <run ID> <store>". A store may have lost the run since.
MIRRORED_FILE = ".mirrored"
# MLflow's error codes when it no longer has the experiment or the run, or when one of them is deleted.
LOST = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE")


class Mirror:
    """Mirrors one run folder to one MLflow store.

    Args:
        folder: the run folder.
        uri: the store's tracking URI; None disables the mirror.
        weights: `best` logs the best weights as a model, `none` does not.
        restore: bring back the run if a person has deleted it in MLflow.
    """

    def __init__(self, folder: Path, uri: str | None, weights: str, restore: bool = False) -> None:
        self._folder, self._uri, self._weights, self._restore = folder, uri, weights, restore
        self._name = without_credentials(uri or "")  # as it is stored and printed
        self._stop = StopRequest(uri, MAX_TRACKING_FRACTION) if uri is not None else None
        self._store: MlflowStore | None = None
        self._run_id: str | None = None
        self._opened = False  # ever
        self._logged_epochs: int | None = None  # None: unknown, look it up
        self._last_duration = 0.0
        self._last_end = 0.0
        self._warned = False
        self.refused = False  # the last update logged all but the model, because of its weights

    @property
    def run_id(self) -> str | None:
        """The run's ID in the store; None before the first update."""
        return self._run_id

    def update(self, final: bool = False) -> bool:
        """Logs what is new; skipped if it would exceed `MAX_TRACKING_FRACTION`, unless `final`.

        Returns:
            False if it failed. The first failure prints a warning.
        """
        if self._uri is None or not (final or self._is_due()):
            return True
        started, connected, succeeded = time.perf_counter(), self._run_id is not None, True
        try:
            record = read_record(self._folder)
            assert record is not None, self._folder
            check_reachable(self._uri)
            self._sync_again(record, self._uri) if connected else self._sync(record, self._uri)
        except Exception as error:  # no error of the store may end a training
            succeeded = False
            self.refused = isinstance(error, ModelRefused)
            self._forget()
            if not self._warned:
                self._warned = True
                print_untracked(self._folder, self._uri, error)
        self._last_end = time.perf_counter()
        # Creating the store and the run happens only once, so the next update is not delayed because of it.
        self._last_duration = self._last_end - started if connected or self._run_id is None else 0.0
        return succeeded

    def stop_requested(self) -> bool:
        """Whether a person has set the run's tag `stop` in MLflow. Cheap: the store is asked once a minute or so."""
        if self._stop is None or self._store is None or self._run_id is None:
            return False
        return self._stop.received(self._store.client, self._run_id)

    def _is_due(self) -> bool:
        return time.perf_counter() - self._last_end > self._last_duration / MAX_TRACKING_FRACTION

    def _sync_again(self, record: Record, uri: str) -> None:
        """Same as `_sync`; once more with a new connection if the store no longer knows the run that was opened."""
        try:
            self._sync(record, uri)
        except Exception as error:
            if getattr(error, "error_code", None) not in LOST:
                raise
            self._forget()
            self._sync(record, uri)

    def _forget(self) -> None:
        self._store = self._run_id = self._logged_epochs = None

    def _sync(self, record: Record, uri: str) -> None:
        if self._store is None:
            from activation_study.tracking.store.mlflow_store import MlflowStore

            self._store = MlflowStore(uri)
        if self._run_id is None:
            self._run_id = self._open(self._store, record)
        self._store.log_epochs(self._run_id, record, self._logged_epochs)
        self._logged_epochs = len(record.epochs)
        self._store.log_samples(self._run_id, read_samples(self._folder))
        if record.status != "RUNNING":
            self._end(self._store, self._run_id, record)

    def _open(self, store: "MlflowStore", record: Record) -> str:
        # Whoever starts a run wants to see it; who deletes it while it runs does not.
        leave_one(store.client, record, self._restore or (record.status == "RUNNING" and not self._opened))
        run_id = store.open_run(record, self._folder)
        if record.resumed and record.status == "RUNNING" and not self._opened:
            for tag in {STOP_TAG, ERROR_TAG} & store.tags(run_id).keys():  # why it ended; it goes on now
                store.client.delete_tag(run_id, tag)
        self._opened = True
        return run_id

    def _end(self, store: "MlflowStore", run_id: str, record: Record) -> None:
        weights = self._weights if logs_model(record, self._folder, self._weights) else "none"
        store.log_end(run_id, record, self._folder, weights)
        done = {PLACE_TAG: place_of(self._folder), COMPLETE_TAG: completion(record, self._folder, self._weights)}
        store.set_tags(run_id, done)
        if record.status == "FINISHED":
            supersede(store.client, record, self._folder, run_id)
        run_ids = {**_synced_stores(self._folder, record), self._name: run_id}
        lines = [f"{record.ended} {run_id} {store}\n" for store, run_id in run_ids.items()]
        write_text(self._folder / MIRRORED_FILE, "".join(lines))


def print_untracked(folder: Path, uri: str, error: Exception) -> None:
    """Prints that a run could not be tracked, why, and what to do."""
    message = without_credentials(explained(error, study_of(folder), uri).strip() or type(error).__name__)
    if isinstance(error, ModelRefused):
        warn(f"{folder.name} is in {uri} without its model. {message}")
        return
    hint = "."
    if not isinstance(error, StoreProblem):
        message = message.splitlines()[0]
        if len(message) > MAX_ERROR_LENGTH:  # for an unreachable server it contains the messages of three libraries
            message = f"{message[:MAX_ERROR_LENGTH]} …"
        hint = f". To track it later: {sync_command(study_of(folder), uri)}"
    warn(f"{folder.name} could not be tracked in {uri}: {message}\n  No data is lost: everything is in {folder}{hint}")


def link_reproduction(uri: str | None, original: Record, reproduction: Record, verdict: str) -> None:
    """Links a run and its reproduction with tags in the MLflow store."""
    if uri is None:
        return
    from activation_study.tracking.store.mlflow_store import MlflowStore

    try:
        check_reachable(uri)
        store = MlflowStore(uri)
        original_id, reproduction_id = store.find_run(original), store.find_run(reproduction)
        if reproduction_id is not None:
            reproduces = {"reproduces": original_id} if original_id else {}
            store.set_tags(reproduction_id, {"verdict": verdict, **reproduces})
        if original_id is not None and reproduction_id is not None:
            store.set_tags(original_id, {f"reproduced_by.{reproduction.name}": f"{reproduction_id}: {verdict}"})
    except Exception as error:  # the verdict is also in the run folders
        warn(f"the runs could not be linked in {uri}: {error}")


def run_id_in(uri: str, folder: Path, record: Record) -> str | None:
    """The ID of an ended run in a store that has all of it; None if its folder does not say so."""
    return _synced_stores(folder, record).get(without_credentials(uri))


def run_id_of(folder: Path, record: Record) -> str | None:
    """The ID of an ended run in its configured store, otherwise in any store that has it; None if none has."""
    run_ids = _synced_stores(folder, record)
    return run_ids.get(str(record.config.get("tracking", {}).get("uri"))) or next(iter(run_ids.values()), None)


def mirror_report(folder: Path, study: str, uri: str | None) -> None:
    """Logs a study's report to the store that has its runs, as a run named `report` that is overwritten each time.

    Args:
        folder: the report's folder; the text of its `report.md` before the first section describes the run.
        study: the study's name.
        uri: the store's tracking URI. Nothing is logged if it is None or has no runs of the study; if it cannot be
            reached, a warning is printed.
    """
    if uri is None:
        return
    from activation_study.tracking.store.mlflow_store import MlflowStore

    database = database_path(uri)
    if database is not None and not database.exists():
        return
    try:
        note = (folder / "report.md").read_text(encoding="utf-8").partition("\n## ")[0]
        check_reachable(uri)
        MlflowStore(uri).log_report(folder, study, without_credentials(note))
    except Exception as error:  # the report is complete in its folder
        warn(f"the report could not be logged to {uri}: {explained(error, folder.parent, uri)}")


def _synced_stores(folder: Path, record: Record) -> dict[str, str]:
    """The stores that have all of the ended run, each with the run's ID."""
    try:
        lines = without_credentials((folder / MIRRORED_FILE).read_text(encoding="utf-8")).splitlines()
    except OSError:
        return {}
    entries = [line.split(" ", 2) for line in lines]
    return {entry[2]: entry[1] for entry in entries if len(entry) == 3 and entry[0] == str(record.ended)}
