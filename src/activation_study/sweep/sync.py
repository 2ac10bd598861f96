"""Copies a whole study into an MLflow store: runs that could not be tracked, or a copy for a team."""

from pathlib import Path

from activation_study.analysis.finished_runs import REPORT_FOLDER
from activation_study.credentials import without_credentials
from activation_study.errors import BadInput
from activation_study.records.lock import RunLocked, run_lock
from activation_study.sweep.status import mark_stale_runs, run_folders
from activation_study.tracking.mirror import Mirror, mirror_report
from activation_study.tracking.sqlite import database_path, relocate_artifacts


def sync_study(study_dir: Path, uri: str | None, weights: str) -> int:
    """Copies all runs of a study and its report into an MLflow store. Repeating it changes nothing.

    Args:
        study_dir: the study's folder.
        uri: of the MLflow store.
        weights: see `Mirror`.

    Returns:
        How many runs could not be copied.

    Raises:
        BadInput: no store is given, or the study has no runs.
    """
    if uri is None:
        raise BadInput("sync=true needs an MLflow store: tracking.uri=sqlite:///mlflow.db, or a server's address")
    folders = list(run_folders(study_dir))
    if not folders:
        raise BadInput(f"{study_dir}: no runs; expected study=NAME with NAME one of: {_studies(study_dir.parent)}")
    mark_stale_runs(study_dir)
    database = database_path(uri)
    if database is not None:  # even if nothing is left to copy: the project may have been moved
        relocate_artifacts(database)
    copied = running = 0
    for number, folder in enumerate(folders, 1):
        try:
            with run_lock(folder):
                if not Mirror(folder, uri, weights).ensure_synced():
                    break  # every other run would wait for the same store
            copied += 1
            print(f"  {number}/{len(folders)} {folder.name}")
        except RunLocked:
            running += 1
            print(f"  {folder.name} is running; its own process tracks it")
    if (study_dir / REPORT_FOLDER).is_dir():
        mirror_report(study_dir / REPORT_FOLDER, study_dir.name, uri)
    print(f"{copied} of {len(folders)} runs of {study_dir.name} are in {without_credentials(uri)}")
    return len(folders) - copied - running


def _studies(folder: Path) -> str:
    names = sorted({path.parents[1].name for path in folder.glob("*/*/run.json")})
    return ", ".join(names) or "none yet"
