"""What the runs of a study declare: the comparison, and which conditions decide. Pure functions."""

from collections.abc import Sequence

from activation_study.analysis.ablation import base_of
from activation_study.analysis.comparable_runs import has_planned_looks
from activation_study.analysis.formatting import listed
from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Condition
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
    """The condition that decides, of each data set and label type: that with values from a search, otherwise that
    selected on validation, otherwise the usual protocol; of several, the one that was planned first.
    """
    groups = grouped(every, lambda condition: (condition.data, condition.label_type)).values()
    chosen = [base_of(_tuned(group) or group) for group in groups]
    return [each for each in every if each in chosen]


def _tuned(group: Sequence[Condition]) -> list[Condition]:
    """The conditions whose values were searched, otherwise those whose values were selected on validation."""
    return [each for each in group if each.searches] or [each for each in group if each.repeats]
