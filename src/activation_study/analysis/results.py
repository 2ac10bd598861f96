"""The finished runs of a study as arrays: one condition per data set, label type and variant, and in it one arm per
value of the factor, with its runs in the order of their seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.comparable_runs import (
    NamedRuns,
    gap_problems,
    has_planned_looks,
    reject_duplicate_seeds,
    reject_mixtures,
    seed_of,
    seed_problems,
)
from activation_study.analysis.finished_runs import read_runs, read_trials, require_study
from activation_study.analysis.grouping import arms_by_condition
from activation_study.analysis.tuned_runs import Described, described, search_problems
from activation_study.config.factor import Factor, factor_of
from activation_study.config.places import study_arguments
from activation_study.errors import MAX_LISTED, BadInput, counted, counted_between, problems_message
from activation_study.location import command
from activation_study.metrics import Counts
from activation_study.palette import recorded_colors
from activation_study.records.record import Record, run_folders
from activation_study.records.run import Run
from activation_study.tuning.searches import Search, searches_of


@dataclass(frozen=True, eq=False)
class Arm:
    """One value of the factor within a condition, e.g. one activation.

    Args:
        name: of the value.
        seeds: seeds of its n runs, ascending.
        records: records of its runs, in that order; of several folds, those of each seed one after the other.
        folders: folders of its runs, likewise.
        confusions: [n, images, C + 1, C]; of several folds, the images of all.
        image_counts: [n, images, ...] of each metric of images that all runs have, by its name; likewise.
    """

    name: str
    seeds: tuple[int, ...]
    records: tuple[Record, ...]
    folders: tuple[Path, ...]
    confusions: Counts
    image_counts: Mapping[str, Counts]

    def metric(self, key: str) -> NDArray[np.float64]:
        """One result of each seed, mean over the folds: [n]."""
        return np.asarray(self.of_folds(key).mean(axis=1))

    def of_folds(self, key: str) -> NDArray[np.float64]:
        """One result of each seed and fold: [n, folds]; one fold without a cross-validation."""
        return np.array([record.results[key] for record in self.records]).reshape(len(self.seeds), -1)

    @property
    def folds(self) -> int:
        """The number of runs of each seed."""
        return len(self.records) // len(self.seeds)

    @property
    def runs(self) -> Iterator[tuple[int, Record, Path]]:
        """Seed, record and folder of each run."""
        for index, (record, folder) in enumerate(zip(self.records, self.folders, strict=True)):
            yield self.seeds[index // self.folds], record, folder

    def at(self, seeds: Sequence[int]) -> "Arm":
        """The arm with only the runs of these seeds, in the order given."""
        chosen = [self.seeds.index(seed) for seed in seeds]
        runs = {each: [run[1:] for run in self.runs if run[0] == each] for each in seeds}
        return replace(
            self,
            seeds=tuple(seeds),
            records=tuple(record for seed in seeds for record, _ in runs[seed]),
            folders=tuple(folder for seed in seeds for _, folder in runs[seed]),
            confusions=self.confusions[chosen],
            image_counts={name: counts[chosen] for name, counts in self.image_counts.items()},
        )


class HasSeeds(Protocol):
    """An arm, or what is computed from several."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its runs."""


def common_seeds(*arms: HasSeeds) -> list[int]:
    """The seeds that all of these arms have, ascending."""
    return sorted(set.intersection(*(set(arm.seeds) for arm in arms)))


@dataclass(frozen=True, eq=False)
class Condition:
    """Arms that were trained and scored on the same data, in the same way.

    Args:
        data: name of the data set.
        label_type: name of the label type.
        variant: "key=value" for each other key whose value is not that of most runs of the study.
        classes: names of the C classes.
        colors: colours of the classes, "#RRGGBB".
        images: names of the test images.
        image_hashes: a digest of each test image; equal if the same image occurs under two names.
        groups: the group of each test image; empty without `data.groups`.
        arms: the arms, in the order of their first runs.
        factor: what the study compares.
        repeats: its runs are also in other conditions.
        folds: of how many folds it is; 1 without a cross-validation.
        searches: that its values come from; none if it is as configured.
    """

    data: str
    label_type: str
    variant: tuple[str, ...]
    classes: tuple[str, ...]
    colors: tuple[str, ...]
    images: tuple[str, ...]
    image_hashes: tuple[str, ...]
    groups: tuple[str, ...]
    arms: tuple[Arm, ...]
    factor: Factor = field(default_factory=Factor)
    repeats: bool = False
    folds: int = 1
    searches: tuple[Search, ...] = ()

    @property
    def subject(self) -> str:
        """What is learned, for headings: the label type, or the name of the data if their labels are their own."""
        return self.data if self.label_type == "own" else self.label_type

    @property
    def title(self) -> str:
        """Subject and variant, for headings."""
        return ", ".join([self.subject, *self.variant])

    @property
    def seeds(self) -> str:
        """How many seeds the arms have, in words: "8 seeds", or "5 to 20 seeds" where they differ."""
        seeds = counted_between([len(arm.seeds) for arm in self.arms], "seed")
        return f"{seeds} × {self.folds} folds" if self.folds > 1 else seeds


