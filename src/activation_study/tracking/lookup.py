"""Looks up a recorded run by its folder or by its ID in an MLflow store."""

import re
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from activation_study.config.command_options import A_RUN
from activation_study.config.scored_weights import scored_weights, weights_file
from activation_study.errors import MAX_LISTED, BadInput
from activation_study.records.artifacts import CONFUSIONS_FILE
from activation_study.records.consistency import Contradiction
from activation_study.records.record import RECORD_FILE, read_record, run_folders
from activation_study.records.run import Run, read_run
from activation_study.tracking.mirror import run_id_in
from activation_study.tracking.store.reachable import check_reachable
from activation_study.tracking.store.sqlite import database_path
from activation_study.tracking.tags import KEY_TAG, SUPERSEDED_TAG

if TYPE_CHECKING:
    from activation_study.tracking.store.mlflow_store import MlflowStore


RUNS_FOLDER = "multirun"  # where a run's name is looked up: the default of `folder`


def find_run(name: str, uri: str | None) -> Run:
    """The run given by its folder, the folder's name, an MLflow run ID or a unique beginning of one of these.

    Args:
        name: the folder, its name, the ID, or the beginning.
        uri: the MLflow store to search; None searches no store.

    Raises:
        Contradiction: the record of a finished run contradicts itself or its confusion matrices.
        BadInput: no run matches, more than one does, or it is an evaluation.
    """
    run = _find_run(name, uri)
    if evaluated := run.record.links.get("evaluates"):
        raise BadInput(f"run={name}: this is an evaluation; expected the run that it scored, run={evaluated}")
    return run


def _find_run(name: str, uri: str | None) -> Run:
    folder = Path(name)
    record = read_record(folder)
    if record is not None:
        return read_run(folder, record)
    if folder.exists():
        raise BadInput(f"{folder} is not a run folder: it has no {RECORD_FILE}")
    if re.fullmatch("[0-9a-f]{1,32}", name):
        return _find_in_store(name, uri)
    folders = _folders_that_begin_with(name)
    if len(folders) > 1:
        listed = ", ".join(map(str, folders[:MAX_LISTED])) + (", …" if len(folders) > MAX_LISTED else "")
        raise BadInput(f"run={name} is ambiguous, {len(folders)} run folders match: {listed}")
    if not folders:
        reason = "there is no such folder" if "/" in name else "neither a run folder nor an MLflow run ID"
        raise BadInput(f"run={name}: {reason}; expected {A_RUN}")
    record = read_record(folders[0])
    assert record is not None
    return read_run(folders[0], record)


def _folders_that_begin_with(name: str) -> list[Path]:
    """The run folders whose path begins like this, or whose name does, in the studies of `multirun/`.

    `seed1` is not meant to find `seed10`, so folders where the name ends or a "-" follows come first.
    """
    path = Path(name)
    studies = [path.parent] if "/" in name else sorted(Path(RUNS_FOLDER).glob("*"))
    found = [folder for study in studies for folder in run_folders(study)]
    found = [folder for folder in found if folder.name.startswith(path.name)]
    whole = [folder for folder in found if folder.name[len(path.name) :][:1] in ("", "-")]
    return whole or found


def find_finished_run(name: str, uri: str | None) -> Run:
    """Same as `find_run`; BadInput if the run has not finished and so has no best weights."""
    run = find_run(name, uri)
    if run.record.status != "FINISHED":
        raise BadInput(f"{run.record.name} is {run.record.status}; only finished runs have best weights")
    return run


