"""Folds of a cross-validation (`data.split=kfold`) as one condition, from which one answer comes. Pure functions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Arm, Condition, common_seeds
from activation_study.errors import BadInput


def merge_folds(conditions: Sequence[Condition]) -> list[Condition]:
    """The conditions, with those that differ in `data.fold` alone as one.

    An arm's seeds are those that it has in all of the folds; the arms are those of all folds.

    Args:
        conditions: of a study, each of one fold.
    """
    merged = []
    for key, group in grouped(conditions, _without_fold).items():
        together = len(group) > 1 and key[0] == "kfold"
        merged += [_merged(sorted(group, key=_fold))] if together else group
    return merged


def _without_fold(condition: Condition) -> tuple[str, ...]:
    others = (setting for setting in condition.variant if not setting.startswith("data.fold="))
    return (_split(condition), condition.data, condition.label_type, *others)


def _split(condition: Condition) -> str:
    return str(condition.arms[0].records[0].config["data"].get("split"))


def _fold(condition: Condition) -> int:
    return int(condition.arms[0].records[0].config["data"]["fold"])


def _merged(folds: Sequence[Condition]) -> Condition:
    first, *others = folds
    arms = []
    for arm in first.arms:
        same = [arm, *(each for fold in others for each in fold.arms if each.name == arm.name)]
        seeds = common_seeds(*same)
        if len(same) == len(folds) and seeds:
            arms.append(_merged_arm([each.at(seeds) for each in same]))
    if not arms:
        raise BadInput(
            f"{first.title}: no {first.factor.title} has a seed in all of {len(folds)} folds; train the missing runs"
        )
    return replace(
        first,
        variant=tuple(setting for setting in first.variant if not setting.startswith("data.fold=")),
        images=sum((fold.images for fold in folds), ()),
        image_hashes=sum((fold.image_hashes for fold in folds), ()),
        groups=sum((fold.groups for fold in folds), ()),
        arms=tuple(arms),
        folds=len(folds),
        searches=sum((fold.searches for fold in folds), ()),
    )


def _merged_arm(folds: Sequence[Arm]) -> Arm:
    """One arm with the runs of all folds: for each seed, one run of each fold."""
    return replace(
        folds[0],
        records=tuple(record for of_seed in zip(*(fold.records for fold in folds), strict=True) for record in of_seed),
        folders=tuple(folder for of_seed in zip(*(fold.folders for fold in folds), strict=True) for folder in of_seed),
        confusions=np.concatenate([fold.confusions for fold in folds], axis=1),
        image_counts={},  # further metrics are not compared over folds
    )
