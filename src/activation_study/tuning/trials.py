"""A trial of a search, from the records of its runs; nothing else is stored of it. Pure functions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from activation_study.config.equal_settings import DERIVED, distinguishes
from activation_study.config.identity import INTRODUCED, flatten
from activation_study.config.search_space import Space, Values, values_in
from activation_study.records.record import Record

SearchKey = tuple[Any, ...]  # what the runs of a search have in common


@dataclass(frozen=True)
class Trial:
    """One trial: the runs of its seeds with the same values.

    Args:
        number: 0, 1, 2, … in its search.
        values: of the keys of the space.
        records: of its runs that were started, in the order of their seeds.
        state: `finished`, `pruned`, `failed`, or `running` as long as runs are missing.
    """

    number: int
    values: Values
    records: tuple[Record, ...]
    state: str

    @property
    def score(self) -> float | None:
        """The objective: mean IoU of the scored weights on the validation images, mean over its seeds; None unless it
        has finished.
        """
        return mean(record.validation_mean_iou for record in self.records) if self.state == "finished" else None

    @property
    def epochs(self) -> int:
        """The epochs that were trained, by all of its runs."""
        return sum(len(record.epochs) for record in self.records)

    @property
    def seconds(self) -> float:
        """The time of these epochs."""
        return sum(record.training_seconds for record in self.records)

    @property
    def intermediate(self) -> dict[int, float]:
        """What a pruner compares, by step 1, 2, …: of one run, validation mean IoU after each epoch; of several, the
        objective of each seed that has finished.
        """
        if len(self.records) == 1 and self.records[0].config["tuning"]["seeds"] == 1:
            return {number: epoch["val/mean_iou"] for number, epoch in enumerate(self.records[0].epochs, 1)}
        finished = [record for record in self.records if record.status == "FINISHED"]
        return {number: record.validation_mean_iou for number, record in enumerate(finished, 1)}


def search_key(config: Mapping[str, Any], of_seed: int | None, tuned: Collection[str]) -> SearchKey:
    """What the runs of a search have in common: all that affects their results, but seeds and what is searched over.

    Keys that were introduced later count only where they have another value than the one that held before.

    Args:
        config: of a run, resolved.
        of_seed: the seed that the search is for; None: for all.
        tuned: the keys that are searched over.
    """
    kept = {
        key: str(value)
        for key, value in flatten(dict(config)).items()
        if distinguishes(key) and INTRODUCED.get(key, ...) != value and not _is_of(DERIVED.get(key, key), tuned)
    }
    return (of_seed, *sorted(kept.items()))


def _is_of(key: str, tuned: Collection[str]) -> bool:
    return any(key == each or key.startswith(f"{each}.") for each in tuned)


def trial_of(number: int, records: Sequence[Record], space: Space) -> Trial:
    """The trial that these runs belong to; a search says which trials without all of their runs have been pruned."""
    ordered = sorted(records, key=lambda record: int(record.config["seed"]))
    statuses = {record.status for record in ordered}
    state = "running"
    if "FAILED" in statuses:
        state = "failed"
    elif "PRUNED" in statuses:
        state = "pruned"
    elif statuses == {"FINISHED"}:
        missing = len(ordered) < ordered[0].config["tuning"]["seeds"]
        state = "running" if missing else "finished"
    return Trial(number, values_in(ordered[0].config, space), tuple(ordered), state)
