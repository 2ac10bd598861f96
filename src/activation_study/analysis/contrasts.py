"""The declared contrasts of a study, decided by one fixed rule. Pure functions.

The rule: *a is above b on this test set* if Holm's adjusted p of the paired t over seeds is below 0.05, corrected over
the contrasts of one condition and metric; otherwise the comparison is *inconclusive*. What can be expected of new
images is reported separately, with its own interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.formatting import pair_name
from activation_study.analysis.new_images import NewImages, on_new_images
from activation_study.analysis.results import Arm, Condition
from activation_study.analysis.statistics import (
    PLANNED_SEEDS,
    Interval,
    Paired,
    holm,
    mean_over_seeds,
    minimum_detectable_difference,
    paired,
)
from activation_study.errors import BadInput
from activation_study.metrics import pooled_iou

SIGNIFICANCE_LEVEL = 0.05
PRIMARY = "test/mean_iou"
METRICS = {"mean_iou": PRIMARY, "article_mean_iou": "test/article/mean_iou"}
METRIC_LABELS = {"mean_iou": "pooled", "article_mean_iou": "article's"}  # in tables


@dataclass(frozen=True)
class Contrast:
    """The comparison of two activations in one condition and metric: is a above b?

    Args:
        a: an activation.
        b: the activation that it is compared with.
        metric: `mean_iou` (pooled, primary) or `article_mean_iou`.
        seeds: number of seeds.
        paired: the comparison on this test set.
        p_holm: adjusted p of the paired t.
        new_images: the comparison on new images of this kind; None for the article's metric, and if all test images
            belong to one group.
        class_differences: difference of each class's IoU with its interval on this test set; primary metric only.
        minimum_detectable: for 5, 8 and 20 seeds, the difference that they would detect with 80 % power.
    """

    a: str
    b: str
    metric: str
    seeds: int
    paired: Paired
    p_holm: float
    new_images: NewImages | None
    class_differences: dict[str, Interval]
    minimum_detectable: dict[int, float]

    @property
    def pair(self) -> str:
        """The difference a − b as written in prose."""
        return pair_name(self.a, self.b)

    @property
    def primary(self) -> bool:
        """Whether this is the metric that conclusions are drawn from."""
        return METRICS[self.metric] == PRIMARY

    @property
    def decided(self) -> bool:
        """Whether one activation is above the other by the rule."""
        return self.p_holm < SIGNIFICANCE_LEVEL

    @property
    def answer(self) -> str:
        """The rule's answer: `above`, `below`, or `open` if it is not decided."""
        if not self.decided:
            return "open"
        return "above" if self.paired.difference.value > 0 else "below"


def metrics_of(condition: Condition) -> dict[str, str]:
    """The keys of the metrics that all runs of a condition are compared by, the primary one first.

    The article's is one of them only where its protocol was followed.
    """
    records = [record for arm in condition.arms for record in arm.records]
    article = all(record.has_article_score for record in records)
    return METRICS if article else {"mean_iou": PRIMARY}


def contrasts_of(condition: Condition, declared: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """The declared pairs; without any, each other arm against the first.

    Raises:
        BadInput: a declared activation has no runs in the condition.
    """
    names = [arm.name for arm in condition.arms]
    unknown = sorted({name for pair in declared for name in pair} - set(names))
    if unknown:
        raise BadInput(
            f"The contrasts cannot be used: no runs of {', '.join(unknown)} on {condition.title}; expected activations "
            f"among {', '.join(names)}"
        )
    return [(pair[0], pair[1]) for pair in declared] or [(name, names[0]) for name in names[1:]]


def compare_condition(condition: Condition, declared: Sequence[Sequence[str]]) -> list[Contrast]:
    """All contrasts of a condition in each of its metrics, primary metric first.

    Args:
        condition: a condition with two or more seeds.
        declared: pairs (a, b); if empty, each other arm is compared with the first.

    Raises:
        BadInput: the arms have fewer than two seeds in common, or a declared activation has no runs.
    """
    arms = {arm.name: arm for arm in condition.arms}
    pairs = contrasts_of(condition, declared)
    seeds = len(condition.arms[0].seeds)
    if pairs and seeds < 2:
        raise BadInput(f"{condition.title}: expected two or more seeds in common, found {seeds}; e.g. seed=0,1,2")
    contrasts = []
    for metric, key in metrics_of(condition).items():
        results = [paired(arms[a].metric(key), arms[b].metric(key)) for a, b in pairs]
        adjusted = holm([result.p for result in results])
        for (a, b), result, p_holm in zip(pairs, results, adjusted, strict=True):
            primary = key == PRIMARY
            contrasts.append(
                Contrast(
                    a=a,
                    b=b,
                    metric=metric,
                    seeds=len(arms[a].seeds),
                    paired=result,
                    p_holm=p_holm,
                    new_images=_on_new_images(condition, arms[a], arms[b]) if primary else None,
                    class_differences=_class_differences(condition, arms[a], arms[b]) if primary else {},
                    minimum_detectable={n: minimum_detectable_difference(result.deviation, n) for n in PLANNED_SEEDS},
                )
            )
    return contrasts


def _on_new_images(condition: Condition, a: Arm, b: Arm) -> NewImages | None:
    return on_new_images(a.confusions, b.confusions, condition.groups or condition.image_hashes)


def class_ious(arm: Arm) -> NDArray[np.float64]:
    """Pooled IoU of each run and class: [n, C]; NaN for a class that does not occur in the truth."""
    return np.stack([pooled_iou(counts.sum(axis=0)) for counts in arm.confusions])


def _class_differences(condition: Condition, a: Arm, b: Arm) -> dict[str, Interval]:
    ious_a, ious_b = class_ious(a), class_ious(b)
    return {
        name: mean_over_seeds(ious_a[:, index] - ious_b[:, index])
        for index, name in enumerate(condition.classes)
        if not np.isnan(ious_a[:, index]).any()
    }
