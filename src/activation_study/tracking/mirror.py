"""The mirror of a run's folder in an MLflow store.

`Mirror.update()` may be called at any time and any number of times: it looks up what the store has and adds
what is missing, so that no step is ever logged twice. The folder is the truth; a store that cannot be
reached delays the mirror and nothing else.
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.files import write_text
from activation_study.records.record import Record, read_record
from activation_study.tracking.sqlite import database_path

if TYPE_CHECKING:
    from activation_study.tracking.mlflow_store import MlflowStore

# Tracking may cost this share of a run's time: an update waits until the last one's time is this share.
MAX_TRACKING_FRACTION = 0.01
MAX_ERROR_LENGTH = 160  # letters of a store's error that are shown
# In a run's folder: which stores have all of it, as it was when the run ended: "<end> <run id> <store>", a line each.
MIRRORED_FILE = ".mirrored"


class Mirror:
    """One run's folder in one MLflow store.

    Args:
        folder: the run's.
        uri: of the store, as MLflow takes it; None mirrors nowhere.
        weights: `best` logs the best weights as a model, `none` does not.
    """

    def __init__(self, folder: Path, uri: str | None, weights: str) -> None:
        self._folder, self._uri, self._weights = folder, uri, weights
        self._store: MlflowStore | None = None
        self._run_id: str | None = None
        self._steps: int | None = None
        self._cost = 0.0
        self._last = 0.0
        self._warned = False

    @property
    def run_id(self) -> str | None:
        """The run's id in the store, once it is there."""
        return self._run_id

    def update(self, final: bool = False) -> bool:
        """Brings what is new into the store; skipped when it would cost more than its share, unless `final`.

        Returns:
            Whether nothing went wrong.
        """
        if self._uri is None or not (final or time.perf_counter() - self._last > self._cost / MAX_TRACKING_FRACTION):
            return True
        started, connected, well = time.perf_counter(), self._run_id is not None, True
        try:
            record = read_record(self._folder)
            assert record is not None, self._folder
            self._bring(record, self._uri)
        except Exception as error:  # whatever the store raises must not end a training
            well = False
            if not self._warned:
                first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
                if len(first_line) > MAX_ERROR_LENGTH:  # a server that is not there, in the words of three libraries
                    first_line = f"{first_line[:MAX_ERROR_LENGTH]} …"
                print(
                    f"warning: {self._folder.name} is not tracked in {self._uri} for now: {first_line}\n"
                    f"  Nothing is lost: {self._folder} has everything, and the same command, or `train.py "
                    f"sync=true study=…`, brings it there later.",
                    file=sys.stderr,
                )
            self._warned = True
            self._steps = None  # what the store has is looked up again
        self._last = time.perf_counter()
        # Creating store and run happens once and says nothing about the next update.
        self._cost = self._last - started if connected or self._run_id is None else 0.0
        return well

    def ensure_synced(self) -> bool:
        """For a run that has ended: brings it into the store unless that was done when it ended.

        Returns:
            Whether the store has it all now.
        """
        record = read_record(self._folder)
        if self._uri is None or record is None or self._uri in _mirrors(self._folder, record):
            return True
        return self.update(final=True)

    def _bring(self, record: Record, uri: str) -> None:
        if self._store is None:
            from activation_study.tracking.mlflow_store import MlflowStore

            self._store = MlflowStore(uri)
        if self._run_id is None:
            self._run_id = self._store.open_run(record, self._folder)
        self._store.log_epochs(self._run_id, record, self._steps)
        self._steps = len(record.epochs)
        if record.status != "RUNNING":
            self._store.log_end(self._run_id, record, self._folder, self._weights)
            mirrors = {**_mirrors(self._folder, record), uri: self._run_id}
            lines = [f"{record.ended} {run_id} {store}\n" for store, run_id in mirrors.items()]
            write_text(self._folder / MIRRORED_FILE, "".join(lines))


def link(uri: str | None, original: Record, reproduction: Record, verdict: str) -> None:
    """Points from a run to its reproduction and back, in the store."""
    if uri is None:
        return
    from activation_study.tracking.mlflow_store import MlflowStore

    try:
        store = MlflowStore(uri)
        there, again = store.find_run(original), store.find_run(reproduction)
        if again is not None:
            store.set_tags(again, {"verdict": verdict, **({"reproduces": there} if there else {})})
        if there is not None and again is not None:
            store.set_tags(there, {f"reproduced_by.{reproduction.name}": f"{again}: {verdict}"})
    except Exception as error:  # the verdict stands in the folders
        print(f"warning: the runs are not linked in {uri}: {error}", file=sys.stderr)


def run_id_of(folder: Path, record: Record) -> str | None:
    """The run's id in the store of its configuration, else in any that has all of it; None where there is none."""
    mirrors = _mirrors(folder, record)
    return mirrors.get(str(record.config.get("tracking", {}).get("uri"))) or next(iter(mirrors.values()), None)


def mirror_report(folder: Path, study: str, uri: str | None) -> None:
    """Brings a study's report into the store that has its runs, as one run `report`, written anew each time.

    Args:
        folder: the report's; its `report.md` up to the first heading of a section describes the run.
        study: its name.
        uri: of the store; None mirrors nowhere, and so does one without the study's runs. If it cannot be reached, a
            warning says so.
    """
    if uri is None:
        return
    from activation_study.tracking.mlflow_store import MlflowStore

    database = database_path(uri)
    if database is not None and not database.exists():
        return
    try:
        note = (folder / "report.md").read_text(encoding="utf-8").partition("\n## ")[0]
        MlflowStore(uri).log_report(folder, study, note)
    except Exception as error:  # the report stands in its folder
        print(f"warning: the report is not in {uri}: {error}", file=sys.stderr)


def _mirrors(folder: Path, record: Record) -> dict[str, str]:
    """The stores that have all of the run as it ended, with its id there."""
    try:
        lines = (folder / MIRRORED_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    parts = [line.split(" ", 2) for line in lines]
    return {part[2]: part[1] for part in parts if len(part) == 3 and part[0] == str(record.ended)}
