"""The plan of a sweep as a table: how many runs of each arm have which status, and what the remaining ones need."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from activation_study.analysis.grouping import rows
from activation_study.config.schema import resolved
from activation_study.config.tuning import is_trial
from activation_study.console import format_duration, table_console
from activation_study.errors import counted
from activation_study.sweep.plan import Job, study_dirs
from activation_study.sweep.plan_notes import notes_of
from activation_study.sweep.remaining import disk_bytes, disk_space, estimate_seconds, format_size
from activation_study.sweep.status import RunStatus


def show_plan(jobs: Sequence[Job], at_once: int = 1) -> None:
    """Prints how many runs of each arm have which status, and the time and disk space that they still need.

    Args:
        jobs: the runs.
        at_once: how many of them run at the same time.
    """
    counts = Counter(job.status for job in jobs)
    summary = ", ".join(f"{counts[status]} {status}" for status in RunStatus if status in counts)
    print(f"{counted(len(jobs), 'run')} of {', '.join(map(str, study_dirs(jobs)))}: {summary}")
    if any(job.to_do for job in jobs):
        seconds = estimate_seconds(jobs)
        table_console().print(_table(jobs, seconds))
        _show_time(jobs, seconds, at_once)
        _show_disk([job for job in jobs if job.to_do])
    for note in notes_of(jobs):
        print(note)


def _table(jobs: Sequence[Job], seconds: Mapping[Path, float | None]) -> Table:
    headings, groups = _rows(jobs)
    table = Table(title="Plan")
    for column in headings:
        table.add_column(column)
    statuses = [status for status in RunStatus if any(job.status == status for job in jobs)]
    for column in (*statuses, "time left", "disk"):
        table.add_column(column, justify="right")
    for key, group in groups.items():
        counts = [sum(job.status == status for job in group) for status in statuses]
        table.add_row(*key, *(str(count or "") for count in counts), _time(group, seconds), _disk(group))
    table.add_section()
    totals = [str(sum(job.status == status for job in jobs)) for status in statuses]
    table.add_row("all", *[""] * (len(headings) - 1), *totals, _time(jobs, seconds), _disk(jobs))
    return table


def _rows(jobs: Sequence[Job]) -> tuple[list[str], dict[tuple[str, ...], list[Job]]]:
    """The rows of the table of the plan: all trials of an arm are one."""
    trials = [job for job in jobs if is_trial(resolved(job.config))]
    others = [job for job in jobs if not is_trial(resolved(job.config))]
    if not trials:
        return rows(jobs, lambda job: resolved(job.config))
    headings, groups = rows(trials, lambda job: job.masked_config)
    found = {(*key, "search"): group for key, group in groups.items()}
    if others:
        _, groups = rows(others, lambda job: resolved(job.config))
        for key, group in groups.items():
            found[(*key[: len(headings)], " ".join(["comparison", *key[len(headings) :]]))] = group
    return [*headings, "runs of"], found


def _known(jobs: Sequence[Job], seconds: Mapping[Path, float | None]) -> tuple[list[float], bool]:
    """The estimates that are known of the runs that are to do, and whether these are all."""
    estimates = [seconds[job.config.run_folder] for job in jobs if job.to_do]
    known = [estimate for estimate in estimates if estimate is not None]
    return known, len(known) == len(estimates)


def _time(jobs: Sequence[Job], seconds: Mapping[Path, float | None]) -> str:
    known, complete = _known(jobs, seconds)
    if not complete:
        return f"more than {format_duration(sum(known))}" if any(known) else "unknown"
    return format_duration(sum(known)) if known else ""


def _show_time(jobs: Sequence[Job], seconds: Mapping[Path, float | None], at_once: int) -> None:
    """Prints when runs that run at the same time will have finished, if the time of each is known."""
    known, complete = _known(jobs, seconds)
    if at_once > 1 and complete:
        left = max(sum(known) / at_once, *known)
        print(
            f"With {counted(min(at_once, len(known)), 'run')} at once, all of them take about {format_duration(left)}."
        )


def _disk(jobs: Sequence[Job]) -> str:
    todo = [job for job in jobs if job.to_do]
    return format_size(sum(map(disk_bytes, todo))) if todo else ""


def _show_disk(todo: Sequence[Job]) -> None:
    """Prints how much disk space is needed and free."""
    training, _, free = disk_space(todo)
    print(f"During training, checkpoints need up to {format_size(training)} more; {format_size(free)} are free.")
