"""The contrasts of a study: the comparison of two activations in one condition and metric. Pure functions.

`family` decides which of them are decided, and corrects them for their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.formatting import pair_name
from activation_study.analysis.interactions import ArmDifference, named_arm, pseudo_values_of
from activation_study.analysis.looks.planned_looks import Path, Planned, answer_of, look_at
from activation_study.analysis.other_metrics import compare_other_metrics, disagreement, not_of_segmentation
from activation_study.analysis.other_weights import OtherWeights, other_weights
from activation_study.analysis.results import Arm, Condition, common_seeds
from activation_study.analysis.statistics.crossed import Crossed, crossed
from activation_study.analysis.statistics.equivalence import seeds_to_settle
from activation_study.analysis.statistics.new_images import NewImages, of_crossed, on_new_images
from activation_study.analysis.statistics.paired import (
    CONFIDENCE_LEVEL,
    PLANNED_SEEDS,
    SIGNIFICANCE_LEVEL,
    Interval,
    Paired,
    mean_over_seeds,
    minimum_detectable_difference,
    paired,
)
from activation_study.config.contrasts import Pair, Question, arms_in, default_pairs, question
from activation_study.errors import BadInput
from activation_study.metrics import Values, pooled_iou

Compared = Arm | ArmDifference
PlannedContrasts = Planned[tuple[Condition, str, str]]
PRIMARY = "test/mean_iou"
METRICS = {"mean_iou": PRIMARY, "article_mean_iou": "test/article/mean_iou"}
METRIC_LABELS = {"mean_iou": "pooled", "article_mean_iou": "article's"}  # in tables


@dataclass(frozen=True)
class Contrast:
    """The comparison of two arms in one condition and metric: is a above b?

    Args:
        a: an arm, or a difference of two (an interaction), by its name.
        b: that which it is compared with, likewise.
        metric: `mean_iou` (pooled, primary) or `article_mean_iou`.
        seeds: number of seeds.
        paired: the comparison on this test set.
        afterwards: the pair was not declared before the runs.
        family: the number of contrasts that are corrected together; 0: this one only shows its interval.
        p_holm: adjusted p of the paired t; None outside the family.
        margin: the declared smallest difference that matters, of IoU between 0 and 1; None without.
        p_equivalence: adjusted p of the two one-sided tests against the margin; None without, or outside the family.
        looks: the planned looks so far; empty if the number of seeds was fixed. The intervals are then those of a look.
        waits_for: the seeds of its first planned look, if it does not have them all yet; it is then open.
        over_folds: the difference over seeds and folds, both random, from which interval and p are; None without folds.
        new_images: the comparison on new images of this kind; None for the article's metric, and if all test images
            belong to one group.
        other_metrics: the comparison by further metrics of the same predictions; primary metric, without folds, of
            two arms.
        elsewhere: those of these metrics that do not measure the segmentation.
        other_weights: the contrast by other weights of the same runs, by their names; likewise.
        class_differences: difference of each class's IoU with its interval on this test set; likewise.
        minimum_detectable: for 5, 8 and 20 seeds, the difference that they would detect with 80 % power.
    """

    a: str
    b: str
    metric: str
    seeds: int
    paired: Paired
    afterwards: bool
    new_images: NewImages | None
    other_metrics: dict[str, Paired]
    elsewhere: frozenset[str]
    other_weights: dict[str, OtherWeights]
    class_differences: dict[str, Interval]
    minimum_detectable: dict[int, float]
    family: int = 0
    p_holm: float | None = None
    margin: float | None = None
    p_equivalence: float | None = None
    looks: Path = ()
    over_folds: Crossed | None = None
    waits_for: int | None = None

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
        return self.p_holm is not None and self.p_holm < SIGNIFICANCE_LEVEL

    @property
    def equivalent(self) -> bool:
        """Whether the difference is smaller than the margin by the rule; it may be decided as well."""
        return self.p_equivalence is not None and self.p_equivalence < SIGNIFICANCE_LEVEL

    @property
    def answer(self) -> str | None:
        """The rule's answer: `above`, `below`, `equivalent` or `open`; None outside the family."""
        if not self.family:
            return None
        above = self.looks[-1].above if self.looks else self.paired.difference.value > 0
        return answer_of(above, self.p_holm, self.p_equivalence)

    @property
    def disagreeing(self) -> Sequence[str]:
        """The further metrics that tell another story."""
        level, margin = SIGNIFICANCE_LEVEL, self.margin or 0.0
        return disagreement(self.paired, self.other_metrics, self.answer, level, margin, self.elsewhere)

    @property
    def seeds_to_settle(self) -> int | None:
        """The seeds of a new study that would probably settle it; None if 200 would not, or it is not open.

        None with two seeds, too: they do not tell the noise; and of folds, which seeds alone do not settle.
        """
        if self.answer != "open" or not self.primary or self.seeds < 3 or self.over_folds:
            return None
        level = SIGNIFICANCE_LEVEL / self.family
        return seeds_to_settle(self.paired.difference.value, self.paired.deviation, level, self.margin)


