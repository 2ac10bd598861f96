"""Many runs: a plan before the first, one launch of what is left to do, an account after the last.

Everything is read from the runs' folders, so that it is the same on every launcher.
"""

import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from activation_study.analysis.finished_runs import REPORT_FOLDER
from activation_study.console import table_console
from activation_study.errors import BadInput
from activation_study.records.lock import RunLocked, run_lock
from activation_study.records.source_code import write_manifest
from activation_study.sweep.plan import Job, Overrides, count_runs, make_plan, show_plan, study_dirs
from activation_study.sweep.status import RunStatus, mark_stale_runs, status_of
from activation_study.sweep.sync import sync_study
from activation_study.tracking.mirror import Mirror


def run_sweep(
    combinations: Sequence[Overrides],
    compose: Callable[[Overrides], DictConfig],
    launch: Callable[[Sequence[Overrides]], Sequence[JobReturn]],
    threads: int | None = None,
) -> Sequence[JobReturn]:
    """Runs what is not finished and prints what came of all.

    Args:
        combinations: the overrides of each job.
        compose: overrides → configuration.
        launch: runs jobs, in this process or others, and waits for them.
        threads: of each job that does not say; None: all cores.

    Raises:
        BadInput: a job's configuration or data cannot be used; before any job starts.
        SystemExit: after the account, with 1 when a job failed, with 2 when jobs were only refused.
    """
    jobs = make_plan(combinations, compose)
    todo = [job for job in jobs if job.to_do]
    if jobs[0].config.sync:
        raise SystemExit(1 if sync_jobs(jobs) else 0)
    show_plan(jobs)
    if jobs[0].config.dry_run:
        return []
    _recover(jobs, todo)
    if not todo:
        _show_again(jobs)
        _print_next_steps(jobs)
        return []
    _prepare_data(todo)
    code = {study_dir: write_manifest(study_dir) for study_dir in study_dirs(todo)}
    returned = launch(
        [
            [
                *job.overrides,
                f"sweep.position='{n} of {len(todo)}'",
                f"sweep.code='{code[job.study_dir]}'",
                f"sweep.precision={job.config.training.precision}",
                *([f"threads={threads}"] if threads and job.config.threads is None else []),
            ]
            for n, job in enumerate(todo, 1)
        ]
    )
    _report(jobs)
    _print_summary(jobs, todo, returned)
    _print_next_steps(jobs)
    return returned


def sync_jobs(jobs: Sequence[Job]) -> int:
    """Brings the jobs' studies into their store; how many runs could not be brought there."""
    tracking = jobs[0].config.tracking
    return sum(sync_study(study_dir, tracking.uri, tracking.weights) for study_dir in study_dirs(jobs))


def _recover(jobs: Sequence[Job], todo: Sequence[Job]) -> None:
    """Closes what dead processes left open, and brings finished runs into a store that missed them."""
    dead = [folder for study_dir in study_dirs(jobs) for folder in mark_stale_runs(study_dir)]
    going_on = {job.config.run_folder for job in todo}
    done = [job.config.run_folder for job in jobs if job.status == RunStatus.DONE]
    tracking = jobs[0].config.tracking
    for folder in [*(folder for folder in dead if folder not in going_on), *done]:
        with suppress(RunLocked), run_lock(folder):
            if not Mirror(folder, tracking.uri, tracking.weights).ensure_synced():
                return  # the next ones would wait for the same store


def _prepare_data(jobs: Sequence[Job]) -> None:
    """Fetches, verifies and prepares each data set once, before any job starts."""
    from activation_study.data.dataset import Dataset

    seen = set()
    for job in jobs:
        options = (str(job.config.data), str(job.config.label_type))
        if options not in seen:
            seen.add(options)
            Dataset(job.config)


def _print_summary(jobs: Sequence[Job], todo: Sequence[Job], returned: Sequence[JobReturn]) -> None:
    """Says what did not finish, and why; SystemExit(1) where something failed, 2 where jobs were only refused."""
    failed, refused = [], []
    for number, job in enumerate(todo):
        record, result = job.record, returned[number] if number < len(returned) else None
        raised = result._return_value if result is not None and result.status == JobStatus.FAILED else None
        if isinstance(raised, BadInput):
            refused.append((job, str(raised)))
        elif raised is not None:
            traceback.print_exception(raised)
            failed.append((job, f"{type(raised).__name__}: {raised}".split("\n")[0]))
        elif record is not None and record.status == "FAILED":
            failed.append((job, record.error or "failed"))
        elif status_of(job.config.run_folder, record) == RunStatus.RUNNING:
            print(f"{job.config.run_name} is under way in another process")
        elif record is None or (job.before is not None and record.ended == job.before.ended):
            failed.append((job, "it has not begun, or its process ended without a word (killed?)"))
        elif record.status == "KILLED":
            failed.append((job, "it was stopped, and has saved what it had"))
        elif record.status != "FINISHED":
            failed.append((job, "its process ended without a word (killed?)"))
    if failed:
        print(f"{len(failed)} of {count_runs(len(jobs))} failed; the same command tries them again:")
    for job, reason in failed:
        print(f"  {job.config.run_name}: {reason}")
    if refused:
        print(f"{len(refused)} of {count_runs(len(jobs))} refused:")
    for _, reason in refused:
        print(f"  {reason}")
    if failed or refused:
        raise SystemExit(1 if failed else 2)


def _report(jobs: Sequence[Job]) -> None:
    """The comparison of each study, or, where it is not complete, the table of what there is."""
    for study_dir in study_dirs(jobs):
        _report_on(study_dir, jobs)


def _show_again(jobs: Sequence[Job]) -> None:
    """What came of studies that were finished before; the report is made where there is none of all their runs."""
    for study_dir in study_dirs(jobs):
        page = study_dir / REPORT_FOLDER / "index.html"
        ends = [job.before.ended for job in jobs if job.study_dir == study_dir and job.before and job.before.ended]
        if page.exists() and page.stat().st_mtime > max(ends):
            print_article_table([job for job in jobs if job.study_dir == study_dir])
            print(f"Report:               {page}")
        else:
            _report_on(study_dir, jobs)


def _report_on(study_dir: Path, jobs: Sequence[Job]) -> None:
    from activation_study.report.study_report import ReportOptions, make_report

    try:
        folder = make_report(study_dir, ReportOptions())
        print(f"Report:               {folder / 'index.html'}")
    except BadInput as error:
        print_article_table([job for job in jobs if job.study_dir == study_dir])
        print(f"No comparison yet: {error}")


def print_article_table(jobs: Sequence[Job]) -> None:
    """Prints the article's table: mean and maximum of mean IoU per label type and activation."""
    from activation_study.report.article_table import article_table

    records = [record for job in jobs if (record := job.record) is not None and record.status == "FINISHED"]
    if records:
        table_console().print(article_table(records))


def _print_next_steps(jobs: Sequence[Job]) -> None:
    uri = jobs[0].config.tracking.uri
    print(f"Runs, with pictures:  {', '.join(map(str, study_dirs(jobs)))}")
    if uri == "sqlite:///mlflow.db":
        print("Compare in a browser: mlflow ui   (then http://127.0.0.1:5000)")
    elif uri:
        print(f"Tracked in:           {uri}")
