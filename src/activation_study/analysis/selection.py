"""Selects a setting for each activation on the validation split, so that no activation is judged at another's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from activation_study.analysis.formatting import display_name, listed
from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Arm, Condition
from activation_study.config.identity import flatten
from activation_study.errors import BadInput


@dataclass(frozen=True)
class Selection:
    """The values selected among the conditions of one data set and label type.

    Args:
        condition: each activation at its own best value.
        key: the configuration key that was selected.
        scores: for each activation, the mean IoU on validation of each value (scored weights, mean over seeds).
    """

    condition: Condition
    key: str
    scores: dict[str, dict[str, float]]

    def best(self, name: str) -> str:
        """The value that was selected for an activation."""
        return max(self.scores[name], key=lambda value: self.scores[name][value])

    def at_edge(self, name: str) -> bool:
        """Whether the selected value is the smallest or the largest of three or more numbers that were tried."""
        try:
            numbers = sorted(float(value) for value in self.scores[name])
            best = float(self.best(name))
        except ValueError:  # words have no edge
            return False
        return len(numbers) > 2 and best in (numbers[0], numbers[-1])

    @property
    def notes(self) -> list[str]:
        """By which runs the selected values are compared, and which may have a better one beyond those tried."""
        subject = self.condition.subject
        compared = (
            f"The selected values of {self.key} on {subject} are compared by the runs that selected them, which makes "
            "them look better than they are: `tuning` compares by other runs."
        )
        notes = [compared]
        tried = {name: len(scores) for name, scores in self.scores.items()}
        if len(set(tried.values())) > 1:
            counts = listed([f"{display_name(name)} {count}" for name, count in tried.items()])
            notes.append(f"Unequal effort on {subject}: values of {self.key} that were tried: {counts}.")
        if names := [display_name(name) for name in self.scores if self.at_edge(name)]:
            edge = f"The best {self.key} of {listed(names)} on {subject} is the smallest or largest that was tried:"
            notes.append(f"{edge} a better one may lie beyond.")
        return notes


def select_on_validation(conditions: Sequence[Condition], key: str) -> list[Selection]:
    """One condition for each data set, label type and rest of the variant, with every arm at its best value of `key`.

    The best value is the one with the largest mean over seeds of the mean IoU on the validation split of the scored
    weights. The test split has no part in the choice. Conditions that do not differ in `key` give no selection.

    Args:
        conditions: conditions of a study.
        key: e.g. `optimizer.learning_rate`.

    Raises:
        BadInput: the values of the key do not have the same seeds; or there are several folds, of which each has
            another one's test images for validation.
    """
    if any(condition.folds > 1 for condition in conditions):
        raise several_folds(key)

    def others(condition: Condition) -> tuple[str, ...]:
        settings = (setting for setting in condition.variant if not setting.startswith(f"{key}="))
        return (condition.data, condition.label_type, *settings)

    groups = grouped(conditions, others)
    return [_select(group, key, variant) for (_, _, *variant), group in groups.items() if len(group) > 1]


def several_folds(key: str) -> BadInput:
    """The error that no value can be chosen on the validation images of several folds together."""
    return BadInput(
        f"comparison.chosen_on_validation={key}: each fold is validated on the test images of another fold, so the "
        "choice would see test images; `tuning` searches each fold for itself"
    )


def _select(conditions: Sequence[Condition], key: str, variant: Sequence[str]) -> Selection:
    every = [arm for condition in conditions for arm in condition.arms]
    if len({arm.seeds for arm in every}) > 1:
        seeds = "; ".join(f"{arm.name} at {_value(arm, key)}: {', '.join(map(str, arm.seeds))}" for arm in every)
        raise BadInput(
            f"{key} cannot be selected on validation: its values do not have the same seeds ({seeds}); "
            "train the missing seeds"
        )
    arms: list[Arm] = []
    scores: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(arm.name for arm in every):
        candidates = [arm for arm in every if arm.name == name]
        scores[name] = {_value(arm, key): _score(arm) for arm in candidates}
        arms.append(max(candidates, key=_score))
    values = ", ".join(f"{display_name(arm.name)} {_value(arm, key)}" for arm in arms)
    selected = (*variant, f"{key} chosen on validation: {values}")
    return Selection(
        condition=replace(conditions[0], variant=selected, arms=tuple(arms), repeats=True),
        key=key,
        scores=scores,
    )


def _value(arm: Arm, key: str) -> str:
    return str(flatten(arm.records[0].config).get(key))


def _score(arm: Arm) -> float:
    return float(np.mean([record.validation_mean_iou for record in arm.records]))
