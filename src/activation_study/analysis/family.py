"""Which contrasts of a study are decided, and how they are corrected for their number. Pure functions.

The rule: the contrasts of all main conditions are one family, label types and data sets included, and so are those that
were asked after the runs. *a is above b on this test set* if Holm's adjusted p of the paired t over seeds is below
0.05; *they are equivalent* if that of the two one-sided tests against the declared margin is, corrected separately.
Where seeds were added at planned looks, both p are the sequential ones. All other conditions show intervals and decide
nothing. The article's metric is a family of its own.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from activation_study.analysis.contrasts import METRICS, Contrast
from activation_study.analysis.results import Condition
from activation_study.analysis.statistics.equivalence import equivalence_p
from activation_study.analysis.statistics.paired import holm

Compared = tuple[Condition, tuple[Contrast, ...]]


def corrected(
    compared: Sequence[Compared], main: Collection[Condition], margin: float | None, missing: int = 0
) -> tuple[Compared, ...]:
    """The contrasts with their families and adjusted p.

    Args:
        compared: each condition with its contrasts, as of `compare_condition`.
        main: the conditions that decide.
        margin: the declared smallest difference that matters, of IoU between 0 and 1; None without.
        missing: number of contrasts that were declared and cannot be computed yet. They count in each family as if
            they showed nothing, so that what is there is not corrected for less than what was declared.
    """
    families = {
        metric: [
            contrast
            for condition, contrasts in compared
            if condition in main
            for contrast in contrasts
            if contrast.metric == metric
        ]
        for metric in METRICS
    }
    adjusted = {metric: _adjusted(family, margin, missing) for metric, family in families.items()}
    return tuple(
        (condition, tuple(next(adjusted[each.metric]) if condition in main else each for each in contrasts))
        for condition, contrasts in compared
    )


def _adjusted(family: Sequence[Contrast], margin: float | None, missing: int) -> Iterator[Contrast]:
    """The contrasts of one family with their adjusted p, in the same order."""
    absent, count = [1.0] * missing, len(family)
    of_differences = holm([*map(_difference, family), *absent])[:count]
    of_equivalences: Sequence[float | None] = [None] * count
    if margin:
        of_equivalences = holm([*(_equivalence(contrast, margin) for contrast in family), *absent])[:count]
    for contrast, p, p_equivalence in zip(family, of_differences, of_equivalences, strict=True):
        yield replace(contrast, family=count + missing, p_holm=p, margin=margin, p_equivalence=p_equivalence)


def _difference(contrast: Contrast) -> float:
    if contrast.waits_for is not None:
        return 1.0
    return contrast.looks[-1].p if contrast.looks else contrast.paired.p


def _equivalence(contrast: Contrast, margin: float) -> float:
    if contrast.waits_for is not None:
        return 1.0
    if contrast.over_folds:
        return contrast.over_folds.p_equivalence(margin)
    if contrast.looks:
        p = contrast.looks[-1].p_equivalence
        return 1.0 if p is None else p
    paired = contrast.paired
    return equivalence_p(paired.difference.value, paired.deviation, contrast.seeds, margin)