def metrics_of(condition: Condition) -> dict[str, str]:
    """The keys of the metrics that all runs of a condition are compared by, the primary one first.

    The article's is one of them only where its protocol was followed.
    """
    records = [record for arm in condition.arms for record in arm.records]
    article = all(record.has_article_score for record in records)
    return METRICS if article else {"mean_iou": PRIMARY}


def pairs_of(
    condition: Condition, declared: Sequence[Sequence[str]], asked: Sequence[Sequence[str]]
) -> dict[Pair, bool]:
    """The pairs that are compared, and whether each was asked afterwards.

    Args:
        condition: with the arms.
        declared: pairs (a, b) of the configuration; if empty, `default_pairs`.
        asked: pairs given after the runs; one that is declared, in whatever order, is not asked afterwards, and one
            that is given in two orders counts once.

    Raises:
        BadInput: an activation has no runs in the condition.
    """
    names = [arm.name for arm in condition.arms]
    unknown = sorted({arm for pair in (*declared, *asked) for name in pair for arm in arms_in(name)} - set(names))
    if unknown:
        raise BadInput(
            f"The contrasts cannot be used: no runs of {', '.join(unknown)} on {condition.title}; expected "
            f"{condition.factor.plural} among {', '.join(names)}"
        )
    before = [(a, b) for a, b in declared] or default_pairs(names, condition.factor)
    given: dict[Question, Pair] = {}
    for a, b in asked:
        given.setdefault(question((a, b)), (a, b))
    known = set(map(question, before))
    kept = {pair: False for pair in before if question(pair) not in given}
    return kept | {pair: asks not in known for asks, pair in given.items()}


def compare_condition(
    condition: Condition,
    declared: Sequence[Sequence[str]],
    asked: Sequence[Sequence[str]] = (),
    planned: PlannedContrasts | None = None,
) -> list[Contrast]:
    """All contrasts of a condition in each of its metrics, primary metric first, before any correction; of an
    incomplete study without those whose sides have fewer than two seeds in common.

    Args:
        condition: a condition with two or more seeds.
        declared: as of `pairs_of`.
        asked: likewise.
        planned: the looks at each pair; None if the number of seeds was fixed.

    Raises:
        BadInput: no two arms have two seeds in common, or an activation has no runs.
    """
    pairs = pairs_of(condition, declared, asked)
    if planned is None and (comparable := {pair: pairs[pair] for pair in pairs if has_common_seeds(condition, pair)}):
        pairs = comparable
    return [
        _contrast(condition, metric, *_with_common_seeds(condition, a, b, planned), afterwards, planned)
        for metric in metrics_of(condition)
        for (a, b), afterwards in pairs.items()
    ]


