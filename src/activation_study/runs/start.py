"""How a run starts: its record and its folder, new or resumed."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from activation_study import plugins
from activation_study.arithmetic import restore_commands
from activation_study.config.algorithms import algorithms_of
from activation_study.config.identity import PROTOCOL_VERSION, identity
from activation_study.config.schema import Config, resolved
from activation_study.credentials import without_credentials
from activation_study.data.batching import order_digest
from activation_study.data.dataset import Dataset
from activation_study.errors import BadInput, problems_message
from activation_study.files import remove_temporaries, write_bytes, write_json, write_text
from activation_study.records.code_changes import code_changes
from activation_study.records.code_patch import CodeChanges
from activation_study.records.consistency import Contradiction
from activation_study.records.environment import current_process, describe_environment, differences
from activation_study.records.looks import read_looks, unplanned
from activation_study.records.planned_runs import planned_runs
from activation_study.records.record import RECORD_FILE, Record, run_folders
from activation_study.records.run import read_run
from activation_study.records.source_code import changed_files, changed_since_loaded, code_digest
from activation_study.tracking.synced import sync_runs

if TYPE_CHECKING:
    from activation_study.model.network import Network


class ResumeError(BadInput):
    """An interrupted run cannot be resumed, because what affects its results has changed."""


def code_changes_until_now(config: Config) -> list[str]:
    """The code that has changed since the sweep started, or since this process loaded it.

    Raises:
        BadInput: something has changed, and `allow_changes` is not set.
    """
    loaded = changed_since_loaded(config.plugins)
    if loaded and not config.allow_changes:
        raise BadInput(
            f"{config.run_name}: {' and '.join(loaded)} changed after this process had loaded it. Start a new process "
            "(in a notebook, restart the kernel), or accept the change with allow_changes=true (it is recorded)."
        )
    changes = [f"changed since it was loaded: {name}" for name in loaded]
    if config.sweep.code is None:
        return changes
    files = changed_files(config.run_folder.parent, config.sweep.code, config.plugins)
    if files and not config.allow_changes:
        raise BadInput(
            f"{config.run_name}: files have changed since the sweep started: {', '.join(files)}. "
            f"Start the sweep again, or accept the changes with allow_changes=true (they are recorded)."
        )
    return [*changes, *(f"changed since the sweep started: {name}" for name in files)]


def reject_unplanned(config: Config) -> None:
    """Raises BadInput if the study has planned looks and this run none: its seed would be added outside of the plan."""
    study_dir = config.run_folder.parent
    if config.comparison.looks or config.suffix or not run_folders(study_dir):  # without runs it may be replaced
        return
    if read_looks(study_dir)["plan"] is not None:
        raise unplanned(study_dir)


def training_record(config: Config, overrides: list[str], dataset: Dataset, network: "Network") -> Record:
    """The record of a training that would start now."""
    record = new_record(config, overrides, dataset, network)
    record.digests["order"] = order_digest(dataset.split, config.seeding.order, config.training.epochs)
    record.training_pixels, record.groups = dataset.training_pixels, dataset.group_counts
    return record


def new_record(config: Config, overrides: list[str], dataset: Dataset, network: "Network") -> Record:
    """The record of a run that would start now: what it has in common with an evaluation, which needs no split."""
    from activation_study.model.network import convolutions_digest, shared_weights_digest

    values = resolved(config)
    record = Record(
        name=config.run_name,
        study=config.study,
        identity=identity(values),
        config=values,
        overrides=list(map(without_credentials, overrides)),
        classes=list(dataset.label_type.classes),
        environment=describe_environment(config),
        digests={
            "data": dataset.source.digest,
            "code": code_digest(),
            "initial_weights": shared_weights_digest(network.unet),
            "initial_convolutions": convolutions_digest(network.unet),
        },
        process=current_process(),
        protocol=PROTOCOL_VERSION,
        algorithms=algorithms_of(values),
    )
    if planned := planned_runs(config.run_folder.parent).get(config.run_key):
        record.planned = planned.at
    if config.plugins:
        record.digests["plugins"] = plugins.digest(config.plugins)
    record.results["parameters"] = float(network.unet.count_params())
    return record


def start_or_resume(config: Config, now: Record, before: Record | None) -> tuple[Record, bool]:
    """The record to write the run to, and whether it resumes an earlier attempt.

    Args:
        config: the run's configuration.
        now: the record of a run that would start now.
        before: the record in the run folder, if there is one.

    Raises:
        ResumeError: an interrupted run cannot be resumed, and neither `allow_changes` nor `rerun=all` is set.
    """
    folder, from_scratch = config.run_folder, config.rerun == "all"
    if before is not None:
        ended = before.status in ("FINISHED", "PRUNED") or (before.status == "FAILED" and from_scratch)
        try:
            if not ended:
                return resume(before, now, folder, config.allow_changes), True
        except ResumeError:
            if before.status != "FAILED" and not from_scratch:
                raise
        before.close_stale(folder)
        _keep_in_store(config, before)
        now.supersedes = [*before.supersedes, before.key]
        now.planned = min(now.place, before.place)
    create_run_folder(now, folder)
    return now, False


def _keep_in_store(config: Config, before: Record) -> None:
    """Completes an earlier attempt in MLflow, because its folder is about to be replaced; a false record is dropped."""
    try:
        if before.status == "FINISHED":
            read_run(config.run_folder, before)
    except Contradiction as error:
        print(f"note: the earlier attempt is not copied into MLflow: {error.problems[0]}")
        return
    sync_runs([config.run_folder], config.tracking.uri, config.tracking.weights, locked=True)


def create_run_folder(record: Record, folder: Path) -> None:
    """Writes the folder of a new run and deletes what it contained before."""
    changes = _describe_code_changes(record)  # before the old folder is deleted, since it may fail
    (folder / RECORD_FILE).unlink(missing_ok=True)  # first: a half-deleted folder must not look like a run
    if folder.exists():
        shutil.rmtree(folder)
    write_text(folder / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(record.config)))
    write_text(folder / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create(record.overrides)))
    write_json(folder / "environment.json", record.environment)
    if changes.patch:
        write_bytes(folder / "changes.patch", changes.patch)
    record.write(folder)  # last: a folder with a record has all of the above


def _describe_code_changes(record: Record) -> CodeChanges:
    """The differences of the code from the git commit; what is left out of the patch is printed and recorded."""
    git = record.environment["git"]
    changes = code_changes() if git["clean"] is False else CodeChanges()
    if changes.left_out:
        git["left_out"] = list(changes.left_out)
        print(problems_message("note: changes.patch leaves out", changes.left_out, "The rest of the code is recorded."))
    return changes


def resume(before: Record, now: Record, folder: Path, allow_changes: bool) -> Record:
    """The record of an interrupted or failed run, changed so that it can be continued.

    Args:
        before: the record in the run folder.
        now: the record from `training_record`.
        folder: the run folder.
        allow_changes: resume even if something has changed, and record the changes.

    Raises:
        ResumeError: lists what has changed.
    """
    changes = differences(before, now)
    if changes and not allow_changes:
        recorded = before.environment.get("variables", now.environment["variables"])
        commands = restore_commands(recorded, now.environment["variables"])
        how = f" ({'; '.join(commands)})" if commands else ""
        raise ResumeError(
            f"{before.name} was interrupted and cannot be resumed reproducibly: {', '.join(changes)}. "
            f"Restore the recorded state{how}, start from scratch with rerun=all, or accept the changes with "
            f"allow_changes=true (they are recorded)."
        )
    remove_temporaries(folder)
    if before.status == "FAILED":  # a new key means a new MLflow run, so that MLflow keeps the failed attempt
        before.supersedes, before.key = [*before.supersedes, before.key], now.key
        (folder / "traceback.txt").unlink(missing_ok=True)
    before.status, before.ended, before.error, before.process = "RUNNING", None, None, now.process
    before.changes = list(dict.fromkeys([*before.changes, *changes]))
    before.config["evaluation"]["metrics"] = now.config["evaluation"]["metrics"]
    return before
