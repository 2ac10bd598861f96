"""Sweeps whose runs follow from results: in rounds, until nothing more is needed."""

from collections.abc import Callable, Sequence
from typing import Protocol

from activation_study.sweep.plan import Job, Overrides
from activation_study.sweep.rounds.planned_seeds import PlannedSeeds
from activation_study.sweep.rounds.tuned_arms import TunedArms


class Rounds(Protocol):
    """Which runs are needed, round by round."""

    account: str

    def foretold(self, at_once: int = 1) -> str:
        """How many runs there will be, and how long they take with so many at once, as far as it is known."""

    def begin(self) -> None:
        """Called before the first run."""

    def keep(self) -> None:
        """Keeps what `needed` looked at, where that must be known later."""

    def needed(self) -> list[Job]:
        """The runs that are needed by what is known now; `account` then says what is known."""

    def overrides(self, job: Job) -> list[str]:
        """What a run records beyond its own command line."""


def rounds_of(jobs: Sequence[Job], plan: Callable[[Sequence[Overrides]], list[Job]]) -> Rounds | None:
    """The rounds of a sweep; None if all of its runs are known from the start.

    Args:
        jobs: those of the command.
        plan: the jobs of combinations of overrides.

    Raises:
        BadInput: the sweep cannot be carried out in rounds.
    """
    if jobs[0].config.tuning.space:
        return TunedArms(jobs, plan)
    return PlannedSeeds(jobs) if jobs[0].config.seeds == "auto" else None
