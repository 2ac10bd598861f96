"""Which runs of a study have the best values of their arm's search, and which are as configured. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activation_study.analysis.grouping import arm, grouped
from activation_study.config.factor import Factor
from activation_study.config.search_space import masked, value_text, values_in
from activation_study.records.run import Run
from activation_study.tuning.searches import Search
from activation_study.tuning.trials import SearchKey, search_key

TUNED, CONFIGURED = "tuned", "configured"  # in the place of values, in names of conditions
Searches = Mapping[SearchKey, Search]


@dataclass(frozen=True, eq=False)
class Described:
    """A run as part of a condition.

    Args:
        run: the run.
        config: its configuration, in which tuned values are said to be such.
        search: that its values come from; None if it is as configured.
    """

    run: Run
    config: dict[str, Any]
    search: Search | None


def described(runs: Sequence[Run], searches: Searches, factor: Factor) -> list[Described]:
    """Each run of a study with the search that its values come from.

    A run whose arm is best as it is configured comes twice where the arms are compared as configured, too. So with
    searches the runs of one arm stand together, which gives all conditions the same order of arms.
    """
    if searches:
        runs = [run for group in grouped(runs, lambda run: arm(run.record.config, factor)).values() for run in group]
    untuned = any(run.record.config.get("tuning", {}).get("untuned") for run in runs)
    found = {id(run): _search_of(run.record.config, searches) for run in runs}
    of_search = grouped(runs, lambda run: (str(id(found[id(run)])),)).values()
    both = {id(run) for group in of_search if untuned and _both(group, found[id(group[0])]) for run in group}
    word = _configured([run for run in runs if id(run) in both or not _has_best(run, found[id(run)])], found)
    return [each for run in runs for each in _as_parts(run, found[id(run)], id(run) in both, word)]


def _as_parts(run: Run, search: Search | None, both: bool, configured: str) -> Iterator[Described]:
    config = run.record.config
    if search is None:
        yield Described(run, config, None)
        return
    tuned = _has_best(run, search)
    if tuned:
        yield Described(run, masked(config, search.space, TUNED), search)
    if both or not tuned:
        yield Described(run, masked(config, search.space, configured), None)


def _has_best(run: Run, search: Search | None) -> bool:
    if search is None or search.best is None:
        return False
    return search.best.values == values_in(run.record.config, search.space)


def _both(runs: Sequence[Run], search: Search | None) -> bool:
    """Whether the runs of a search's arm are those as configured, too: the first trial, which is configured, won."""
    return search is not None and search.best is search.trials[0] and all(_has_best(run, search) for run in runs)


def _configured(runs: Sequence[Run], found: Mapping[int, Search | None]) -> str:
    """The value of runs as configured, if one key is tuned and all have the same; otherwise a word."""
    values = {
        tuple(map(value_text, values_in(run.record.config, search.space).values()))
        for run in runs
        if (search := found[id(run)]) is not None
    }
    (first, *others) = values or {()}
    return first[0] if len(first) == 1 and not others else CONFIGURED


def _search_of(config: Mapping[str, Any], searches: Searches) -> Search | None:
    """The search for a run's arm: its seed's, otherwise its arm's."""
    spaces = dict.fromkeys(tuple(search.space) for search in searches.values())
    keys = (search_key(config, of_seed, space) for space in spaces for of_seed in (config["seed"], None))
    return next((searches[key] for key in keys if key in searches), None)


def search_problems(searches: Searches) -> Iterator[str]:
    """What is missing of the searches."""
    for search in searches.values():
        if not search.complete:
            seed = "" if search.of_seed is None else f", seed {search.of_seed}"
            yield f"search of {search.arm}{seed}: {search.ended} of {search.planned} trials"
