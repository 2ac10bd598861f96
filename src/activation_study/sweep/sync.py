"""Copies a whole study into an MLflow store: runs that could not be tracked, or a copy for a team."""

import itertools
from pathlib import Path

from activation_study.analysis.finished_runs import REPORT_FOLDER
from activation_study.credentials import without_credentials
from activation_study.errors import BadInput, counted
from activation_study.outcome import keep_warning
from activation_study.records.run import finished_records, read_all
from activation_study.sweep.status import all_run_folders, mark_stale_runs, print_deaths, studies_in
from activation_study.tracking.mirror import mirror_report
from activation_study.tracking.store.sqlite import database_path, relocate_artifacts
from activation_study.tracking.synced import sync_runs


def sync_study(study_dir: Path, uri: str | None, weights: str, restore: bool = False) -> int:
    """Copies all runs of a study and its report into an MLflow store. Repeating it changes nothing.

    Args:
        study_dir: the study's folder.
        uri: of the MLflow store.
        weights: see `Mirror`.
        restore: also bring back what a person has deleted in MLflow.

    Returns:
        How many runs the store does not have, apart from those that are running.

    Raises:
        Contradiction: a record contradicts itself or its results, and must not be spread.
        BadInput: no store is given, or the study has no runs.
    """
    if uri is None:
        raise BadInput("sync=true needs an MLflow store: tracking.uri=sqlite:///mlflow.db, or a server's address")
    folders = all_run_folders(study_dir)
    if not folders:
        raise BadInput(
            f"{study_dir}: no runs; expected study=NAME with NAME one of: {studies_in(study_dir.parent) or 'none yet'}"
        )
    read_all(finished_records(folders))
    print_deaths(mark_stale_runs(study_dir))
    database = database_path(uri)
    if database is not None:  # even if nothing is left to copy: the project may have been moved
        relocate_artifacts(database)
    numbers = itertools.count(1)
    synced = sync_runs(
        folders, uri, weights, restore, announce=lambda folder: print(f"  {next(numbers)}/{len(folders)} {folder.name}")
    )
    for folder in synced.running:
        print(f"  {folder.name} is running; its own process tracks it")
    if (study_dir / REPORT_FOLDER).is_dir() and synced.there and not synced.study_runs:
        mirror_report(study_dir / REPORT_FOLDER, study_dir.name, uri)
    runs, verb = counted(len(folders), "run"), "is" if len(synced.there) == 1 else "are"
    print(f"{len(synced.there)} of {runs} of {study_dir.name} {verb} in {without_credentials(uri)}")
    for message in synced.messages(uri):
        print(f"  {message}")
        keep_warning(message)
    return len(folders) - len(synced.there) - len(synced.running)
