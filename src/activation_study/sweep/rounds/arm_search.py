"""One search of a sweep: its trials and the runs with its best values, as overrides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from activation_study.analysis.formatting import listed
from activation_study.config.command_line.overrides import override_key
from activation_study.config.factor import without_alias
from activation_study.config.schema import resolved
from activation_study.config.search_space import Values, value_text, values_in
from activation_study.config.tuning import trial_seeds
from activation_study.errors import BadInput
from activation_study.sweep.plan import Job, Overrides
from activation_study.tuning.batches import begun_trials
from activation_study.tuning.searches import Search
from activation_study.tuning.trials import Trial


@dataclass(frozen=True)
class ArmSearch:
    """A search that a sweep needs: for one arm, or for one seed of it.

    Args:
        search: as far as it has come.
        jobs: the command's runs that it is for.
        title: in messages.
    """

    search: Search
    jobs: tuple[Job, ...]
    title: str

    @property
    def configured(self) -> Values:
        """The values without a search."""
        return values_in(resolved(self.jobs[0].config), self.search.space)

    def overrides(self, values: Values, seed: int) -> list[str]:
        """Those of a run with these values and this seed."""
        given = {"seed", *values}
        others = [each for each in self.jobs[0].overrides if without_alias(override_key(each)) not in given]
        return [*others, *(f"{key}={value_text(value)}" for key, value in values.items()), f"seed={seed}"]

    def trials(self) -> list[Trial]:
        """The trials that were started, with those of the next batch."""
        config, search = self.jobs[0].config, self.search
        of: list[Any] = [config.data.name, config.label_type.name, search.arm]
        of += ["" if search.of_seed is None else search.of_seed, *([f"fold{search.fold}"] if search.fold else [])]
        return begun_trials(search, self.configured, *of)

    def runs_of_trials(self) -> Iterator[Overrides]:
        """The runs of the trials that were started, and those that come next."""
        of_seed = self.search.of_seed
        for trial in self.trials():
            for seed in _seeds(trial, trial_seeds(self.search.tuning, of_seed), self.search.tuning["pruner"]):
                mark = [] if of_seed is None else [f"tuning.of_seed={of_seed}"]
                yield [*self.overrides(trial.values, seed), f"tuning.trial={trial.number}", *mark]

    def runs_with_best(self) -> Iterator[Overrides]:
        """The command's runs with the best values, when the search is complete.

        Raises:
            BadInput: there are none.
        """
        best = self.search.best
        if best is None:
            raise BadInput(f"{self.title}: no trial has finished, so there are no best values; {self.why_failed}")
        for job in self.jobs:
            yield self.overrides(best.values, job.config.seed)

    @property
    def why_failed(self) -> str:
        """The error of the last trial that failed."""
        errors = [record.error for trial in self.search.trials for record in trial.records if record.error]
        return f"the last error was: {errors[-1]}" if errors else "none was started"

    def __str__(self) -> str:
        search, best = self.search, self.search.best
        details = [f"{search.count(state)} {state}" for state in ("pruned", "failed") if search.count(state)]
        text = f"{self.title}: {search.ended} of {search.planned} trials"
        text += f" ({', '.join(details)})" if details else ""
        if best is None:
            return text
        values = listed([f"{key}={value_text(value)}" for key, value in best.values.items()])
        text += f", best {values} with {100 * (best.score or 0):.1f} % mean IoU on validation"
        return text + (
            f"; {listed(search.at_edge)} at the edge of the space" if search.complete and search.at_edge else ""
        )


def _seeds(trial: Trial, seeds: Sequence[int], pruner: str) -> list[int]:
    """The seeds of a trial that were started, and those that come next."""
    started = {int(record.config["seed"]) for record in trial.records}
    following = [seed for seed in seeds if seed not in started] if trial.state == "running" else []
    if pruner == "wilcoxon":  # each seed decides about the next
        ended = all(record.status == "FINISHED" for record in trial.records)
        following = following[:1] if ended else []
    return [seed for seed in seeds if seed in started or seed in following]
