"""What is checked and done before the first run of a sweep starts."""

from collections.abc import Sequence
from pathlib import Path

from activation_study.analysis.selection import several_folds
from activation_study.config.fields import value_of
from activation_study.config.schema import OWN_FORMATS, Config, fold_of, resolved
from activation_study.config.tuning import is_trial
from activation_study.data.labels.label_types import label_type_of
from activation_study.data.name_check import check_names
from activation_study.data.source import current_digest, missing_data
from activation_study.errors import BadInput, problems_message
from activation_study.outcome import warn
from activation_study.records.looks import read_looks, unplanned
from activation_study.records.record import Record, run_folders
from activation_study.records.run import Run, finished_records, read_all, read_evaluated_run, read_run
from activation_study.runs.messages import print_notes
from activation_study.runs.other_data import reject_other_data
from activation_study.sweep.plan import Job, study_dirs
from activation_study.sweep.status import RunStatus, mark_stale_runs, print_deaths
from activation_study.tracking.synced import sync_runs


def reject_mixed(jobs: Sequence[Job]) -> None:
    """Raises BadInput if the jobs differ in what the sweep as a whole does."""
    for key in ("dry_run", "sync", "seeds", "tuning"):
        if len({str(value_of(job.config, key)) for job in jobs}) > 1:
            raise BadInput(f"{key}: expected the same value for all runs of a sweep; nothing was started")
    chosen = jobs[0].config.comparison.chosen_on_validation
    if chosen and len({fold_of(resolved(job.config)) for job in jobs}) > 1:
        raise several_folds(chosen)
    if jobs[0].config.comparison.looks and jobs[0].config.seeds != "auto":
        raise BadInput("comparison.looks needs seeds=auto, which adds seeds at these looks; nothing was started")
    for study_dir in study_dirs(jobs) if jobs[0].config.seeds != "auto" and not jobs[0].config.sync else []:
        if read_looks(study_dir)["plan"] is not None and run_folders(study_dir):
            raise unplanned(study_dir)


def check_start(jobs: Sequence[Job]) -> None:
    """Checks what must hold before a run starts: the finished runs that are to be kept, and the data.

    Raises:
        Contradiction: a record contradicts itself or its results.
        BadInput: data are missing, or the studies have finished runs with other data than the jobs'.
    """
    missing = dict.fromkeys(filter(None, (missing_data(job.config.data) for job in jobs if job.to_do)))
    if missing:
        raise BadInput(problems_message("Data are missing", missing, "Nothing was started."))
    check_names(job.config.data for job in jobs if job.to_do)
    if jobs[0].config.dry_run:  # otherwise each data set is verified when it is prepared
        own = (job.config for job in jobs if job.config.data.format in OWN_FORMATS)
        for config in {config.data.name: config for config in own}.values():
            current_digest(config.data, label_type_of(config))
    read_all(finished_records([config.run_folder for config, _ in kept_runs(jobs)]), _read_kept)
    reject_other_data([job.config for job in jobs], {job.config.run_folder for job in jobs if job.to_do})


def kept_runs(jobs: Sequence[Job]) -> list[tuple[Config, Record]]:
    """The finished runs that are not started again."""
    return [(job.config, job.before) for job in jobs if job.status == RunStatus.DONE and not job.to_do and job.before]


def _read_kept(folder: Path, record: Record) -> Run:
    """A finished run that is kept; of trials, which are not compared, an unpacked one has no confusion matrices."""
    return read_run(folder, record) if is_trial(record.config) else read_evaluated_run(folder, record)


def recover(jobs: Sequence[Job], todo: Sequence[Job]) -> None:
    """Marks runs without a process as killed, and copies finished runs that the MLflow store lacks."""
    stale = [folder for study_dir in study_dirs(jobs) for folder in mark_stale_runs(study_dir)]
    planned = {job.config.run_folder for job in jobs}
    print_deaths(folder for folder in stale if folder not in planned)  # the plan says it of its own runs
    resumed = {job.config.run_folder for job in todo}
    done = [job.config.run_folder for job in jobs if job.status == RunStatus.DONE]
    tracking = jobs[0].config.tracking
    folders = [*(folder for folder in stale if folder not in resumed), *done]
    print_notes(sync_runs(folders, tracking.uri, tracking.weights).messages(tracking.uri))


def prepare_data(jobs: Sequence[Job]) -> None:
    """Downloads, verifies, preprocesses and splits each data set once; warns of what would spoil runs."""
    from activation_study.data.dataset import Dataset
    from activation_study.runs.start_warnings import start_warnings

    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault((str(job.config.data), str(job.config.label_type)), []).append(job)
    warnings: dict[str, None] = {}
    for group in groups.values():
        dataset = Dataset(group[0].config)
        warnings |= {warning: None for job in group for warning in start_warnings(job.config, dataset)}
    for message in warnings:
        warn(message)
