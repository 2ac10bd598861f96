"""The plan of a sweep: the status of each run, and the time and disk space that the remaining runs need."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.table import Table

from activation_study.analysis.grouping import arm, arms_by_condition, rows
from activation_study.config.component_problems import COMPONENT_GROUPS
from activation_study.config.equal_settings import in_words, unequal_settings
from activation_study.config.factor import Factor, factor_of
from activation_study.config.fields import is_number
from activation_study.config.identity import flatten, identity, training_key
from activation_study.config.run_names import keep_existing_name
from activation_study.config.schema import Config, resolved
from activation_study.config.search_space import masked
from activation_study.config.tuning import is_trial
from activation_study.console import format_duration, table_console
from activation_study.data.labels.label_types import label_type_of
from activation_study.errors import MAX_LISTED, BadInput, counted
from activation_study.records.record import Record, read_record
from activation_study.records.source_code import code_digest, same_code
from activation_study.sweep.estimates import disk_of_run, disk_while_training, seconds_left
from activation_study.sweep.run_labels import label_runs
from activation_study.sweep.status import RunStatus, status_of
from activation_study.validation import from_hydra

Overrides = Sequence[str]
# Runs with equal values in these groups take about the same time.
TIME_GROUPS = ("data", *COMPONENT_GROUPS, "augmentation", "training")


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    Args:
        overrides: its command line.
        config: its configuration.
        status: when the plan was made.
        before: its record when the plan was made, if it had one.
    """

    overrides: Overrides
    config: Config
    status: RunStatus
    before: Record | None

    @property
    def study_dir(self) -> Path:
        """The folder of the run's study."""
        return self.config.run_folder.parent

    @property
    def record(self) -> Record | None:
        """The run's record as it is now."""
        return read_record(self.config.run_folder)

    @property
    def to_do(self) -> bool:
        """Whether the sweep starts it. A run of another process is included: it may have ended when its turn comes."""
        trial = self.config.tuning.trial is not None  # that failed has told its search something
        failed = set() if trial else {RunStatus.FAILED}
        ended = {RunStatus.DONE, RunStatus.FAILED, RunStatus.PRUNED}
        repeated = {"all": ended, "failed": failed, "none": set()}
        return self.status in {RunStatus.NEW, RunStatus.RESUMABLE, RunStatus.RUNNING, *repeated[self.config.rerun]}


def make_plan(combinations: Sequence[Overrides], compose: Callable[[Overrides], DictConfig]) -> list[Job]:
    """The jobs of a sweep, one per combination of overrides.

    Raises:
        BadInput: all combinations that are invalid or lead to the same run.
    """
    composed: list[tuple[Overrides, Config]] = []
    problems: dict[str, None] = {}
    for overrides in combinations:
        try:
            composed.append((overrides, from_hydra(compose(overrides))))
        except BadInput as error:
            problems[str(error)] = None
    label_runs([config for _, config in composed])
    jobs: dict[Path, Job] = {}
    for overrides, config in composed:
        job = make_job(overrides, config)
        first = jobs.setdefault(config.run_folder, job)
        if first.overrides != overrides:
            problems[f"{' '.join(first.overrides)} and {' '.join(overrides)} are the same run"] = None
    problems |= dict.fromkeys(_same_training(jobs.values()))
    if problems:
        raise BadInput("\n".join(problems))
    return list(jobs.values())


def _same_training(jobs: Iterable[Job]) -> Iterator[str]:
    """A message for each group of jobs that differ in `seed` alone, which no random number depends on by itself."""
    seeds: dict[tuple[Path, str], list[int]] = {}
    for job in jobs:
        without_seed = identity({**resolved(job.config), "seed": 0})
        seeds.setdefault((job.study_dir, without_seed), []).append(job.config.seed)
    for group in seeds.values():
        if len(group) > 1:
            yield (
                f"seed={','.join(map(str, group))}: the same run several times, since seeding.weights, seeding.order "
                "and seeding.augmentation are given; leave one of them out"
            )


def make_job(overrides: Overrides, config: Config) -> Job:
    """The job of one combination, with the status and record of the folder that it has or will get."""
    keep_existing_name(config)
    before = read_record(config.run_folder)
    return Job(overrides, config, status_of(config.run_folder, before), before)


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


def study_dirs(jobs: Sequence[Job]) -> list[Path]:
    """The folders of the jobs' studies."""
    return sorted({job.study_dir for job in jobs})


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
    headings, groups = rows(trials, _masked)
    found = {(*key, "search"): group for key, group in groups.items()}
    if others:
        _, groups = rows(others, lambda job: resolved(job.config))
        for key, group in groups.items():
            found[(*key[: len(headings)], " ".join(["comparison", *key[len(headings) :]]))] = group
    return [*headings, "runs of"], found


def _masked(job: Job) -> dict[str, Any]:
    """The job's configuration without the values that are tuned."""
    config = resolved(job.config)
    return masked(config, job.config.tuning.space or {}, "tuned")


