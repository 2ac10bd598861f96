"""`seeds=auto`: which runs of a sweep are needed, look by look (docs/explanation/planned-looks.md)."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from activation_study.analysis.formatting import display_name, format_interval, listed, pair_name
from activation_study.analysis.grouping import arms_by_condition
from activation_study.analysis.looks.looks_of_study import plan_of, planned_looks
from activation_study.analysis.looks.planned_looks import Look, next_look
from activation_study.analysis.looks.planned_looks import Path as LookPath
from activation_study.analysis.looks.unplanned_looks import kept_of
from activation_study.analysis.results import Condition, read_study
from activation_study.config.contrasts import MAX_CONTRASTS, arms_in, default_pairs
from activation_study.config.factor import Factor, can_be_compared, factor_of
from activation_study.config.schema import resolved
from activation_study.console import format_duration
from activation_study.errors import MAX_LISTED, BadInput, counted
from activation_study.records.looks import keep_look, keep_plan, read_looks
from activation_study.records.record import read_record, run_folders
from activation_study.sweep.plan import Job, make_job, study_dirs
from activation_study.sweep.remaining import estimate_seconds
from activation_study.sweep.status import RunStatus

Arm = tuple[str, ...]  # data set, label type, name
Paths = Mapping[tuple[Condition, str, str], LookPath]


class PlannedSeeds:
    """The runs of a study whose seeds are added at planned looks.

    Args:
        jobs: all runs up to the last look.
        beside: the names of the study's runs that take no part in the looks.

    Raises:
        BadInput: the sweep varies what cannot be an arm, has no contrasts, or its study was begun otherwise.
    """

    def __init__(self, jobs: Sequence[Job], beside: Collection[str] = ()) -> None:
        self._jobs, self._beside = list(jobs), beside
        if len(study_dirs(jobs)) > 1:
            raise BadInput("seeds=auto: expected runs of one study; start a sweep for each")
        (self._study_dir,) = study_dirs(jobs)
        comparison = jobs[0].config.comparison
        plan = plan_of(comparison)
        assert plan is not None  # the sweeper gives looks
        self.plan = plan
        conditions = arms_by_condition(self._jobs, lambda job: resolved(job.config))
        factor = factor_of([resolved(job.config) for job in self._jobs])
        variants = sorted({setting for _, _, *variant in conditions for setting in variant})
        if variants:
            raise BadInput(
                f"seeds=auto: the sweep varies {', '.join(variants[:MAX_LISTED])}; expected "
                f"{factor.plural}, label types and data alone, since only their contrasts are decided"
                f"{_as_factor(factor, variants)}"
            )
        self._arms: dict[Arm, list[Job]] = {
            (*key, name): sorted(group, key=lambda job: job.config.seed)
            for key, arms in conditions.items()
            for name, group in arms
        }
        names = list(dict.fromkeys(name for *_, name in self._arms))
        if options := [name for name in names if " " in name]:  # what is named depends on how many runs there are
            raise BadInput(
                f"seeds=auto: the sweep varies options of one {factor.title} ({', '.join(options)}); give each of them "
                f"a name of its own, as a file in conf/{factor.key.partition('.')[0]}/"
            )
        declared = comparison.contrasts or default_pairs(names, factor)
        self.contrasts = [list(pair) for pair in declared]
        if not self.contrasts:
            raise BadInput(f"seeds=auto: expected two or more {factor.plural}, e.g. activation=relu,mish")
        if len(self.contrasts) > MAX_CONTRASTS:
            raise BadInput(
                f"seeds=auto: {len(self.contrasts)} contrasts, expected {MAX_CONTRASTS} or fewer; declare those that "
                "matter with comparison.contrasts=[[a,b],…]"
            )
        for key in conditions:
            arms = {arm for pair in self.contrasts for name in pair for arm in arms_in(name)}
            missing = sorted(name for name in arms if (*key, name) not in self._arms)
            if missing:
                raise BadInput(
                    f"seeds=auto: the contrasts name {', '.join(missing)}, which the sweep does not train on "
                    f"{' '.join(key[:2])}; declare others with comparison.contrasts=[[a,b],…]"
                )
        self._declared = {
            "contrasts": [[*key, *pair] for key in conditions for pair in self.contrasts],
            "looks": list(comparison.looks),
            "margin": comparison.margin,
            "futility": comparison.futility,
        }
        self.account = ""
        self._look: dict[str, Any] | None = None
        folders = self._begun()
        if folders and jobs[0].config.rerun == "all":
            raise BadInput(
                "rerun=all: planned looks would mix new results with those that are still to be replaced: delete the "
                f"folders of the runs that are to be trained again in {self._study_dir}, or use another study: "
                "study=NAME"
            )
        if folders:  # a plan without runs may be replaced
            self._reject_other_plan(folders)

    def _begun(self) -> list[Path]:
        """The folders of the runs that take part in the looks."""
        return [folder for folder in run_folders(self._study_dir) if folder.name not in self._beside]

    def _reject_other_plan(self, folders: Sequence[Path]) -> None:
        """Raises BadInput if the study, which has these runs, was begun without this plan."""
        another = "use another study: study=NAME"
        planned = {job.config.run_folder.name for job in self._jobs}
        if others := [folder.name for folder in folders if folder.name not in planned]:
            raise BadInput(
                f"{self._study_dir} has {counted(len(others), 'run')} that this command does not plan, e.g. "
                f"{others[0]}; a plan cannot be changed after the first run: {another}"
            )
        declared = read_looks(self._study_dir)["plan"] or {}
        comparisons = [record.config.get("comparison", {}) for folder in folders if (record := read_record(folder))]
        recorded = {"looks", "margin", "futility"}
        for key, value in self._declared.items():
            found = [declared.get(key, value), *(each.get(key) for each in comparisons if key in recorded)]
            if key == "looks" and not all(found):
                raise BadInput(
                    f"{self._study_dir} has runs that were made without planned looks; looks must be planned before "
                    f"the first run: {another}"
                )
            for other in (each for each in found if each != value):
                raise BadInput(
                    f"{self._study_dir}: its plan was declared with {key} {other}, now {value}; a plan cannot be "
                    f"changed after the first run: {another}"
                )

    def overrides(self, job: Job) -> list[str]:
        """What each run records of the plan beyond its own command line."""
        pairs = ",".join(f"['{a}','{b}']" for a, b in self.contrasts)
        return [f"comparison.contrasts=[{pairs}]"]

    def begin(self) -> None:
        """Keeps the plan in the study's folder, before the first run, and a look whose keeping was interrupted."""
        if read_looks(self._study_dir)["plan"] is None or not self._begun():
            keep_plan(self._study_dir, {**self._declared, "at": time.time()})
        self.keep()

    def keep(self) -> None:
        """Keeps what `needed` looked at in the study's folder."""
        if self._look is not None:
            keep_look(self._study_dir, self._look)

    def foretold(self, at_once: int = 1) -> str:
        """How many runs there will be, and how long they take with so many at once, as far as it is known."""
        looks, first = self.plan.looks, self.plan.looks[0]
        seconds = estimate_seconds(self._jobs)
        early = [job for job in self._jobs if job.config.seed < first]
        conditions = {tuple(arm[:2]) for arm in self._arms}
        return (
            f"Planned looks at {listed([str(seeds) for seeds in looks])} seeds, "
            f"{counted(len(conditions) * len(self.contrasts), 'contrast')}: "
            f"{counted(len(early), 'run')}{_duration(early, seconds, at_once)} up to the first look, at most "
            f"{len(self._jobs)}{_duration(self._jobs, seconds, at_once)}."
        )

    def needed(self) -> list[Job]:
        """The runs up to the seeds that each arm needs by what is known now; `account` then says what is known."""
        first = self.plan.looks[0]
        jobs = {arm: [make_job(job.overrides, job.config) for job in group] for arm, group in self._arms.items()}
        seeds = dict.fromkeys(jobs, first)
        if all(job.status == RunStatus.DONE for group in jobs.values() for job in group[:first]):
            paths = self._paths()
            self.account = "\n".join(["Looked at the results:", *self._lines(paths)])
            seeds |= self._seeds(paths)
            self._look = _kept(paths)
        return [job for arm, group in jobs.items() for job in group[: seeds[arm]]]

    def _paths(self) -> Paths:
        """The looks at each contrast so far."""
        conditions, _ = read_study(self._study_dir, allow_incomplete=True)
        planned = planned_looks(conditions)
        assert planned is not None  # all runs have the plan
        return planned.paths

    def _seeds(self, paths: Paths) -> Mapping[Arm, int]:
        """The seeds that each arm needs: those of its contrast that needs most."""
        needed: dict[Arm, int] = {}
        for (condition, a, b), path in paths.items():
            seeds = next_look(path, self.plan) or path[-1].seeds
            for name in (*arms_in(a), *arms_in(b)):
                arm = (condition.data, condition.label_type, name)
                needed[arm] = max(seeds, needed.get(arm, 0))
        return needed

    def _lines(self, paths: Paths) -> Iterator[str]:
        several = len({condition for condition, _, _ in paths}) > 1
        for (condition, a, b), path in paths.items():
            where = f"{condition.title}, " if several else ""
            yield f"  {where}{pair_name(a, b)}: {_state(path[-1], a, b, next_look(path, self.plan))}"


