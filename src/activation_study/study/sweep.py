"""Many runs: a plan before the first, one launch of what is left to do, an account after the last.

Everything is read from the runs' folders, so that it is the same on every launcher.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from activation_study.run.code import keep_manifest
from activation_study.run.tracking import Mirror
from activation_study.study.mirroring import mirror_study
from activation_study.study.plan import Job, Overrides, homes, make_plan, runs, show_plan
from activation_study.study.standing import Standing, close_dead_runs


def run_sweep(
    combinations: Sequence[Overrides],
    compose: Callable[[Overrides], DictConfig],
    launch: Callable[[Sequence[Overrides]], Sequence[JobReturn]],
) -> Sequence[JobReturn]:
    """Runs what is not finished and prints what came of all.

    Args:
        combinations: the overrides of each job.
        compose: overrides → configuration.
        launch: runs jobs, in this process or others, and waits for them.

    Raises:
        BadInput: a job's configuration or data cannot be used; before any job starts.
        SystemExit: with 1, after the account, when a job failed.
    """
    jobs = make_plan(combinations, compose)
    todo = [job for job in jobs if job.to_do]
    if jobs[0].config.mirror:
        raise SystemExit(1 if mirror_jobs(jobs) else 0)
    show_plan(jobs)
    if jobs[0].config.plan:
        return []
    _set_right(jobs, todo)
    if not todo:
        _point_on(jobs)
        return []
    _ready_data(todo)
    code = {home: keep_manifest(Path(home)) for home in homes(todo)}
    returned = launch(
        [
            [*job.overrides, f"sweep.position='{n} of {len(todo)}'", f"sweep.code='{code[homes([job])[0]]}'"]
            for n, job in enumerate(todo, 1)
        ]
    )
    show(jobs)
    _account(jobs, todo, returned)
    _point_on(jobs)
    return returned


def mirror_jobs(jobs: Sequence[Job]) -> int:
    """Brings the jobs' studies into their store; how many runs could not be brought there."""
    tracking = jobs[0].config.tracking
    return sum(mirror_study(Path(home), tracking.uri, tracking.weights) for home in homes(jobs))


def _set_right(jobs: Sequence[Job], todo: Sequence[Job]) -> None:
    """Closes what dead processes left open, and brings finished runs into a store that missed them."""
    dead = {folder for home in homes(jobs) for folder in close_dead_runs(Path(home))}
    dead -= {job.config.run_folder for job in todo}  # these go on at once
    tracking = jobs[0].config.tracking
    for folder in [*dead, *(job.config.run_folder for job in jobs if job.standing == Standing.DONE)]:
        Mirror(folder, tracking.uri, tracking.weights).catch_up()


def _ready_data(jobs: Sequence[Job]) -> None:
    """Fetches, verifies and prepares each data set once, before any job starts."""
    from activation_study.run.inputs import Inputs

    seen = set()
    for job in jobs:
        options = (str(job.config.data), str(job.config.label_type))
        if options not in seen:
            seen.add(options)
            Inputs(job.config)


def _account(jobs: Sequence[Job], todo: Sequence[Job], returned: Sequence[JobReturn]) -> None:
    """Says what did not finish, and why; SystemExit(1) where something failed."""
    failures = []
    for number, job in enumerate(todo):
        record, result = job.record, returned[number] if number < len(returned) else None
        refused = result is not None and result.status == JobStatus.FAILED
        if not refused and record is not None and record.status == "FINISHED":
            continue
        if refused:
            assert result is not None
            failures.append((job, str(result._return_value).split("\n")[0]))
        elif record is not None and record.status == "FAILED":
            failures.append((job, record.error or "failed"))
        elif _standing(job) == Standing.UNDER_WAY:
            print(f"{job.config.run_name} is under way in another process")
        else:
            failures.append((job, "its process ended without a word (killed?)"))
    if failures:
        print(f"{len(failures)} of {runs(len(jobs))} failed; the same command tries them again:")
        for job, reason in failures:
            print(f"  {job.config.run_name}: {reason}")
        raise SystemExit(1)


def _standing(job: Job) -> Standing:
    from activation_study.study.standing import standing_of

    return standing_of(job.config.run_folder, job.record)


def show(jobs: Sequence[Job]) -> None:
    """Prints the article's table: mean and maximum of mean IoU per label type and activation."""
    from rich.console import Console

    from activation_study.study.table import article_table

    records = [record for job in jobs if (record := job.record) is not None and record.status == "FINISHED"]
    if records:
        console = Console()
        if not console.is_terminal:
            console = Console(width=120)
        console.print(article_table(records))


def _point_on(jobs: Sequence[Job]) -> None:
    uri = jobs[0].config.tracking.uri
    print(f"Runs, with pictures:  {', '.join(homes(jobs))}")
    if uri == "sqlite:///mlflow.db":
        print("Compare in a browser: mlflow ui   (then http://127.0.0.1:5000)")
    elif uri:
        print(f"Tracked in:           {uri}")