def _only_scored(jobs: Sequence[Job]) -> set[Path]:
    """The folders of runs that reuse the weights of another run, since only their evaluation differs."""
    trained, only_scored, code = set(), set(), code_digest()
    for job in sorted(jobs, key=lambda job: job.status != RunStatus.DONE):
        key = (job.study_dir, training_key(resolved(job.config)))
        if key in trained and job.status == RunStatus.NEW and job.config.rerun != "all":
            only_scored.add(job.config.run_folder)
        if job.before is None or same_code(job.before.digests, code, job.config.plugins):
            trained.add(key)
    return only_scored


def estimate_seconds(jobs: Sequence[Job]) -> dict[Path, float | None]:
    """The estimated time that each run, by its folder, still needs; 0 if it is only scored, None if it is unknown."""
    finished: dict[str, list[Record]] = {}  # by what their time depends on
    for job in jobs:
        if job.before is not None and job.before.status == "FINISHED":
            finished.setdefault(_of_time(job.before.config), []).append(job.before)
    only_scored = _only_scored(jobs)
    return {
        job.config.run_folder: _seconds(job, finished)
        if job.to_do and job.config.run_folder not in only_scored
        else 0.0
        for job in jobs
    }


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


def _seconds(job: Job, finished: Mapping[str, Sequence[Record]]) -> float | None:
    config = resolved(job.config)
    comparable = finished.get(_of_time(config), ())
    same_arm = [run for run in comparable if arm(run.config, Factor()) == arm(config, Factor())]
    return seconds_left(job.config, job.before if job.status == RunStatus.RESUMABLE else None, same_arm or comparable)


def _of_time(config: Mapping[str, Any]) -> str:
    """What a run's time depends on, as text; a key that an older record lacks is null or empty today.

    An optimizer's numbers, such as its learning rate, change the results and not the time.
    """
    groups = {group: config.get(group) or {} for group in TIME_GROUPS}
    values = ((key, value) for key, value in flatten(groups).items() if value is not None)
    return repr(sorted(each for each in values if not (each[0].startswith("optimizer.") and is_number(each[1]))))


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


def disk_bytes(job: Job) -> int:
    """Estimated bytes of the run when it has finished."""
    return disk_of_run(job.config, _classes(job))


def _show_disk(todo: Sequence[Job]) -> None:
    """Prints how much disk space is needed and free."""
    training, _, free = _disk_space(todo)
    print(f"During training, checkpoints need up to {format_size(training)} more; {format_size(free)} are free.")


def _disk_space(todo: Sequence[Job]) -> tuple[int, int, int]:
    """Bytes that checkpoints need during training, that all runs need together, and that are free."""
    training = max(disk_while_training(job.config, _classes(job)) for job in todo)
    folder = Path(todo[0].config.folder).absolute()
    while not folder.exists():
        folder = folder.parent
    return training, sum(map(disk_bytes, todo)) + training, shutil.disk_usage(folder).free


def _classes(job: Job) -> int:
    return len(label_type_of(job.config).classes)


def format_size(count: float) -> str:
    """Bytes in MB or GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def notes_of(jobs: Sequence[Job]) -> Iterator[str]:
    """What stands out in a plan, one line each."""
    todo = [job for job in jobs if job.to_do]
    repeated = [job for job in todo if job.status == RunStatus.DONE]
    if repeated:
        yield f"rerun=all: {counted(len(repeated), 'run')} will be trained again although finished"
    if todo:
        _, needed, free = _disk_space(todo)
        if needed > free:
            hint = "tracking.weights=none avoids a second copy of the weights in MLflow"
            yield f"warning: {format_size(needed)} are needed, {format_size(free)} are free; {hint}"
    for job in [job for job in todo if job.status == RunStatus.RESUMABLE][:MAX_LISTED]:
        assert job.before is not None
        epochs = len(job.before.epochs)
        start = f"from its last checkpoint, at or before epoch {epochs}" if epochs else "in its first epoch"
        death = job.before.how_it_died if job.before.status == "RUNNING" else None
        yield f"  {job.config.run_name}{f': {death}; it' if death else ''} resumes {start}"
    yield from _unfair(jobs)
    yield from _outdated(jobs)


def _unfair(jobs: Sequence[Job]) -> Iterator[str]:
    """In what the arms of each condition differ beside what is compared and tuned."""
    configs = [_masked(job) for job in jobs]
    factor = factor_of(configs)
    conditions = arms_by_condition(configs, lambda config: config).values()
    sentences = dict.fromkeys(in_words(unequal_settings(dict(arms), factor), factor) for arms in conditions)
    yield from (f"warning: {sentence}" for sentence in sentences if sentence)


def _outdated(jobs: Sequence[Job]) -> Iterator[str]:
    """Which finished runs were made by other code than a run would use now; other data are rejected."""
    finished = [(job, job.before) for job in jobs if job.status == RunStatus.DONE and job.before is not None]
    code = code_digest()
    runs = [job for job, record in finished if not same_code(record.digests, code, job.config.plugins)]
    if runs:
        names = ", ".join(job.config.run_name for job in runs[:3]) + (", …" if len(runs) > 3 else "")
        yield f"note: {counted(len(runs), 'run')} used different code: {names}; rerun=all trains them again"
