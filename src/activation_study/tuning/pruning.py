"""Which trials end early: Optuna's pruners, shown the trials of earlier batches and the trial itself.

A decision depends on these alone, not on what runs beside it, so it is the same after an interruption.
Source: Li et al., "Hyperband", JMLR 18, 2018 (successive halving in brackets); Golovin et al., "Google Vizier", KDD
2017 (median); Wilcoxon, Biometrics Bulletin 1, 1945 (signed ranks).
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from activation_study.config.search_space import Space, Values
from activation_study.tuning.ask import distributions, study_of
from activation_study.tuning.trials import Trial

if TYPE_CHECKING:
    from optuna.pruners import BasePruner

MEDIAN_AFTER_TRIALS = 4  # finished ones, below which nothing is pruned
MEDIAN_FROM_EPOCH = 5  # the first one after which a trial may end; those before say little
HALVING = 3  # each rung of Hyperband keeps a third


class EarlyEnd:
    """Decides whether a trial ends early.

    Args:
        space: what is searched over.
        earlier: the trials of earlier batches.
        number: of the trial.
        values: of the trial.
        tuning: the configuration of the search.
        epochs: at most, of a run.
    """

    def __init__(
        self,
        space: Space,
        earlier: Sequence[Trial],
        number: int,
        values: Values,
        tuning: Mapping[str, Any],
        epochs: int = 1,
    ) -> None:
        self._space, self._earlier, self._number, self._values = space, list(earlier), number, values
        self._tuning, self._epochs = tuning, epochs

    def after(self, intermediate: Mapping[int, float]) -> bool:
        """Whether the trial ends after these values.

        Args:
            intermediate: validation mean IoU by epoch or seed, from 1 on.
        """
        import optuna

        if not intermediate:
            return False
        pruner = _pruner(self._tuning["pruner"], self._epochs)
        sampler = optuna.samplers.RandomSampler(seed=0)
        study = study_of(self._space, [], sampler=sampler, pruner=pruner)
        for trial in self._earlier:
            _replay(study, self._space, trial.number, trial.values, trial.intermediate, _state(trial), trial.score)
        return _replay(study, self._space, self._number, self._values, intermediate)


def _replay(
    study: Any,
    space: Space,
    number: int,
    values: Values,
    intermediate: Mapping[int, float],
    state: Any = None,
    score: float | None = None,
) -> bool:
    """Reports a trial's values again, one after the other, as when it ran, since pruners keep marks of what they saw.

    Returns:
        Whether the pruner ends it after the last of them.
    """
    import optuna

    running = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING, params=values, distributions=dict(distributions(space))
    )
    while len(study.get_trials(deepcopy=False)) < number:  # trials without a run, so that numbers agree
        study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))
    study.add_trial(running)
    trial = optuna.trial.Trial(study, study.get_trials(deepcopy=False)[-1]._trial_id)
    ends = False
    for step, value in intermediate.items():
        trial.report(value, step)
        ends = trial.should_prune()
    if state is not None:
        study.tell(trial, score, state=state)
    return ends


def _state(trial: Trial) -> Any:
    from optuna.trial import TrialState

    return {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}.get(trial.state, TrialState.FAIL)


def _pruner(name: str, epochs: int) -> "BasePruner":
    import optuna
    from optuna.pruners import HyperbandPruner, MedianPruner, WilcoxonPruner

    if name == "median":
        return MedianPruner(n_startup_trials=MEDIAN_AFTER_TRIALS, n_warmup_steps=MEDIAN_FROM_EPOCH)
    if name == "hyperband":
        smallest = max(epochs // HALVING**2, 1)
        return HyperbandPruner(min_resource=smallest, max_resource=epochs, reduction_factor=HALVING)
    with warnings.catch_warnings():  # Optuna calls it experimental: its interface may change, not what it computes
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return WilcoxonPruner(p_threshold=0.1)
