"""Runs a sweep: prints the plan, launches the runs that are not finished, prints a summary.

Everything is read from the run folders, so that it works the same with every launcher.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from activation_study.credentials import without_credentials
from activation_study.outcome import deliver, keep_warning
from activation_study.records.planned_runs import plan_runs
from activation_study.records.source_code import write_manifest
from activation_study.records.sweep_lock import sweep_locks
from activation_study.runs.unscored_metrics import warn_of_unscored_metrics
from activation_study.sweep.before_start import check_start, kept_runs, prepare_data, recover, reject_mixed
from activation_study.sweep.describe import Unfinished, describe_plan, describe_sweep
from activation_study.sweep.plan import Job, Overrides, make_plan, study_dirs
from activation_study.sweep.plan_table import show_plan
from activation_study.sweep.rounds.rounds import Rounds, rounds_of
from activation_study.sweep.status import all_run_folders
from activation_study.sweep.sweep_report import (
    print_next_steps,
    register_best_of,
    report,
    show_existing_report,
)
from activation_study.sweep.sync import sync_study
from activation_study.sweep.unfinished_runs import print_summary, unfinished_runs

DRY_RUN = "Dry run: nothing was started."


def run_sweep(
    combinations: Sequence[Overrides],
    compose: Callable[[Overrides], DictConfig],
    launch: Callable[[Sequence[Overrides]], Sequence[JobReturn]],
    threads: int | None = None,
    at_once: int = 1,
) -> Sequence[JobReturn]:
    """Runs the combinations that are not finished, and prints plan, summary and report.

    Args:
        combinations: the overrides of each run.
        compose: overrides → configuration.
        launch: runs jobs, in this process or others, and waits for them.
        threads: of each run whose configuration does not set them; None: all cores.
        at_once: how many runs `launch` runs at the same time.

    Raises:
        BadInput: the configuration or data of a run cannot be used; raised before any run starts.
        SystemExit: after the summary; 1 if a run failed, 2 if runs were only rejected.
    """
    composed = cache(lambda overrides: compose(list(overrides)))  # sweeps in rounds plan the same runs again

    def plan(combinations: Sequence[Overrides]) -> list[Job]:
        return make_plan(combinations, lambda overrides: composed(tuple(overrides)))

    jobs = plan(combinations)
    reject_mixed(jobs)
    if jobs[0].config.sync:
        raise SystemExit(1 if sync_jobs(jobs) else 0)
    rounds = rounds_of(jobs, plan)
    if rounds:
        jobs = rounds.needed()
    show_plan(jobs, at_once)
    if rounds:
        print(rounds.foretold(at_once))
    check_start(jobs)
    warn_of_unscored_metrics(kept_runs(jobs))
    if jobs[0].config.dry_run:
        print(DRY_RUN)
        deliver("plan", describe_plan(jobs))
        return []
    todo = [job for job in jobs if job.to_do]
    recover(jobs, todo)
    if not todo:
        if rounds:
            rounds.begin()  # the process that started the last runs may have ended before it kept its look
        deliver("sweep", describe_sweep(jobs, [], show_existing_report(jobs)))
        register_best_of(jobs)
        print_next_steps(jobs)
        return []
    prepare_data(todo)
    check_start(jobs)  # again, now that missing data are there
    with sweep_locks(study_dirs(jobs)):
        jobs, returned, unfinished = _launch_all(jobs, launch, threads, rounds)
        for warning in (warning for result in returned for warning in _warnings_of(result)):
            keep_warning(warning)
        reports = report(jobs)
        register_best_of(jobs)
    deliver("sweep", describe_sweep(jobs, unfinished, reports))
    print_summary(jobs, unfinished)
    print_next_steps(jobs)
    return returned


def _launch_all(
    jobs: list[Job],
    launch: Callable[[Sequence[Overrides]], Sequence[JobReturn]],
    threads: int | None,
    rounds: Rounds | None,
) -> tuple[list[Job], list[JobReturn], list[Unfinished]]:
    """Launches the jobs that are to do, and those of each further round.

    Returns:
        The jobs of the last round, what the launcher returned, and the runs that did not finish, after which there is
        no further round.
    """
    returned: list[JobReturn] = []
    unfinished: list[Unfinished] = []
    launched: set[Path] = set()  # with rerun=all, finished runs would be started again
    code = _manifests(jobs)
    if rounds:
        rounds.begin()
    while (todo := [job for job in jobs if job.to_do and job.config.run_folder not in launched]) and not unfinished:
        launched |= {job.config.run_folder for job in todo}
        of_round = launch(_launched(jobs, todo, threads, rounds, code))
        unfinished = unfinished_runs(todo, of_round)
        returned.extend(of_round)
        if rounds is None:
            break
        if not unfinished:
            jobs = rounds.needed()
            rounds.keep()
            print(rounds.account)
    return jobs, returned, unfinished


def _manifests(jobs: Sequence[Job]) -> dict[Path, str]:
    """The names of the manifests of the code as it is at the start of the sweep, for all of its rounds, by study."""
    names = sorted({name for job in jobs for name in job.config.plugins})
    return {study_dir: write_manifest(study_dir, names) for study_dir in study_dirs(jobs)}


def _launched(
    jobs: Sequence[Job], todo: Sequence[Job], threads: int | None, rounds: Rounds | None, code: Mapping[Path, str]
) -> list[Overrides]:
    """The overrides of each job that is launched, with what the sweep passes to it."""
    for study_dir in study_dirs(jobs):
        plan_runs(study_dir, [job.config for job in jobs if job.study_dir == study_dir])
    return [
        [
            *job.overrides,
            *(rounds.overrides(job) if rounds else []),
            f"sweep.position='{n} of {len(todo)}'",
            f"sweep.code='{code[job.study_dir]}'",
            f"sweep.ended={'null' if job.before is None or job.before.ended is None else repr(job.before.ended)}",
            f"sweep.precision={job.config.training.precision}",
            f"sweep.label='{job.config.sweep.label}'",
            *([f"threads={threads}"] if threads and job.config.threads is None else []),
        ]
        for n, job in enumerate(todo, 1)
    ]


def sync_jobs(jobs: Sequence[Job]) -> int:
    """Copies the jobs' studies into the MLflow store; returns how many runs could not be copied."""
    tracking = jobs[0].config.tracking
    restore = jobs[0].config.sync == "all"
    missing = {
        study_dir: sync_study(study_dir, tracking.uri, tracking.weights, restore) for study_dir in study_dirs(jobs)
    }
    register_best_of(jobs)
    studies = [
        {"folder": study_dir, "runs": len(all_run_folders(study_dir)), "missing": count}
        for study_dir, count in missing.items()
    ]
    deliver("sync", {"uri": tracking.uri and without_credentials(tracking.uri), "studies": studies})
    return sum(missing.values())


def _warnings_of(result: JobReturn) -> Sequence[str]:
    """The warnings of the process that ran a job: what the job returned."""
    return result._return_value or () if result.status == JobStatus.COMPLETED else ()