def read_study(study: Path, allow_incomplete: bool = False) -> tuple[list[Condition], list[str]]:
    """The conditions of a study, and what is missing in them.

    Args:
        study: folder of the study.
        allow_incomplete: use the runs that there are, and return what is missing.

    Raises:
        BadInput: the study has no finished runs, runs with different protocol versions, data or test images, or two
            runs of an arm with the same seed; or, unless allowed, unfinished runs or missing seeds.
    """
    require_study(study)
    runs, unfinished = read_runs(study)
    trials = read_trials(study)
    running = any(line.endswith(": RUNNING") for line in unfinished) and bool(run_folders(study))
    ended = f"when its runs have ended (`{command('watch')} {study_arguments(study)}` shows them)"
    if not runs:
        there = f" ({'; '.join(unfinished[:MAX_LISTED])})" if unfinished else ""
        there = f" beside {counted(len(trials), 'run')} of its searches" if trials and not unfinished else there
        fix = f"train some with `{command('train')} -m … study={study.name}`"
        fix = f"compare {ended}" if running else f"{fix}, or give the folder that contains the study as folder=PATH"
        raise BadInput(f"{study.absolute()}: no finished runs{there}; {fix}")
    reject_mixtures(study, runs)
    factor = factor_of([run.record.config for run in runs])
    searches = searches_of(trials, factor)
    tuned = {key for search in searches.values() for key in search.space}
    named = arms_by_condition(described(runs, searches, factor), lambda each: each.config, tuned)
    arms = {key: [(name, [each.run for each in group]) for name, group in there] for key, there in named.items()}
    reject_duplicate_seeds(study, arms)
    planned = has_planned_looks([run.record for run in runs])
    problems = [*unfinished, *search_problems(searches), *(gap_problems if planned else seed_problems)(arms)]
    if problems and not allow_incomplete:
        hint = f"Complete it with a sweep over all {factor.plural} and seeds, or use allow_incomplete=true."
        if running:
            hint = f"It is still running. Compare {ended}, or use allow_incomplete=true."
        raise BadInput(problems_message(f"{study} is incomplete", problems, hint))
    return [_condition(key[2:], group, factor, _searches(named[key])) for key, group in arms.items()], problems


def _searches(arms: Sequence[tuple[str, Sequence[Described]]]) -> tuple[Search, ...]:
    """The searches that the runs of a condition have their values from, by the names of its arms."""
    found: dict[int, Search] = {}
    for name, group in arms:
        for each in group:
            if each.search is not None:
                found.setdefault(id(each.search), replace(each.search, arm=name))
    return tuple(found.values())


def _condition(variant: tuple[str, ...], arms: NamedRuns, factor: Factor, searches: tuple[Search, ...]) -> Condition:
    first = arms[0][1][0]
    config = first.record.config
    return Condition(
        data=config["data"]["name"],
        label_type=config["label_type"]["name"],
        variant=variant,
        classes=tuple(first.record.classes),
        colors=tuple(recorded_colors(config, first.record.classes)),
        images=first.images,
        image_hashes=first.image_hashes,
        groups=first.groups,
        arms=tuple(_arm(name, group) for name, group in arms),
        factor=factor,
        searches=searches,
    )


def _arm(name: str, runs: Sequence[Run]) -> Arm:
    ordered = sorted(runs, key=seed_of)
    return Arm(
        name=name,
        seeds=tuple(map(seed_of, ordered)),
        records=tuple(run.record for run in ordered),
        folders=tuple(run.folder for run in ordered),
        confusions=np.stack([run.confusions for run in ordered]),
        image_counts={
            name: np.stack([run.image_counts[name] for run in ordered])
            for name in ordered[0].image_counts
            if all(name in run.image_counts for run in ordered)
        },
    )
