"""Which runs of a study have the best values of their arm's search, and which are as configured. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from activation_study.config.search_space import masked, values_in
from activation_study.records.run import Run
from activation_study.tuning.searches import Search
from activation_study.tuning.trials import SearchKey, search_key

TUNED = "tuned"  # in the place of a value, in names of conditions
Searches = Mapping[SearchKey, Search]


def search_of(config: Mapping[str, Any], searches: Searches) -> Search | None:
    """The search that a run belongs to which is none of its trials: its seed's, otherwise its arm's."""
    if "tuning" not in config:
        return None
    return searches.get(search_key(config, config["seed"])) or searches.get(search_key(config, None))


def described(runs: Sequence[Run], searches: Searches) -> Iterator[tuple[Run, dict[str, Any]]]:
    """Each run with its configuration, in which tuned values are said to be such.

    A run whose arm is best as it is configured comes twice where the arms are compared as configured, too.
    """
    for run in runs:
        config = run.record.config
        search = search_of(config, searches)
        best = search.best if search else None
        if search is None or best is None or best.values != values_in(config, search.space):
            yield run, config
            continue
        yield run, masked(config, search.space, TUNED)
        if search.tuning["untuned"] and best.number == 0:  # the first trial has the configured values
            yield run, config


def is_tuned(variant_or_config: Mapping[str, Any], search: Search) -> bool:
    """Whether a configuration from `described` is a tuned one."""
    return all(value == TUNED for value in values_in(variant_or_config, search.space).values())


def search_problems(searches: Searches) -> Iterator[str]:
    """What is missing of the searches."""
    for search in searches.values():
        if not search.complete:
            ended = sum(trial.state != "running" for trial in search.trials)
            seed = "" if search.of_seed is None else f", seed {search.of_seed}"
            yield f"search of {search.arm}{seed}: {ended} of {search.planned} trials"
