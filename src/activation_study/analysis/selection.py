"""One setting chosen for each activation on the validation split, so that no activation is judged by another's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from activation_study.analysis.formatting import display_name
from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Arm, Block
from activation_study.config.identity import flatten
from activation_study.errors import BadInput


@dataclass(frozen=True)
class Selection:
    """What was chosen among the blocks of one data set and label type.

    Args:
        block: each activation with its own best value.
        key: of the configuration.
        scores: for each activation, its values with their mean IoU on validation (best weights, mean over seeds).
    """

    block: Block
    key: str
    scores: dict[str, dict[str, float]]


def chosen_on_validation(blocks: Sequence[Block], key: str) -> list[Selection]:
    """A block for each data set, label type and rest of the variant, where every arm has its best value of `key`.

    The best value is that with the largest mean over seeds of the validation split's mean IoU at the best weights; the
    test split has no part in it. Where the blocks do not differ in `key`, there is nothing to choose.

    Args:
        blocks: of a study.
        key: e.g. `optimizer.learning_rate`.

    Raises:
        BadInput: its values do not have the same seeds.
    """

    def rest(block: Block) -> tuple[str, ...]:
        return (block.data, block.label_type, *(each for each in block.variant if not each.startswith(f"{key}=")))

    groups = grouped(blocks, rest)
    return [_choice(group, key, others[2:]) for others, group in groups.items() if len(group) > 1]


def _choice(blocks: Sequence[Block], key: str, variant: tuple[str, ...]) -> Selection:
    seeds = {block.arms[0].seeds for block in blocks}
    if len(seeds) > 1:
        said = "; ".join(
            f"{_value(block.arms[0], key)}: {', '.join(map(str, block.arms[0].seeds))}" for block in blocks
        )
        raise BadInput(f"{key} cannot be chosen on validation: its values do not have the same seeds ({said})")
    arms: list[Arm] = []
    scores: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(arm.name for block in blocks for arm in block.arms):
        candidates = [arm for block in blocks for arm in block.arms if arm.name == name]
        scores[name] = {_value(arm, key): _score(arm) for arm in candidates}
        arms.append(max(candidates, key=_score))
    said = ", ".join(f"{display_name(arm.name)} {_value(arm, key)}" for arm in arms)
    chosen = (*variant, f"{key} chosen on validation: {said}")
    block = replace(blocks[0], variant=chosen, arms=tuple(arms), repeats=True)
    return Selection(block, key, scores)


def _value(arm: Arm, key: str) -> str:
    return str(flatten(arm.records[0].config).get(key))


def _score(arm: Arm) -> float:
    best = [record.epochs[int(record.results["best_epoch"]) - 1] for record in arm.records]
    return float(np.mean([epoch["val/mean_iou"] for epoch in best]))
