"""Which values a search tries next: a pure function of the trials before, by Optuna.

A sampler's state is kept nowhere. For each trial, a new sampler, seeded by the arm, the search and the trial's number,
is shown the trials of all earlier batches with their results, and those before it in its own batch as running.
So a search that was killed asks for the same values again, whatever ran beside it.
Source: Akiba et al., "Optuna: A Next-generation Hyperparameter Optimization Framework", KDD 2019; Watanabe,
"Tree-Structured Parzen Estimator: Understanding Its Algorithm Components", 2023, arXiv:2304.11127.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from activation_study.config.search_space import Choices, Range, Space, Values, grid, size
from activation_study.seeding import integer_seed
from activation_study.tuning.trials import Trial

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

STARTUP_TRIALS = 4  # of TPE, chosen at random: a third of 12
MOST_ATTEMPTS = 20  # to find values that were not tried; after them, one that is left of a finite space is drawn
MOST_LISTED = 10_000  # combinations of a finite space


def next_values(space: Space, before: Sequence[Trial], sampler: str, *of: Any) -> Values | None:
    """The values of the next trial, which differ from those of all trials before; None if none are left.

    Args:
        space: what is searched over.
        before: the trials that are known, with as many as have numbers below the next one.
        sampler: `tpe`, `random` or `grid`.
        of: what the sampler is seeded by, beside the trial's number.
    """
    tried = [trial.values for trial in before]
    if sampler == "grid":
        return next((values for values in grid(space) if values not in tried), None)
    for attempt in range(MOST_ATTEMPTS):
        seed = integer_seed(0, "tuning", *of, len(before), *([attempt] if attempt else []))
        values = _asked(space, before, sampler, seed)
        if values not in tried:
            return values
    if size(space) > MOST_LISTED:
        return None
    left = [values for values in grid(space) if values not in tried]
    seed = integer_seed(0, "tuning", *of, len(before), "left")
    return left[np.random.default_rng(seed).integers(len(left))] if left else None


def _asked(space: Space, before: Sequence[Trial], sampler: str, seed: int) -> Values:
    from optuna.samplers import BaseSampler, RandomSampler, TPESampler

    chosen: BaseSampler = RandomSampler(seed=seed)
    if sampler == "tpe":
        chosen = TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, constant_liar=True)
    study = study_of(space, before, sampler=chosen)
    asked = study.ask(dict(distributions(space))).params
    return {key: each.rounded(asked[key]) if isinstance(each, Range) else asked[key] for key, each in space.items()}


def study_of(space: Space, trials: Sequence[Trial], **options: Any) -> "Study":
    """An Optuna study, in memory, that was told these trials.

    Args:
        space: what is searched over.
        trials: in the order of their numbers.
        options: of `optuna.create_study`, e.g. sampler and pruner.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name="search", direction="maximize", **options)
    known = distributions(space)
    study.add_trials([_frozen(trial, known) for trial in trials])
    return study


def distributions(space: Space) -> Mapping[str, "BaseDistribution"]:
    """A space in Optuna's terms."""
    return {key: _distribution(parameter) for key, parameter in space.items()}


def _distribution(parameter: Range | Choices) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(parameter, Choices):
        return CategoricalDistribution(parameter.values)
    low, high, log, step = parameter.low, parameter.high, parameter.log, parameter.step
    if parameter.integer:
        return IntDistribution(round(low), round(high), log=log, step=round(step or 1))
    return FloatDistribution(low, high, log=log, step=step)


def _frozen(trial: Trial, known: Mapping[str, "BaseDistribution"]) -> "FrozenTrial":
    from optuna.trial import TrialState, create_trial

    states = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
    return create_trial(
        state=states.get(trial.state, TrialState.RUNNING),
        value=trial.score,
        params=trial.values,
        distributions=dict(known),
        intermediate_values=trial.intermediate if trial.state != "running" else {},
    )
