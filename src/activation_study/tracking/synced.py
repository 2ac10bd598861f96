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
from activation_study.tracking.store.experiments import deleted_message, deleted_run_message
from activation_study.tracking.store.inventory import Inventory, read_inventory
from activation_study.tracking.study_run import study_run_name
from activation_study.tracking.tags import study_key


@dataclass
class Synced:
    """What became of the run folders.

    Args:
        there: the store has all of these runs, once.
        running: other processes work on these, and track them.
        deleted: a person deleted these in MLflow; by the experiment's name.
        without_experiment: names of experiments that a person deleted, by study.
        study_runs: studies whose own run in the store a person deleted.
        refused: the store has these without their models, whose weights are not the recorded ones.
        failed: the store could not be used.
    """

    there: list[Path] = field(default_factory=list)
    running: list[Path] = field(default_factory=list)
    deleted: dict[str, list[str]] = field(default_factory=dict)
    without_experiment: dict[str, str] = field(default_factory=dict)
    study_runs: list[str] = field(default_factory=list)
    refused: list[Path] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)

    def messages(self) -> Iterator[str]:
        """What a person has to do about the runs that were left alone."""
        for study, name in self.without_experiment.items():
            yield deleted_message(name, study)
        for study, names in self.deleted.items():
            yield deleted_run_message(names, study)
        for study in self.study_runs:
            yield deleted_run_message([study_run_name(study)], study)


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
        folders: of runs; those without a readable record are skipped.
        uri: the store's tracking URI; None: nothing is done.
        weights: see `Mirror`.
        restore: also bring back what a person has deleted in MLflow.
        locked: whether the caller holds the runs' locks.
        announce: called with each folder that the store has now.

    Returns:
        What became of them. Nothing is printed but a warning if the store cannot be used.
    """
    synced = Synced()
    records = {folder: record for folder in folders if (record := _readable(folder)) is not None}
    if uri is None or not records:
        return synced
    target = _Target(uri, weights, restore, locked)
    try:
        inventory = _inventory(target, [record.study for record in records.values()])
    except Exception as error:  # no error of a store may end a sweep
        print_untracked(next(iter(records)), uri, error)
        synced.failed += records
        return synced
    synced.study_runs += inventory.deleted_study_runs()
    for folder, record in records.items():
        if synced.failed:  # every other run would wait for the same store
            synced.failed.append(folder)
        else:
            _sync_run(folder, record, inventory, target, synced)
            if folder in synced.there:
                announce(folder)
    return synced


def _readable(folder: Path) -> Record | None:
    """The record in a run folder; None if there is none, or none that can be read."""
    try:
        return read_record(folder)
    except BadInput:
        return None


def _sync_run(folder: Path, record: Record, inventory: Inventory, target: _Target, synced: Synced) -> None:
    found = presence(inventory, record, folder, target.weights)
    if found == Presence.COMPLETE:
        synced.there.append(folder)
    elif found == Presence.EXPERIMENT_DELETED:
        synced.without_experiment[record.study] = inventory.experiments[record.study].name
    elif found == Presence.DELETED and not target.restore:
        synced.deleted.setdefault(record.study, []).append(record.name)
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
