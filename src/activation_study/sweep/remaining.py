"""What the remaining runs of a sweep need: time and disk space."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from activation_study.analysis.grouping import arm
from activation_study.config.component_problems import COMPONENT_GROUPS
from activation_study.config.factor import Factor
from activation_study.config.fields import is_number
from activation_study.config.identity import flatten, training_key
from activation_study.config.schema import resolved
from activation_study.config.scored_weights import WEIGHTS, weights_file
from activation_study.data.labels.label_types import label_type_of
from activation_study.records.record import Record
from activation_study.records.source_code import code_digest, same_code
from activation_study.sweep.estimates import disk_of_run, disk_while_training, seconds_left
from activation_study.sweep.plan import Job
from activation_study.sweep.status import RunStatus

# Runs with equal values in these groups take about the same time.
TIME_GROUPS = ("data", *COMPONENT_GROUPS, "augmentation", "training")


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


def _only_scored(jobs: Sequence[Job]) -> set[Path]:
    """The folders of runs that reuse the weights of another run, since only their evaluation differs."""
    trained, only_scored, code = set(), set(), code_digest()
    for job in sorted(jobs, key=lambda job: job.status != RunStatus.DONE):
        key = (job.study_dir, training_key(resolved(job.config)))
        if key in trained and job.status == RunStatus.NEW and job.config.rerun != "all":
            only_scored.add(job.config.run_folder)
        lost = job.status == RunStatus.DONE and not _has_weights(job.config.run_folder)
        if not lost and (job.before is None or same_code(job.before.digests, code, job.config.plugins)):
            trained.add(key)
    return only_scored


def _has_weights(folder: Path) -> bool:
    """Whether a finished run still has what another run reuses; an unpacked one has no weights."""
    return all((folder / weights_file(name)).is_file() for name in WEIGHTS)


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


def disk_bytes(job: Job) -> int:
    """Estimated bytes of the run when it has finished."""
    return disk_of_run(job.config, _classes(job))


def disk_space(todo: Sequence[Job]) -> tuple[int, int, int]:
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