def _as_factor(factor: Factor, variants: Sequence[str]) -> str:
    """How to compare what the sweep varies, too, if it is one key that can be compared."""
    varied = list(dict.fromkeys(setting.partition("=")[0] for setting in variants))
    if len(factor.keys) > 1 or len(varied) > 1 or not can_be_compared(varied[0]):
        return ""
    return f"; to compare it, too: 'comparison.factor=[{factor.key},{varied[0]}]'"


def _state(look: Look, a: str, b: str, following: int | None) -> str:
    """What a look says, and what follows."""
    interval = f"{format_interval(look.difference, signed=True)} points after {look.seeds} seeds"
    chance = "" if look.chance is None else f"; chance to settle it {100 * look.chance:.0f} %"
    if following is not None:
        return f"{interval}: open{chance}, goes on to {following} seeds"
    words = {"equivalent": "equivalent", "open": "stays open"}
    return f"{interval}: {words.get(look.answer, f'{display_name(a)} is {look.answer} {display_name(b)}')}{chance}"


def _kept(paths: Paths) -> dict[str, Any]:
    contrasts = [
        {**kept_of(condition, a, b, range(path[-1].seeds)), **path[-1].fields, "decides": True}
        for (condition, a, b), path in paths.items()
    ]
    return {"at": time.time(), "contrasts": contrasts}


def _duration(jobs: Sequence[Job], seconds: Mapping[Path, float | None], at_once: int) -> str:
    estimates = [seconds[job.config.run_folder] for job in jobs]
    known = [estimate for estimate in estimates if estimate is not None]
    return f" ({format_duration(sum(known) / at_once)})" if len(known) == len(estimates) and any(known) else ""
