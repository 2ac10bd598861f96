"""The searches of a study, from the records of their runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from activation_study.config.factor import Factor
from activation_study.config.schema import fold_of
from activation_study.config.search_space import Space, size
from activation_study.config.tuning import is_trial, space_of_arm
from activation_study.records.record import Record
from activation_study.tuning.pruning import EarlyEnd
from activation_study.tuning.trials import SearchKey, Trial, search_key, trial_of


@dataclass(frozen=True)
class Search:
    """The search for the best values of one arm on one data set and label type.

    Args:
        arm: its name.
        of_seed: the seed that it is for; None: for all of the arm's.
        space: what is searched over.
        tuning: its configuration.
        trials: those that were started, in the order of their numbers.
        fold: of a cross-validation, whose training images it uses; None without.
    """

    arm: str
    of_seed: int | None
    space: Space
    tuning: Mapping[str, Any]
    trials: tuple[Trial, ...]
    fold: int | None = None

    @property
    def planned(self) -> int:
        """The number of trials at most: no more than there are combinations of values."""
        return int(min(self.tuning["trials"], size(self.space)))

    @property
    def begun_batches(self) -> int:
        """The number of batches of which a trial was started."""
        return 1 + max((trial.number for trial in self.trials), default=-1) // int(self.tuning["batch"])

    @property
    def complete(self) -> bool:
        """Whether no trial follows: all have ended, and their number or their epochs are used up."""
        if self.ended < len(self.trials):
            return False
        budget, batch = self.tuning["epochs"], self.tuning["batch"]
        whole = len(self.trials) == min(self.begun_batches * batch, self.planned)
        spent = budget is not None and self.epochs >= budget
        return whole and (len(self.trials) == self.planned or spent)

    @property
    def best(self) -> Trial | None:
        """The finished trial with the largest score, of equal ones the first; None if none has finished."""
        finished = [trial for trial in self.trials if trial.score is not None]
        return max(finished, key=lambda trial: trial.score or 0.0, default=None)

    @property
    def epochs(self) -> int:
        """The epochs of all trials."""
        return sum(trial.epochs for trial in self.trials)

    @property
    def seconds(self) -> float:
        """The time of all trials."""
        return sum(trial.seconds for trial in self.trials)

    @property
    def seconds_per_run(self) -> float | None:
        """The median time of the runs that have finished, with their evaluation; None if none has."""
        finished = [record for trial in self.trials for record in trial.records if record.status == "FINISHED"]
        times = [record.training_seconds + record.results["evaluation_seconds"] for record in finished]
        return median(times) if times else None

    @property
    def ended(self) -> int:
        """The number of trials that have ended, in whatever way."""
        return len(self.trials) - self.count("running")

    def count(self, state: str) -> int:
        """The number of trials in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def at_edge(self) -> list[str]:
        """The keys whose best value lies at an edge of the space."""
        return (
            [] if self.best is None else [key for key in self.space if self.space[key].at_edge(self.best.values[key])]
        )


def searches_of(records: Iterable[Record], factor: Factor) -> dict[SearchKey, Search]:
    """The searches of a study.

    Args:
        records: of all of its runs, or of those of searches alone.
        factor: what the study compares.
    """
    found: dict[SearchKey, dict[int, list[Record]]] = {}
    for record in records:
        if is_trial(record.config):
            tuning = record.config["tuning"]
            trials = found.setdefault(search_key(record.config, tuning["of_seed"], tuning["space"]), {})
            trials.setdefault(int(record.config["tuning"]["trial"]), []).append(record)
    return {key: _search(trials, factor) for key, trials in found.items()}


def _search(trials: Mapping[int, Sequence[Record]], factor: Factor) -> Search:
    every = [record for records in trials.values() for record in records]
    last = max(every, key=lambda record: record.started)  # the length of a search may have grown
    space = space_of_arm(last.config, factor)
    return Search(
        arm=factor.arm(last.config),
        of_seed=last.config["tuning"]["of_seed"],
        space=space,
        tuning=last.config["tuning"],
        trials=tuple(_judged([trial_of(number, trials[number], space) for number in sorted(trials)], space, last)),
        fold=fold_of(last.config),
    )


def _judged(trials: Sequence[Trial], space: Space, last: Record) -> Sequence[Trial]:
    """The trials, with those pruned that the comparison of seeds ended before their last one."""
    tuning = last.config["tuning"]
    if tuning["pruner"] != "wilcoxon":
        return trials
    judged: list[Trial] = []
    for trial in trials:
        earlier = [each for each in judged if each.number // tuning["batch"] < trial.number // tuning["batch"]]
        if trial.state == "running" and all(record.status == "FINISHED" for record in trial.records):
            rule = EarlyEnd(space, earlier, trial.number, trial.values, tuning)
            trial = replace(trial, state="pruned") if rule.after(trial.intermediate) else trial
        judged.append(trial)
    return judged
