"""Which trials of a search have begun or begin next: whole batches, each asked when all earlier ones have ended."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from activation_study.config.search_space import Values, inside
from activation_study.errors import BadInput
from activation_study.tuning.ask import next_values
from activation_study.tuning.searches import Search
from activation_study.tuning.trials import Trial


def begun_trials(search: Search, configured: Values, *of: Any) -> list[Trial]:
    """The trials of a search that were started, with all others of the first batch that has not ended.

    Args:
        search: as far as it has come.
        configured: the values without a search, which the first trial has if they lie in the space, so that the best
            ones are no worse on validation.
        of: what the search's samplers are seeded by.

    Raises:
        BadInput: the space has fewer values than trials.
    """
    known = {trial.number: trial for trial in search.trials}
    trials: list[Trial] = []
    while not replace(search, trials=tuple(trials)).complete:
        first = len(trials)
        if any(trial.state == "running" for trial in trials):
            break
        for number in range(first, min(first + search.tuning["batch"], search.planned)):
            beside = [replace(trial, records=(), state="running") for trial in trials[first:]]
            values = (
                known[number].values if number in known else _values(search, configured, trials[:first], beside, of)
            )
            trials.append(known.get(number, Trial(number, values, (), "running")))
    return trials


def _values(
    search: Search, configured: Values, earlier: Sequence[Trial], beside: Sequence[Trial], of: Sequence[Any]
) -> Values:
    before = [*earlier, *beside]
    if not before and inside(search.space, configured):
        return configured
    values = next_values(search.space, before, search.tuning["sampler"], *of)
    if values is None:
        raise BadInput(
            f"tuning.space has hardly more values than the {len(before)} that were tried of {search.arm}: use another "
            "study (study=NAME) with a wider space or fewer trials"
        )
    return values
