"""The runs that a study's sweeps have planned: a file in the study's folder (docs/reference/run-folder.md).

It tells which runs have not started, which arm came first, and how many seeds were planned when results were looked at.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from activation_study.config.factor import factor_of
from activation_study.config.identity import arm_identity
from activation_study.config.schema import Config, resolved
from activation_study.config.tuning import FIRST_SEED, is_trial
from activation_study.files import write_json
from activation_study.records.lock import changing
from activation_study.records.source_code import MANIFESTS_FOLDER

PLANNED_FILE = "planned.json"
_STEP = 1e-6  # seconds between the runs of a sweep; a double resolves 2.4e-7 s of today's Unix time


@dataclass(frozen=True)
class PlannedRun:
    """A run that a sweep has planned.

    Args:
        name: of the run.
        at: Unix time when it was first planned; of one sweep, in the order of its runs.
        arm: the identity of the run without its seed.
        seed: of the run.
        epochs: at most.
        last: whether the last sweep planned it, too.
        data: name of its data set; empty in files of earlier versions.
        label_type: of its label type, likewise.
        factor: what its sweep compares, likewise.
        value: of the factor, likewise.
        trial: whether it is one of a search; None in files of earlier versions.
    """

    name: str
    at: float
    arm: str
    seed: int
    epochs: int
    last: bool = True
    data: str = ""
    label_type: str = ""
    factor: str = ""
    value: str = ""
    trial: bool | None = None

    @property
    def is_trial(self) -> bool:
        """Whether it is one of a search, judging by its seed if nothing else is known."""
        return self.seed >= FIRST_SEED if self.trial is None else self.trial


def plan_runs(study_dir: Path, configs: Sequence[Config]) -> None:
    """Adds the runs of a sweep to those that are planned.

    Args:
        study_dir: the study's folder.
        configs: the configurations of its runs, in their order.
    """
    with changing(study_dir / MANIFESTS_FOLDER / PLANNED_FILE):
        before = planned_runs(study_dir)
        start = max([time.time(), *(run.at + _STEP for run in before.values())])
        planned = {key: replace(run, last=False) for key, run in before.items()}
        values = list(map(resolved, configs))
        factor = factor_of(values)
        for number, (config, each) in enumerate(zip(configs, values, strict=True)):
            known = before.get(config.run_key)
            at = known.at if known else start + number * _STEP
            planned[config.run_key] = PlannedRun(
                config.run_name,
                at,
                arm_identity(each),
                config.seed,
                config.training.epochs,
                data=config.data.name,
                label_type=config.label_type.name,
                factor=factor.key,
                value=factor.arm(each),
                trial=is_trial(each),
            )
        keep_planned(study_dir, planned)


def keep_planned(study_dir: Path, planned: Mapping[str, PlannedRun]) -> None:
    """Writes the file.

    Args:
        study_dir: the study's folder.
        planned: the runs, by the keys that their names end with.
    """
    content = {key: asdict(run) for key, run in planned.items()}
    write_json(study_dir / MANIFESTS_FOLDER / PLANNED_FILE, content)


def planned_runs(study_dir: Path) -> dict[str, PlannedRun]:
    """The runs that sweeps have planned, by the keys that their names end with."""
    try:
        return parse_planned((study_dir / MANIFESTS_FOLDER / PLANNED_FILE).read_text(encoding="utf-8"))
    except OSError:
        return {}


def parse_planned(text: str) -> dict[str, PlannedRun]:
    """The content of the file; empty if it is damaged."""
    try:
        return {key: PlannedRun(**run) for key, run in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def planned_seeds(planned: Iterable[PlannedRun]) -> dict[str, set[int]]:
    """The seeds that are planned of each arm, by its identity without the seed."""
    seeds: dict[str, set[int]] = {}
    for run in planned:
        seeds.setdefault(run.arm, set()).add(run.seed)
    return seeds
