"""Brings run folders into a store. The store itself is asked what it has; notes in the run folders are no proof."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from activation_study.errors import BadInput
from activation_study.records.lock import RunLocked, run_lock
from activation_study.records.record import Record, read_record
from activation_study.tracking.attempts import Presence, presence, restore_experiment
from activation_study.tracking.mirror import Mirror, print_untracked
from activation_study.tracking.store.inventory import Inventory, read_inventory
from activation_study.tracking.store.problems import StoreProblem, deleted_experiment, deleted_runs, study_of
from activation_study.tracking.study_run import study_run_name
from activation_study.tracking.tags import study_key


@dataclass
class Synced:
    """What became of the run folders.

    Args:
        there: the store has all of these runs, once.
        running: other processes work on these, and track them.
        deleted: a person deleted these in MLflow; by study.
        without_experiment: a person deleted the experiments of these; by the experiment's name.
        study_runs: a run of each study whose own run in the store a person deleted.
        unreadable: why the records of these cannot be read.
        refused: the store has these without their models, whose weights are not the recorded ones.
        failed: the store could not be used.
    """

    there: list[Path] = field(default_factory=list)
    running: list[Path] = field(default_factory=list)
    deleted: dict[str, list[Path]] = field(default_factory=dict)
    without_experiment: dict[str, Path] = field(default_factory=dict)
    study_runs: dict[str, Path] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)
    refused: list[Path] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)

    def messages(self, uri: str | None) -> Iterator[str]:
        """What a person has to do about the runs that were left alone in a store."""
        yield from self.unreadable.values()
        if uri is not None:
            yield from (problem.advice(study_of(folder), uri) for problem, folder in self._problems())

    def _problems(self) -> Iterator[tuple[StoreProblem, Path]]:
        """What is wrong in the store, each with the folder of a run."""
        for name, folder in self.without_experiment.items():
            yield deleted_experiment(name), folder
        for folders in self.deleted.values():
            yield deleted_runs([folder.name for folder in folders]), folders[0]
        for study, folder in self.study_runs.items():
            yield deleted_runs([study_run_name(study)]), folder


@dataclass(frozen=True)
class _Target:
    uri: str
    weights: str
    restore: bool
    locked: bool


def sync_runs(
    folders: Iterable[Path],
    uri: str | None,
    weights: str,
    restore: bool = False,
    locked: bool = False,
    announce: Callable[[Path], None] = lambda folder: None,
) -> Synced:
    """Brings in what a store lacks of ended runs: whole runs and rests of runs; removes doubles.

    Args:
        folders: of runs; those without a record are skipped.
        uri: the store's tracking URI; None: nothing is done.
        weights: see `Mirror`.
        restore: also bring back what a person has deleted in MLflow.
        locked: whether the caller holds the runs' locks.
        announce: called with each folder that the store has now.

    Returns:
        What became of them. Nothing is printed but a warning if the store cannot be used.
    """
    synced = Synced()
    records: dict[Path, Record] = {}
    for folder in folders:
        try:
            if (record := read_record(folder)) is not None:
                records[folder] = record
        except BadInput as error:
            synced.unreadable[folder] = str(error)
    if uri is None or not records:
        return synced
    target = _Target(uri, weights, restore, locked)
    try:
        inventory = _inventory(target, [record.study for record in records.values()])
    except Exception as error:  # no error of a store may end a sweep
        print_untracked(next(iter(records)), uri, error)
        synced.failed += records
        return synced
    deleted = set(inventory.deleted_study_runs())
    synced.study_runs |= {record.study: folder for folder, record in records.items() if record.study in deleted}
    for folder, record in records.items():
        if synced.failed:  # every other run would wait for the same store
            synced.failed.append(folder)
        else:
            _sync_run(folder, record, inventory, target, synced)
            if folder in synced.there:
                announce(folder)
    return synced


def _sync_run(folder: Path, record: Record, inventory: Inventory, target: _Target, synced: Synced) -> None:
    found = presence(inventory, record, folder, target.weights)
    if found == Presence.COMPLETE:
        synced.there.append(folder)
    elif found == Presence.EXPERIMENT_DELETED:
        synced.without_experiment[inventory.experiments[record.study].name] = folder
    elif found == Presence.DELETED and not target.restore:
        synced.deleted.setdefault(record.study, []).append(folder)
    else:
        try:
            with nullcontext() if target.locked else run_lock(folder):
                mirror = Mirror(folder, target.uri, target.weights, target.restore)
                done = mirror.update(final=True)
                (synced.there if done else synced.refused if mirror.refused else synced.failed).append(folder)
        except RunLocked:
            synced.running.append(folder)


def _inventory(target: _Target, studies: Sequence[str]) -> Inventory:
    inventory = read_inventory(target.uri, studies)
    deleted = [study for study, experiment in inventory.experiments.items() if experiment.deleted]
    if not (target.restore and (deleted or inventory.deleted_study_runs())):
        return inventory
    from activation_study.tracking.store.mlflow_store import MlflowStore

    client = MlflowStore(target.uri).client
    for study in deleted:
        restore_experiment(client, study)
    restored = read_inventory(target.uri, studies)
    for study in restored.deleted_study_runs():
        client.restore_run(restored.with_key(study_key(study))[0].run_id)
    return read_inventory(target.uri, studies)
