"""What a study's runs say about its declared contrasts, and in which words: one written rule. Pure.

The rule: *a is above b on this test set* when Holm's adjusted p of the paired t over seeds is below 0.05, corrected
over the contrasts of one block (a data set and label type); else *the data do not decide*. What may be expected of
new images is said beside it, from an interval of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.formatting import pair_name
from activation_study.analysis.results import Arm, Block
from activation_study.analysis.statistics import (
    PLANNED,
    Interval,
    NewImages,
    Paired,
    crossed_bootstrap,
    holm,
    mean_over_seeds,
    minimum_detectable_difference,
    paired,
)
from activation_study.config.identity import frozen_key
from activation_study.errors import BadInput
from activation_study.metrics import pooled_iou
from activation_study.seeding import stream

ERROR = 0.05
PRIMARY = "test/mean_iou"
METRICS = {"mean_iou": PRIMARY, "article_mean_iou": "test/article/mean_iou"}
SHORT = {"mean_iou": "pooled", "article_mean_iou": "article's"}  # in tables


@dataclass(frozen=True)
class Contrast:
    """Whether a is above b in one block.

    Args:
        a: an activation.
        b: the one that it is compared with.
        metric: `mean_iou` (pooled, primary) or `article_mean_iou`.
        seeds: n.
        paired: on this test set.
        p_holm: adjusted p of the paired t.
        new_images: on new images of this kind; None for the article's metric.
        classes: the difference of each class's IoU with its interval on this test set; for the primary metric.
        smallest: the difference that 5, 8 and 20 seeds would show with 80 % power.
    """

    a: str
    b: str
    metric: str
    seeds: int
    paired: Paired
    p_holm: float
    new_images: NewImages | None
    classes: dict[str, Interval]
    smallest: dict[int, float]

    @property
    def pair(self) -> str:
        """The difference, as it is written in prose."""
        return pair_name(self.a, self.b)

    @property
    def primary(self) -> bool:
        """Whether it is of the metric that the answer is made from."""
        return METRICS[self.metric] == PRIMARY

    @property
    def decided(self) -> bool:
        """Whether the rule says that one is above the other."""
        return self.p_holm < ERROR


def contrasts_of(block: Block, declared: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """The declared pairs, or each other arm against the first.

    Raises:
        BadInput: a declared activation has no runs in the block.
    """
    names = [arm.name for arm in block.arms]
    unknown = sorted({name for pair in declared for name in pair} - set(names))
    if unknown:
        raise BadInput(
            f"comparison.contrasts: {', '.join(unknown)}: no runs of {block.title}; it has {', '.join(names)}"
        )
    return [(pair[0], pair[1]) for pair in declared] or [(name, names[0]) for name in names[1:]]


def compare_block(block: Block, declared: Sequence[Sequence[str]], seed: int) -> list[Contrast]:
    """All contrasts of a block, both metrics, primary first.

    Args:
        block: two or more seeds.
        declared: pairs (a, b); empty for each other arm against the first.
        seed: of the bootstrap's draws.

    Raises:
        BadInput: fewer than two seeds in common.
    """
    arms = {arm.name: arm for arm in block.arms}
    pairs = contrasts_of(block, declared)
    seeds = len(block.arms[0].seeds)
    if pairs and seeds < 2:
        raise BadInput(f"{block.title}: {seeds} seed in common, two or more are needed: seed=0,1,2")
    found = []
    for metric, key in METRICS.items():
        results = [paired(arms[a].metric(key), arms[b].metric(key)) for a, b in pairs]
        adjusted = holm([result.p for result in results])
        for (a, b), result, p_holm in zip(pairs, results, adjusted, strict=True):
            primary = key == PRIMARY
            found.append(
                Contrast(
                    a=a,
                    b=b,
                    metric=metric,
                    seeds=len(arms[a].seeds),
                    paired=result,
                    p_holm=p_holm,
                    new_images=_on_new_images(block, arms[a], arms[b], seed) if primary else None,
                    classes=_class_differences(block, arms[a], arms[b]) if primary else {},
                    smallest={seeds: minimum_detectable_difference(result.deviation, seeds) for seeds in PLANNED},
                )
            )
    return found


def _on_new_images(block: Block, a: Arm, b: Arm, seed: int) -> NewImages:
    generator = stream(seed, "new images", block.data, _frozen_title(block), a.name, b.name)
    return crossed_bootstrap(a.confusions, b.confusions, block.image_hashes, generator)


def _frozen_title(block: Block) -> str:
    """The block's title by the keys' frozen names: the draws of a committed study stay the same."""
    variant = (each.partition("=") for each in block.variant)
    return ", ".join([block.label_type, *(f"{frozen_key(key)}{equals}{value}" for key, equals, value in variant)])


def class_ious(arm: Arm) -> NDArray[np.float64]:
    """Pooled IoU of each run and class: [n, C]; NaN for a class that the truth lacks."""
    return np.stack([pooled_iou(counts.sum(axis=0)) for counts in arm.confusions])


def _class_differences(block: Block, a: Arm, b: Arm) -> dict[str, Interval]:
    of_a, of_b = class_ious(a), class_ious(b)
    return {
        name: mean_over_seeds(of_a[:, place] - of_b[:, place])
        for place, name in enumerate(block.classes)
        if not np.isnan(of_a[:, place]).any()
    }
