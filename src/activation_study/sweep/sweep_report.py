"""What a sweep shows at its end: reports, tables, the registered model, and what to do next."""

from collections.abc import Sequence
from pathlib import Path

from activation_study.analysis.finished_runs import REPORT_FOLDER
from activation_study.config.tuning import is_trial
from activation_study.console import table_console
from activation_study.errors import BadInput
from activation_study.records.artifacts import CONFUSIONS_FILE
from activation_study.records.record import run_folders
from activation_study.sweep.class_account import class_account
from activation_study.sweep.plan import Job, study_dirs
from activation_study.tracking.registry import register_best
from activation_study.tracking.store.viewing import how_to_view


def report(jobs: Sequence[Job]) -> list[Path]:
    """Makes the report of each study, or prints the table of its finished runs if they cannot be compared yet.

    Returns:
        The pages of the reports.
    """
    return [page for study_dir in study_dirs(jobs) if (page := _report_study(study_dir, jobs)) is not None]


def show_existing_report(jobs: Sequence[Job]) -> list[Path]:
    """Prints the results of studies with nothing left to do; makes a report only if it is missing or outdated.

    Returns:
        The pages of the reports.
    """
    pages = []
    for study_dir in study_dirs(jobs):
        page: Path | None = study_dir / REPORT_FOLDER / "index.html"
        assert page is not None
        if page.exists() and page.stat().st_mtime > _last_result(study_dir, jobs):
            _print_article_table([job for job in jobs if job.study_dir == study_dir])
            print(f"Report:               {page}")
        else:
            page = _report_study(study_dir, jobs)
        pages += [page] if page is not None else []
    return pages


def _last_result(study_dir: Path, jobs: Sequence[Job]) -> float:
    """When the last of the study's runs ended, those of other commands included, or was unpacked."""
    ended = [job.before.ended or 0.0 for job in jobs if job.before and job.study_dir == study_dir]
    results = [folder / CONFUSIONS_FILE for folder in run_folders(study_dir)]
    return max([*ended, *(path.stat().st_mtime for path in results if path.exists())], default=0.0)


def _report_study(study_dir: Path, jobs: Sequence[Job]) -> Path | None:
    """Makes the report of one study; returns its page, or None if its runs cannot be compared yet."""
    from activation_study.report.study_report import ReportOptions, make_report

    try:
        tracking_uri = next(job.config.tracking.uri for job in jobs if job.study_dir == study_dir)
        page = make_report(study_dir, ReportOptions(tracking_uri=tracking_uri)) / "index.html"
        print(f"Report:               {page}")
        return page
    except BadInput as error:
        _print_article_table([job for job in jobs if job.study_dir == study_dir])
        print(f"Not compared yet: {error}")
        return None


def _print_article_table(jobs: Sequence[Job]) -> None:
    """Prints mean and maximum of the mean IoU per label type and activation, and what stands out in the classes."""
    from activation_study.report.article_table import article_table

    records = {
        job.config.run_folder: record
        for job in jobs
        if (record := job.record) is not None and record.status == "FINISHED" and not is_trial(record.config)
    }
    if records:
        table_console().print(article_table(list(records.values())))
    for sentence in class_account(records):
        print(f"note: {sentence}")


def register_best_of(jobs: Sequence[Job]) -> None:
    """Registers the best model of each whole study, if the configuration asks for it."""
    tracking = jobs[0].config.tracking
    for study_dir in study_dirs(jobs):
        register_best(study_dir, tracking.uri, tracking.register)


def print_next_steps(jobs: Sequence[Job]) -> None:
    """Prints where the runs are, and how to look at them."""
    print(f"Runs and plots:       {', '.join(map(str, study_dirs(jobs)))}")
    if line := how_to_view(jobs[0].config.tracking.uri):
        print(line)
