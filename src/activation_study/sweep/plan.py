"""The runs of a sweep: what each is, its status, and what makes a combination of overrides invalid."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from activation_study.config.identity import identity
from activation_study.config.run_names import keep_existing_name
from activation_study.config.schema import Config, resolved
from activation_study.config.search_space import masked
from activation_study.errors import BadInput
from activation_study.records.consistency import read_own_record
from activation_study.records.record import Record, read_record
from activation_study.sweep.run_labels import label_runs
from activation_study.sweep.status import RunStatus, status_of
from activation_study.validation import from_hydra

Overrides = Sequence[str]


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
    def masked_config(self) -> dict[str, Any]:
        """Its configuration without the values that are tuned."""
        return masked(resolved(self.config), self.config.tuning.space or {}, "tuned")

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
    before = read_own_record(config)
    return Job(overrides, config, status_of(config.run_folder, before), before)


def study_dirs(jobs: Sequence[Job]) -> list[Path]:
    """The folders of the jobs' studies."""
    return sorted({job.study_dir for job in jobs})
