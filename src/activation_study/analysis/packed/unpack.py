"""Turns a packed study into run folders again, so that it goes on on another machine."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from activation_study.analysis.packed.packed_file import PACKED_FILE, PackedStudy, read_packed
from activation_study.config.identity import is_safe_name
from activation_study.errors import BadInput
from activation_study.files import write_json
from activation_study.image_metrics.registry import require_metrics
from activation_study.location import conf_dir
from activation_study.records.artifacts import write_confusions
from activation_study.records.lock import changing, key_of, run_lock
from activation_study.records.looks import LOOKS_FILE, merged_looks, read_looks
from activation_study.records.planned_runs import PLANNED_FILE, keep_planned, planned_runs
from activation_study.records.record import Record, run_folders
from activation_study.records.source_code import MANIFESTS_FOLDER


def unpack_study(packed: Path, folder: Path, study: str) -> tuple[list[str], list[str]]:
    """Writes the finished runs of a packed study as run folders, with their looks and plans, and its ended trials.

    A folder gets the record and the confusion matrices, and no weights. Runs that the study's folder already has, even
    if they are unfinished, stay as they are.

    Args:
        packed: the folder that has `runs.npz`.
        folder: of the studies.
        study: its name.

    Returns:
        The names of the runs that were written, and of those that were there.

    Raises:
        Contradiction: a packed record contradicts itself or its confusion matrices.
        BadInput: there is no such file, it cannot be read or has another study, the runs here were planned otherwise,
            or metrics need plug-ins that are not allowed.
    """
    path, target = packed / PACKED_FILE, folder / study
    if not path.is_file():
        raise BadInput(f"unpack={packed}: there is no {PACKED_FILE}; expected a folder that pack=FOLDER has made")
    content = read_packed(path)
    _reject(path, content, study)
    here = run_folders(target)
    _add_looks(target, content.looks, packed, bool(here))
    if content.planned:
        with changing(target / MANIFESTS_FOLDER / PLANNED_FILE):
            keep_planned(target, {**content.planned, **planned_runs(target)})
    prepared = OmegaConf.select(OmegaConf.load(conf_dir() / "config.yaml"), "data.cache")
    written, there, keys = [], [], set(map(key_of, here))
    for record, run in [*((run.record, run) for run in content.runs), *((trial, None) for trial in content.trials)]:
        run_folder = target / record.name
        if key_of(run_folder) in keys:
            there.append(record.name)
            continue
        with run_lock(run_folder):
            if run is not None:
                article = any(key.endswith("/article/mean_iou") for key in record.results)
                write_confusions(replace(run, folder=run_folder), article)
            _with_places(record, folder, prepared).write(run_folder)  # last: without it, the folder is none of a run
        keys.add(key_of(run_folder))
        written.append(record.name)
    return written, there


def _add_looks(target: Path, looks: dict[str, Any], packed: Path, has_runs: bool) -> None:
    """Adds the looks of a packed study, and those at it that are kept beside its file, to those of run folders."""
    looks = merged_looks({**read_looks(packed), "plan": looks["plan"]}, looks, str(packed))
    with changing(target / LOOKS_FILE):
        if has_runs:
            looks = merged_looks(read_looks(target), looks, f"{target} and {packed / PACKED_FILE}")
        if looks != read_looks(target):
            write_json(target / LOOKS_FILE, looks)


def _reject(path: Path, content: PackedStudy, study: str) -> None:
    """Raises BadInput if something would go wrong later, before anything is written."""
    for record in (*(run.record for run in content.runs), *content.trials):
        if record.study != study:
            raise BadInput(f"{path} has the study {record.study}; expected study={record.study}")
        if not is_safe_name(record.name):
            raise BadInput(f"{path}: the run {record.name!r} cannot be the name of a folder")
        require_metrics(record.config, f"unpack={path.parent}: {record.name}")


def _with_places(record: Record, folder: Path, prepared: str) -> Record:
    """The record with places of this machine, which a packed one lacks: the studies' folder, the defaults of others."""
    data: dict[str, Any] = {**record.config["data"], "cache": prepared}
    if data.get("root") is None:
        data["root"] = _default_root(data["name"])
    return replace(record, config={**record.config, "folder": str(folder), "data": data})


@cache
def _default_root(name: str) -> str | None:
    """The folder of a data set as its file in `conf/data/` has it; None if there is no such file."""
    defaults = conf_dir() / "data" / f"{name}.yaml"
    return OmegaConf.select(OmegaConf.load(defaults), "root") if defaults.is_file() else None
