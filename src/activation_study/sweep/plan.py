"""What a sweep would do: done, resume, failed, new; how long it takes and what it fills."""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig
from rich.table import Table

from activation_study.analysis.grouping import arm, rows
from activation_study.config.identity import training_key
from activation_study.config.schema import Config, resolved
from activation_study.console import format_duration, table_console
from activation_study.data.label_types import label_type_of
from activation_study.errors import MAX_LISTED, BadInput
from activation_study.records.record import Record, read_record
from activation_study.records.source_code import code_digest
from activation_study.sweep.estimates import disk_of_run, disk_while_training, seconds_left
from activation_study.sweep.status import RunStatus, status_of
from activation_study.validation import from_hydra

Overrides = Sequence[str]
# Groups that are equal where two runs take the same time.
ALIKE = ("data", "model", "normalization", "optimizer", "schedule", "loss", "augmentation", "training")


@dataclass(frozen=True)
class Job:
    """One combination of a sweep, and where it stood when the plan was made."""

    overrides: Overrides
    config: Config
    status: RunStatus
    before: Record | None

    @property
    def study_dir(self) -> Path:
        """The folder of its study."""
        return self.config.run_folder.parent

    @property
    def record(self) -> Record | None:
        """What is known about it now."""
        return read_record(self.config.run_folder)

    @property
    def to_do(self) -> bool:
        """Whether the sweep has to look after it. One that is under way may be free when its turn comes."""
        again = {"all": {RunStatus.DONE, RunStatus.FAILED}, "failed": {RunStatus.FAILED}, "none": set()}
        return self.status in {RunStatus.NEW, RunStatus.RESUMABLE, RunStatus.RUNNING, *again[self.config.rerun]}


def make_plan(combinations: Sequence[Overrides], compose: Callable[[Overrides], DictConfig]) -> list[Job]:
    """The jobs, each folder once.

    Raises:
        BadInput: naming all combinations that cannot be used.
    """
    jobs: dict[Path, Job] = {}
    problems: dict[str, None] = {}
    for overrides in combinations:
        try:
            config = from_hydra(compose(overrides))
        except BadInput as error:
            problems[str(error)] = None
        else:
            job = make_job(overrides, config)
            twin = jobs.setdefault(config.run_folder, job)
            if twin.overrides != overrides:
                problems[f"{' '.join(twin.overrides)} and {' '.join(overrides)} are the same run"] = None
    if problems:
        raise BadInput("\n".join(problems))
    return list(jobs.values())


def make_job(overrides: Overrides, config: Config) -> Job:
    """A combination with what its folder says."""
    before = read_record(config.run_folder)
    return Job(overrides, config, status_of(config.run_folder, before), before)


def show_plan(jobs: Sequence[Job]) -> None:
    """Prints a row per arm: how many runs stand where, and what is left to spend on them."""
    counts = Counter(job.status for job in jobs)
    found = ", ".join(f"{counts[each]} {each}" for each in RunStatus if each in counts)
    print(f"{count_runs(len(jobs))} of {', '.join(map(str, study_dirs(jobs)))}: {found}")
    todo = [job for job in jobs if job.to_do]
    again = [job for job in todo if job.status == RunStatus.DONE]
    if again:
        print(
            f"rerun=all: {count_runs(len(again))} of these {'is' if len(again) == 1 else 'are'} finished and will be "
            "trained again."
        )
    if todo:
        table_console().print(_table(jobs))
        _show_disk(todo)
    for job in [job for job in todo if job.status == RunStatus.RESUMABLE][:MAX_LISTED]:
        assert job.before is not None
        print(f"  {job.config.run_name} goes on after epoch {len(job.before.epochs)}, or a few before")
    _show_other_sources(jobs)


def count_runs(count: int) -> str:
    """A number of runs, in words."""
    return f"{count} run" if count == 1 else f"{count} runs"


def study_dirs(jobs: Sequence[Job]) -> list[Path]:
    """The folders of the jobs' studies."""
    return sorted({job.study_dir for job in jobs})


