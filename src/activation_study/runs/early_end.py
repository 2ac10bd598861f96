"""Ends a trial of a search early, where its pruner says so."""

from collections.abc import Mapping, Sequence

from activation_study.config.factor import factor_of
from activation_study.config.schema import Config, resolved
from activation_study.config.search_space import values_in
from activation_study.config.tuning import EPOCH_PRUNERS, space_of_arm
from activation_study.records.record import read_records
from activation_study.tuning.pruning import EarlyEnd
from activation_study.tuning.searches import searches_of
from activation_study.tuning.trials import search_key


class Pruned(Exception):
    """The pruner of a search has ended this trial."""


def early_end(config: Config) -> EarlyEnd | None:
    """The rule by which a run ends early; None if it is no trial, has no such rule, or is a reproduction."""
    tuning = config.tuning
    if tuning.trial is None or tuning.pruner not in EPOCH_PRUNERS or config.suffix:
        return None
    values = resolved(config)
    factor = factor_of([values])
    search = searches_of(read_records(config.run_folder.parent), factor).get(
        search_key(values, tuning.of_seed, tuning.space)
    )
    first = tuning.trial // tuning.batch * tuning.batch
    earlier = [trial for trial in search.trials if trial.number < first] if search else []
    space = space_of_arm(values, factor)
    return EarlyEnd(space, earlier, tuning.trial, values_in(values, space), values["tuning"], config.training.epochs)


def check_early_end(rule: EarlyEnd | None, epochs: Sequence[Mapping[str, float]]) -> None:
    """Raises `Pruned` if the trial ends after these epochs."""
    if rule and rule.after({number: epoch["val/mean_iou"] for number, epoch in enumerate(epochs, 1)}):
        raise Pruned(f"pruned after epoch {len(epochs)}: the trials before did better")
