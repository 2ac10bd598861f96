"""Runs a sweep: prints the plan, launches the runs that are not finished, prints a summary.

Everything is read from the run folders, so that it works the same with every launcher.
"""

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus
from omegaconf import DictConfig

from activation_study.analysis.selection import several_folds
from activation_study.config.fields import value_of
from activation_study.config.schema import OWN_FORMATS, Config, fold_of, resolved
from activation_study.config.tuning import is_trial
from activation_study.credentials import without_credentials
from activation_study.data.labels.label_types import label_type_of
from activation_study.data.name_check import check_names
from activation_study.data.source import current_digest, missing_data
from activation_study.errors import BadInput, counted, problems_message
from activation_study.outcome import deliver, keep_warning, warn
from activation_study.records.lock import is_locked
from activation_study.records.looks import read_looks, unplanned
from activation_study.records.planned_runs import plan_runs
from activation_study.records.record import Record, run_folders
from activation_study.records.run import Run, finished_records, read_all, read_evaluated_run, read_run
from activation_study.records.source_code import write_manifest
from activation_study.records.sweep_lock import sweep_locks
from activation_study.runs.messages import print_notes, try_again
from activation_study.runs.other_data import reject_other_data
from activation_study.runs.unscored_metrics import warn_of_unscored_metrics
from activation_study.sweep.describe import Unfinished, describe_plan, describe_sweep
from activation_study.sweep.plan import Job, Overrides, make_plan, study_dirs
from activation_study.sweep.plan_table import show_plan
from activation_study.sweep.rounds import Rounds, rounds_of
from activation_study.sweep.status import RunStatus, all_run_folders, mark_stale_runs, print_deaths
from activation_study.sweep.sweep_report import (
    print_next_steps,
    register_best_of,
    report,
    show_existing_report,
)
from activation_study.sweep.sync import sync_study
from activation_study.tracking.synced import sync_runs

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
    _reject_mixed(jobs)
    if jobs[0].config.sync:
        raise SystemExit(1 if sync_jobs(jobs) else 0)
    rounds = rounds_of(jobs, plan)
    if rounds:
        jobs = rounds.needed()
    show_plan(jobs, at_once)
    if rounds:
        print(rounds.foretold(at_once))
    check_start(jobs)
    warn_of_unscored_metrics(_kept(jobs))
    if jobs[0].config.dry_run:
        print(DRY_RUN)
        deliver("plan", describe_plan(jobs))
        return []
    todo = [job for job in jobs if job.to_do]
    _recover(jobs, todo)
    if not todo:
        if rounds:
            rounds.begin()  # the process that started the last runs may have ended before it kept its look
        deliver("sweep", describe_sweep(jobs, [], show_existing_report(jobs)))
        register_best_of(jobs)
        print_next_steps(jobs)
        return []
    _prepare_data(todo)
    check_start(jobs)  # again, now that missing data are there
    with sweep_locks(study_dirs(jobs)):
        jobs, returned, unfinished = _launch_all(jobs, launch, threads, rounds)
        for warning in (warning for result in returned for warning in _warnings_of(result)):
            keep_warning(warning)
        reports = report(jobs)
        register_best_of(jobs)
    deliver("sweep", describe_sweep(jobs, unfinished, reports))
    _print_summary(jobs, unfinished)
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
        unfinished = _unfinished(todo, of_round)
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


def _reject_mixed(jobs: Sequence[Job]) -> None:
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
    read_all(finished_records([config.run_folder for config, _ in _kept(jobs)]), _read_kept)
    reject_other_data([job.config for job in jobs], {job.config.run_folder for job in jobs if job.to_do})


def _kept(jobs: Sequence[Job]) -> list[tuple[Config, Record]]:
    """The finished runs that are not started again."""
    return [(job.config, job.before) for job in jobs if job.status == RunStatus.DONE and not job.to_do and job.before]


def _read_kept(folder: Path, record: Record) -> Run:
    """A finished run that is kept; of trials, which are not compared, an unpacked one has no confusion matrices."""
    return read_run(folder, record) if is_trial(record.config) else read_evaluated_run(folder, record)


def _recover(jobs: Sequence[Job], todo: Sequence[Job]) -> None:
    """Marks runs without a process as killed, and copies finished runs that the MLflow store lacks."""
    stale = [folder for study_dir in study_dirs(jobs) for folder in mark_stale_runs(study_dir)]
    planned = {job.config.run_folder for job in jobs}
    print_deaths(folder for folder in stale if folder not in planned)  # the plan says it of its own runs
    resumed = {job.config.run_folder for job in todo}
    done = [job.config.run_folder for job in jobs if job.status == RunStatus.DONE]
    tracking = jobs[0].config.tracking
    folders = [*(folder for folder in stale if folder not in resumed), *done]
    print_notes(sync_runs(folders, tracking.uri, tracking.weights).messages(tracking.uri))


def _prepare_data(jobs: Sequence[Job]) -> None:
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


def _warnings_of(result: JobReturn) -> Sequence[str]:
    """The warnings of the process that ran a job: what the job returned."""
    return result._return_value or () if result.status == JobStatus.COMPLETED else ()


def _unfinished(todo: Sequence[Job], returned: Sequence[JobReturn]) -> list[Unfinished]:
    """The runs that were launched and did not finish, and why."""
    found = []
    for number, job in enumerate(todo):
        record, result = job.record, returned[number] if number < len(returned) else None
        if job.config.tuning.trial is not None and record is not None and record.status in ("FAILED", "PRUNED"):
            continue  # its search is told so, and goes on
        new = record if record is None or job.before is None or record.ended != job.before.ended else None
        raised = result._return_value if result is not None and result.status == JobStatus.FAILED else None
        if isinstance(raised, BadInput):
            found.append(Unfinished(job, "rejected", str(raised)))
        elif raised is not None:
            print(without_credentials("".join(traceback.format_exception(raised))), file=sys.stderr)
            reason = without_credentials(f"{type(raised).__name__}: {raised}".split("\n")[0])
            found.append(Unfinished(job, "failed", reason))
        elif record is not None and record.status == "FAILED":
            found.append(Unfinished(job, "failed", record.error or "failed"))
        elif new is not None and new.status == "FINISHED":
            continue
        elif is_locked(job.config.run_folder):
            found.append(Unfinished(job, "running", f"{job.config.run_name} is running in another process"))
        elif new is None:
            reason = "it was not started, or its process died (killed? Ctrl-C twice? out of memory?)"
            found.append(Unfinished(job, "failed", reason))
        elif new.status == "KILLED":
            found.append(Unfinished(job, "failed", new.error or "it was stopped and saved its state"))
        else:
            found.append(Unfinished(job, "failed", new.how_it_died))
    return found


def _print_summary(jobs: Sequence[Job], unfinished: Sequence[Unfinished]) -> None:
    """Prints which runs did not finish, and why; SystemExit(1) if a run failed, 2 if runs were only rejected."""
    failed, rejected, running = (
        [each for each in unfinished if each.status == status] for status in ("failed", "rejected", "running")
    )
    for each in running:
        print(each.reason)
    if failed:
        print(f"{len(failed)} of {counted(len(jobs), 'run')} failed; {try_again(jobs[0].config.rerun)}:")
    for each in failed:
        print(f"  {each.job.config.run_name}: {each.reason}")
    if rejected:
        print(f"{len(rejected)} of {counted(len(jobs), 'run')} rejected:")
    for reason in dict.fromkeys(each.reason for each in rejected):
        print(f"  {without_credentials(reason)}")
    if failed or rejected:
        raise SystemExit(1 if failed else 2)
