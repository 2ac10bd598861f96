"""A whole study brought into a store: what could not be tracked, or a copy for a team."""

from pathlib import Path

from activation_study.analysis.finished_runs import REPORT_FOLDER
from activation_study.errors import BadInput
from activation_study.records.lock import RunLocked, run_lock
from activation_study.sweep.status import mark_stale_runs, run_folders
from activation_study.tracking.mirror import Mirror, mirror_report
from activation_study.tracking.sqlite import database_path, relocate_artifacts


def sync_study(study: Path, uri: str | None, weights: str) -> int:
    """Brings all runs of a study and its report into a store; twice is the same as once.

    Args:
        study: its folder.
        uri: of the store.
        weights: see `Mirror`.

    Returns:
        How many runs could not be brought there.

    Raises:
        BadInput: no store is given, or there are no runs.
    """
    if uri is None:
        raise BadInput("sync=true needs a store: tracking.uri=sqlite:///mlflow.db, or a server's address")
    folders = list(run_folders(study))
    if not folders:
        raise BadInput(f"{study}: no runs; study=NAME names one of {_studies(study.parent)}")
    mark_stale_runs(study)
    database = database_path(uri)
    if database is not None:  # also where nothing is left to bring: the project may have been moved
        relocate_artifacts(database)
    brought = under_way = 0
    for number, folder in enumerate(folders, 1):
        try:
            with run_lock(folder):
                if not Mirror(folder, uri, weights).ensure_synced():
                    break  # the next ones would wait for the same store
            brought += 1
            print(f"  {number}/{len(folders)} {folder.name}")
        except RunLocked:
            under_way += 1
            print(f"  {folder.name} is under way: its own process mirrors it")
    if (study / REPORT_FOLDER).is_dir():
        mirror_report(study / REPORT_FOLDER, study.name, uri)
    print(f"{brought} of {len(folders)} runs of {study.name} are in {uri}")
    return len(folders) - brought - under_way


def _studies(study_dir: Path) -> str:
    names = sorted({path.parents[1].name for path in study_dir.glob("*/*/run.json")})
    return ", ".join(names) or "none yet"
