"""What a person has to mend in a store, in words, and the command that helps."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from activation_study.config.places import study_arguments
from activation_study.config.tracking_uri import DEFAULT_URI, VARIABLE
from activation_study.credentials import without_credentials
from activation_study.location import command
from activation_study.records.record import EVALUATIONS, REPRODUCTIONS


class StoreProblem(Exception):
    """Something in the store that a person has to mend.

    Args:
        problem: what is wrong.
        effect: what copying the study again does.
        first: what to do before it.
        restore: whether it also brings back what a person has deleted.
    """

    def __init__(self, problem: str, effect: str, first: str = "", restore: bool = False) -> None:
        super().__init__(problem)
        self.effect, self.first, self.restore = effect, first, restore

    def advice(self, study: Path, uri: str) -> str:
        """The problem and what helps, for a study's folder and the store."""
        return f"{self}. {self.first}{sync_command(study, uri, self.restore)} {self.effect}"


class ModelRefused(Exception):
    """A run's model was not logged, because of its file; everything else was."""


def sync_command(study: Path, uri: str, restore: bool = False) -> str:
    """The command that copies a study into a store, in backticks.

    Args:
        study: its folder.
        uri: the store's tracking URI; its credentials are left out.
        restore: also bring back what a person has deleted.
    """
    default = uri == os.environ.get(VARIABLE, DEFAULT_URI)
    address = "" if default else f" tracking.uri={shlex.quote(without_credentials(uri))}"
    value = "all" if restore else "true"
    return f"`{command('train')} sync={value} {study_arguments(study)}{address}`"


def explained(error: Exception, study: Path, uri: str) -> str:
    """An error of a store in words, with what helps where that is known."""
    return error.advice(study, uri) if isinstance(error, StoreProblem) else str(error)


def deleted_experiment(name: str) -> StoreProblem:
    """The experiment of a study was deleted."""
    return StoreProblem(
        f"the experiment {name} was deleted in MLflow",
        "brings it back with its runs; another study=NAME uses another experiment",
        restore=True,
    )


def deleted_runs(names: Sequence[str]) -> StoreProblem:
    """A person has deleted runs."""
    effect = f"brings {'it' if len(names) == 1 else 'them'} back"
    return StoreProblem(f"deleted in MLflow: {', '.join(names)}", effect, restore=True)


def study_of(run: Path) -> Path:
    """The folder of the study to which the folder of a run, or of its reproduction or evaluation, belongs."""
    return next(each for each in run.parents if each.name not in (REPRODUCTIONS, EVALUATIONS))
