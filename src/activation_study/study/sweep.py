"""Many runs: a plan before the first, one launch of what is left to do, an account after the last.

Everything is read from the runs' folders, so that it is the same on every launcher.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from activation_study.checks import checked
from activation_study.config import Config
from activation_study.errors import BadInput
from activation_study.run.record import Record, read_record

Overrides = Sequence[str]


@dataclass(frozen=True)
class Job:
    """One combination of a sweep."""

    overrides: Overrides
    config: Config

    @property
    def record(self) -> Record | None:
        """What is known about it now."""
        return read_record(self.config.run_folder)


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
    jobs = plan(combinations, compose)
    todo = [job for job in jobs if not _finished(job)]
    print(f"{_runs(len(jobs))}: {len(jobs) - len(todo)} finished before, {len(todo)} to do, in {_home(jobs)}")
    _catch_up([job for job in jobs if job not in todo])
    if not todo:
        show(jobs)
        return []
    _ready_data(todo)
    returned = launch([[*job.overrides, f"position='{n} of {len(todo)}'"] for n, job in enumerate(todo, 1)])
    failures = _failures(todo, returned)
    show(jobs)
    if failures:
        print(f"{len(failures)} of {_runs(len(jobs))} failed; the same command tries them again:")
        for job, reason in failures:
            print(f"  {job.config.run_name}: {reason}")
        raise SystemExit(1)
    _point_on(jobs)
    return returned


def plan(combinations: Sequence[Overrides], compose: Callable[[Overrides], DictConfig]) -> list[Job]:
    """The jobs, each folder once.

    Raises:
        BadInput: naming all combinations that cannot be used.
    """
    jobs: dict[Path, Job] = {}
    faults: dict[str, None] = {}
    for overrides in combinations:
        try:
            config = checked(compose(overrides))
        except BadInput as error:
            faults[str(error)] = None
        else:
            twin = jobs.setdefault(config.run_folder, Job(overrides, config))
            if twin.overrides != overrides:
                faults[f"{' '.join(twin.overrides)} and {' '.join(overrides)} are the same run"] = None
    if faults:
        raise BadInput("\n".join(faults))
    return list(jobs.values())


def _finished(job: Job) -> bool:
    record = job.record
    return record is not None and record.status == "FINISHED"


def _home(jobs: Sequence[Job]) -> str:
    return ", ".join(sorted({str(job.config.run_folder.parent) for job in jobs}))


def _runs(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"


def _ready_data(jobs: Sequence[Job]) -> None:
    """Fetches, verifies and prepares each data set once, before any job starts."""
    from activation_study.run.experiment import Data

    seen = set()
    for job in jobs:
        options = (str(job.config.data), str(job.config.label_type))
        if options not in seen:
            seen.add(options)
            Data(job.config)


def _catch_up(jobs: Sequence[Job]) -> None:
    from activation_study.run.experiment import catch_up

    for job in jobs:
        catch_up(job.config)


def _failures(jobs: Sequence[Job], returned: Sequence[JobReturn]) -> list[tuple[Job, str]]:
    """The jobs that did not finish, with the first line of why."""
    failures = []
    for number, job in enumerate(jobs):
        if _finished(job):
            continue
        result = returned[number] if number < len(returned) else None
        record = job.record
        if result is not None and result.status == JobStatus.FAILED:
            reason = str(result._return_value).split("\n")[0]
        elif record is not None and record.error:
            reason = record.error
        else:
            reason = "its process ended without a word (killed?)"
        failures.append((job, reason))
    return failures


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
    print(f"Runs, with pictures:  {_home(jobs)}")
    if uri == "sqlite:///mlflow.db":
        print("Compare in a browser: mlflow ui   (then http://127.0.0.1:5000)")
    elif uri:
        print(f"Tracked in:           {uri}")