def _find_in_store(prefix: str, uri: str | None) -> Run:
    from activation_study.tracking.store.mlflow_store import MlflowStore

    database = database_path(uri or "")
    if uri is None or (database is not None and not database.exists()):
        missing = "no MLflow store is configured" if uri is None else f"the MLflow store {uri} does not exist"
        raise BadInput(f"run={prefix}: there is no such folder, and {missing}; set tracking.uri=…")
    try:
        check_reachable(uri)
        store = MlflowStore(uri)
        run_ids = store.run_ids(prefix) or _deleted(store, prefix)
        tags = store.tags(run_ids[0]) if len(run_ids) == 1 else {}
    except Exception as error:
        raise BadInput(f"run={prefix}: there is no such folder, and {uri} cannot be read: {error}") from error
    if not run_ids:
        raise BadInput(f"run={prefix}: there is no such folder, and no run ID in {uri} starts with it")
    if len(run_ids) > 1:
        raise BadInput(f"run={prefix} is ambiguous: {len(run_ids)} runs in {uri} match; give more digits of the ID")
    folder = Path(tags.get("folder", ""))
    record = read_record(folder)
    if record is not None and record.key == tags.get(KEY_TAG):
        return replace(read_run(folder, record), run_id=run_ids[0])
    return replace(_download_run(store, run_ids[0], uri), folder=folder, local=False, run_id=run_ids[0])


def _deleted(store: "MlflowStore", prefix: str) -> list[str]:
    """The IDs of deleted runs that start with a prefix. MLflow still has them, and whoever names one means it."""
    run_ids = store.run_ids(prefix, deleted=True)
    if len(run_ids) == 1:
        newer = store.tags(run_ids[0]).get(SUPERSEDED_TAG)
        print(f"note: {run_ids[0]} is deleted in MLflow{f', superseded by {newer}' if newer else ''}", file=sys.stderr)
    return run_ids


def _download_run(store: "MlflowStore", run_id: str, uri: str) -> Run:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        try:
            store.download(run_id, RECORD_FILE, folder)
        except Exception as error:
            raise BadInput(f"run {run_id} has no {RECORD_FILE} in {uri}; only runs that have ended have one") from error
        record = read_record(folder)
        if record is None:
            raise BadInput(f"run {run_id}: its {RECORD_FILE} in {uri} cannot be read")
        if record.status == "FINISHED":
            store.download(run_id, CONFUSIONS_FILE, folder)
        try:
            return read_run(folder, record)
        except Contradiction as error:
            place = f"run {run_id} in {uri}: {RECORD_FILE}"
            raise Contradiction(
                [problem.replace(str(folder / RECORD_FILE), place) for problem in error.problems]
            ) from None


def find_weights(run: Run, uri: str | None, download_folder: Path, name: str | None = None) -> Path:
    """The file of a run's weights, downloaded from the MLflow store if it is not in the run folder.

    Args:
        run: a finished run.
        uri: of the store; None if there is none.
        download_folder: for the download.
        name: `best`, `last` or `ema`; None: those that it was scored with, the only ones that a store has.

    Raises:
        BadInput: neither the run folder nor the store has the weights.
    """
    scored = scored_weights(run.record.config)
    path = run.folder / weights_file(name or scored)
    if run.local and path.is_file():
        return path
    if name not in (None, scored):
        raise BadInput(f"{run.record.name}: {path} is missing, and MLflow has the weights that were scored, {scored}")
    database = database_path(uri or "")
    if uri is None or (database is not None and not database.exists()):
        store_is = "no MLflow store is configured" if uri is None else f"there is no {database}"
        raise BadInput(f"{run.record.name}: its weights are not in {run.folder}, and {store_is}; set tracking.uri=…")
    from activation_study.tracking.store.mlflow_store import MlflowStore

    try:
        check_reachable(uri)
        store = MlflowStore(uri)
        run_id = run.run_id or (run_id_in(uri, run.folder, run.record) if run.local else None)
        run_id = run_id or store.find_run(run.record)
        if run_id is None:
            raise LookupError("it does not have the run")
        return store.download_weights(run_id, download_folder)
    except Exception as error:
        raise BadInput(f"{run.record.name}: its weights are neither in its folder nor in {uri}: {error}") from error