def has_common_seeds(condition: Condition, pair: Pair) -> bool:
    """Whether the two sides of a contrast have two seeds in common, without which it cannot be computed."""
    return len(common_seeds(*(named_arm(condition, name) for name in pair))) > 1


def _with_common_seeds(
    condition: Condition, a: str, b: str, planned: PlannedContrasts | None
) -> tuple[Compared, Compared]:
    """The two sides of a contrast with the seeds that both have; of planned looks, those of the last one."""
    first, second = named_arm(condition, a), named_arm(condition, b)
    seeds = common_seeds(first, second)
    if planned is not None:
        seeds = seeds[: planned.seeds((condition, a, b))]
    if len(seeds) < 2:
        found = f"{a} and {b} have {len(seeds)}"
        raise BadInput(f"{condition.title}: expected two or more seeds in common; {found}; e.g. seed=0,1,2")
    return first.at(seeds), second.at(seeds)


def _contrast(
    condition: Condition, metric: str, a: Compared, b: Compared, afterwards: bool, planned: PlannedContrasts | None
) -> Contrast:
    """The comparison of two arms, or of two differences of arms, with the same seeds."""
    key = METRICS[metric]
    confidence = planned.plan.confidence if planned else CONFIDENCE_LEVEL
    result, primary = paired(a.metric(key), b.metric(key), confidence), key == PRIMARY
    over_folds = crossed(a.of_folds(key) - b.of_folds(key))
    if over_folds is not None:
        result = replace(result, difference=over_folds.interval(confidence), p=over_folds.p())
    key_of_plan = (condition, a.name, b.name)
    looks = planned.paths.get(key_of_plan, ()) if planned else ()
    waits = planned is not None and key_of_plan in planned.paths and not looks
    if planned and looks and not primary:
        looks = look_at(a.metric(key) - b.metric(key), planned.plan, looks[-1].seeds)
    further: dict[str, Any] = {
        "other_metrics": {},
        "elsewhere": frozenset(),
        "other_weights": {},
        "class_differences": {},
    }
    if primary and not over_folds and isinstance(a, Arm) and isinstance(b, Arm):
        further = {
            "other_metrics": compare_other_metrics(a, b),
            "elsewhere": not_of_segmentation(a),
            "other_weights": other_weights(a, b, PRIMARY),
            "class_differences": _class_differences(condition, a, b),
        }
    return Contrast(
        a=a.name,
        b=b.name,
        metric=metric,
        seeds=len(a.seeds),
        paired=result,
        afterwards=afterwards,
        new_images=_on_new_images(condition, a, b, over_folds, confidence) if primary else None,
        over_folds=over_folds,
        **further,
        minimum_detectable={n: minimum_detectable_difference(result.deviation, n) for n in PLANNED_SEEDS},
        looks=looks,
        waits_for=planned.plan.looks[0] if planned and waits else None,
    )


def differences_of(condition: Condition, a: str, b: str) -> Values:
    """A − b of each seed that both have, in the primary metric: [n]."""
    first, second = named_arm(condition, a), named_arm(condition, b)
    return _differences(first, second, common_seeds(first, second))


def planned_differences(condition: Condition, a: str, b: str) -> Values:
    """A − b of the seeds 0, 1, 2, … up to the first that one of them lacks: a planned look has all seeds before it."""
    first, second = named_arm(condition, a), named_arm(condition, b)
    return _differences(first, second, [seed for n, seed in enumerate(common_seeds(first, second)) if seed == n])


def _differences(a: Compared, b: Compared, seeds: Sequence[int]) -> Values:
    return a.at(seeds).metric(PRIMARY) - b.at(seeds).metric(PRIMARY)


def _on_new_images(
    condition: Condition, a: Compared, b: Compared, over_folds: Crossed | None, confidence: float
) -> NewImages | None:
    if over_folds is not None:
        return of_crossed(over_folds, confidence)
    units = condition.groups or condition.image_hashes
    return on_new_images(pseudo_values_of(a, units) - pseudo_values_of(b, units), confidence)


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
