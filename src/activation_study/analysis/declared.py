"""What the runs of a study declare: the comparison, and which conditions decide. Pure functions."""

from collections.abc import Mapping, Sequence
from typing import Any

from activation_study.analysis.ablation import base_of
from activation_study.analysis.comparable_runs import has_planned_looks
from activation_study.analysis.formatting import listed
from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Condition
from activation_study.config.contrasts import Question, arms_in, default_pairs, question
from activation_study.config.schema import Comparison


def declared_comparison(conditions: Sequence[Condition]) -> tuple[Comparison, list[list[str]], str]:
    """The comparison that the first run declared, the pairs that later runs add, and what is to say of the margin."""
    records = [record for condition in conditions for arm in condition.arms for record in arm.records]
    ordered = sorted(records, key=lambda record: record.place)
    first, *others = (Comparison(**record.config.get("comparison", {})) for record in ordered)
    added = [pair for comparison in others for pair in comparison.contrasts if pair not in first.contrasts]
    if not has_planned_looks(ordered):
        first.looks = []
    margins = sorted({each.margin for each in (first, *others) if each.margin is not None})
    note = ""
    if first.margin is None and margins:
        note = "comparison.margin was declared by later runs alone, so no equivalence is tested."
    elif len(margins) > 1:
        first.margin = margins[0]
        named = listed([f"{margin:g}" for margin in margins])
        note = f"The runs declare different margins ({named} points); the smallest holds."
    return first, [list(pair) for pair in dict.fromkeys(map(tuple, added))], note


def main_conditions(every: Sequence[Condition]) -> list[Condition]:
    """The condition that decides, of each data set and label type: that selected on validation, or with values from a
    search, otherwise the usual protocol.
    """
    groups = grouped(every, lambda condition: (condition.data, condition.label_type))
    chosen = [
        next((each for each in reversed(group) if each.repeats or each.searches), base_of(group))
        for group in groups.values()
    ]
    return [each for each in every if each in chosen]


def asked_before(
    kept: Sequence[Mapping[str, Any]],
    main: Sequence[Condition],
    declared: Sequence[Sequence[str]],
    asked: Sequence[Sequence[str]],
) -> list[list[str]]:
    """The pairs of earlier looks that are not among these, and whose arms all main conditions still have."""
    names = [[arm.name for arm in condition.arms] for condition in main]
    usual = [default_pairs(each, condition.factor) for each, condition in zip(names, main, strict=True)]
    before = declared or [pair for each in usual for pair in each]
    known = {question((a, b)) for a, b in (*before, *asked)}
    found: dict[Question, list[str]] = {}
    for a, b in ((str(each.get("a")), str(each.get("b"))) for each in kept):
        arms = {*arms_in(a), *arms_in(b)}
        if question((a, b)) not in known and all(arms <= set(each) for each in names):
            found.setdefault(question((a, b)), [a, b])
    return list(found.values())