def _table(jobs: Sequence[Job]) -> Table:
    headings, groups = rows(jobs, lambda job: resolved(job.config))
    table = Table(title="Plan")
    for column in headings:
        table.add_column(column)
    statuses = [each for each in RunStatus if any(job.status == each for job in jobs)]
    for column in (*statuses, "time left", "disk"):
        table.add_column(column, justify="right")
    finished = [job.before for job in jobs if job.before is not None and job.before.status == "FINISHED"]
    only_scored = _only_scored(jobs)
    for key, group in groups.items():
        counts = [sum(job.status == each for job in group) for each in statuses]
        table.add_row(*key, *(str(count or "") for count in counts), _time(group, finished, only_scored), _disk(group))
    table.add_section()
    totals = [str(sum(job.status == each for job in jobs)) for each in statuses]
    table.add_row("all", *[""] * (len(headings) - 1), *totals, _time(jobs, finished, only_scored), _disk(jobs))
    return table


def _only_scored(jobs: Sequence[Job]) -> set[Path]:
    """The runs that will take another one's weights, since only their evaluation differs: they cost next to nothing."""
    seen, found, code = set(), set(), code_digest()
    for job in sorted(jobs, key=lambda job: job.status != RunStatus.DONE):
        key = (job.study_dir, training_key(resolved(job.config)))
        if key in seen and job.status == RunStatus.NEW and job.config.rerun != "all":
            found.add(job.config.run_folder)
        if job.before is None or job.before.digests["code"] == code:
            seen.add(key)
    return found


def _time(jobs: Sequence[Job], finished: Sequence[Record], only_scored: Set[Path]) -> str:
    todo = [job for job in jobs if job.to_do]
    spans = [_seconds(job, finished) for job in todo if job.config.run_folder not in only_scored]
    known = [span for span in spans if span is not None]
    if not todo:
        return ""
    if len(known) < len(spans):
        return "not measured yet" if not known else f"more than {format_duration(sum(known))}"
    return format_duration(sum(known))


def _seconds(job: Job, finished: Sequence[Record]) -> float | None:
    config = resolved(job.config)
    alike = [each for each in finished if all(each.config.get(key) == config[key] for key in ALIKE)]
    same_arm = [each for each in alike if arm(each.config) == arm(config)]
    return seconds_left(job.config, job.before if job.status == RunStatus.RESUMABLE else None, same_arm or alike)


def _disk(jobs: Sequence[Job]) -> str:
    todo = [job for job in jobs if job.to_do]
    return _size(sum(disk_of_run(job.config, _classes(job)) for job in todo)) if todo else ""


def _show_disk(todo: Sequence[Job]) -> None:
    """Whether it fits."""
    training = max(disk_while_training(job.config, _classes(job)) for job in todo)
    needed = sum(disk_of_run(job.config, _classes(job)) for job in todo) + training
    place = Path(todo[0].config.folder).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    print(f"While a run trains, its saved states take up to {_size(training)} more; {_size(free)} are free.")
    if needed > free:
        print(
            f"warning: {_size(needed)} are needed. tracking.weights=none keeps the best weights once instead of twice."
        )


def _classes(job: Job) -> int:
    return len(label_type_of(job.config).classes)


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _show_other_sources(jobs: Sequence[Job]) -> None:
    """Names the finished runs that other code or other data made than would be used now."""
    finished = [(job, job.before) for job in jobs if job.status == RunStatus.DONE and job.before is not None]
    code = code_digest()
    others = {
        "code": [job for job, record in finished if record.digests["code"] != code],
        "data": [job for job, record in finished if job.config.data.digest not in (None, record.digests["data"])],
    }
    for what, those in others.items():
        if those:
            names = ", ".join(job.config.run_name for job in those[:3]) + (", …" if len(those) > 3 else "")
            print(f"note: {count_runs(len(those))} used different {what}: {names}; rerun=all trains again")
