"""Differences of two arms, which take part in contrasts as arms do: does the effect of one factor depend on another?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.results import Arm, Condition, common_seeds
from activation_study.analysis.statistics.new_images import pseudo_values
from activation_study.config.contrasts import arms_in, difference_name
from activation_study.metrics import Values


@dataclass(frozen=True, eq=False)
class ArmDifference:
    """The difference a − b of two arms, by seed.

    Args:
        a: an arm.
        b: an arm of the same condition, with the same seeds.
    """

    a: Arm
    b: Arm

    @property
    def name(self) -> str:
        """That of its arms."""
        return difference_name(self.a.name, self.b.name)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that both have, ascending."""
        return tuple(common_seeds(self.a, self.b))

    def metric(self, key: str) -> NDArray[np.float64]:
        """The difference of one result, of each seed: [n]."""
        return self.a.metric(key) - self.b.metric(key)

    def of_folds(self, key: str) -> NDArray[np.float64]:
        """Likewise of each seed and fold: [n, folds]."""
        return self.a.of_folds(key) - self.b.of_folds(key)

    def at(self, seeds: Sequence[int]) -> "ArmDifference":
        """With only the runs of these seeds, in the order given."""
        return ArmDifference(self.a.at(seeds), self.b.at(seeds))


def named_arm(condition: Condition, name: str) -> Arm | ArmDifference:
    """The arm of a condition, or the difference of two, that a contrast names."""
    arms = {arm.name: arm for arm in condition.arms}
    first, *second = (arms[each] for each in arms_in(name))
    return ArmDifference(first, *second) if second else first


def pseudo_values_of(arm: Arm | ArmDifference, units: Sequence[str]) -> Values:
    """The pseudo-values (`new_images.pseudo_values`) of an arm, or of a difference of two."""
    if isinstance(arm, ArmDifference):
        return pseudo_values(arm.a.confusions, units) - pseudo_values(arm.b.confusions, units)
    return pseudo_values(arm.confusions, units)
