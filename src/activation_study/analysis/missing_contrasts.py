"""Contrasts of the family that cannot be computed yet: they count in its correction as if they showed nothing."""

from collections.abc import Collection, Mapping, Sequence

from activation_study.analysis.family import Compared
from activation_study.analysis.results import Condition
from activation_study.config.contrasts import Pair, default_pairs
from activation_study.records.planned_runs import PlannedRun


def missing_contrasts(
    compared: Sequence[Compared],
    pairs: Mapping[Condition, Collection[Pair]],
    planned: Collection[PlannedRun],
    declared: bool,
) -> int:
    """How many contrasts are missing.

    These are contrasts of arms without two seeds in common; those of arms that were planned and have no finished run;
    and those of main conditions (data sets and label types) that were planned and have none.

    Args:
        compared: every condition with its contrasts.
        pairs: those of each main condition, whether they can be computed or not.
        planned: what the last sweep has planned.
        declared: whether the pairs were declared; otherwise each further arm brings further ones.
    """
    lacking = sum(len(pairs[each]) - sum(one.primary for one in found) for each, found in compared if each in pairs)
    of_arms = {each: 0 if declared else _of_absent_arms(each, planned) for each in pairs}
    started = {(condition.data, condition.label_type) for condition, _ in compared}
    unstarted = {(run.data, run.label_type) for run in planned if run.data} - started
    return lacking + sum(of_arms.values()) + len(unstarted) * max(len(pairs[each]) + of_arms[each] for each in pairs)


def _of_absent_arms(condition: Condition, planned: Collection[PlannedRun]) -> int:
    """The contrasts that the planned arms without a finished run would add to those of a condition."""
    where = (condition.data, condition.label_type, condition.factor.key)
    there = {condition.factor.arm(record.config) for arm in condition.arms for record in arm.records}
    wanted = dict.fromkeys(run.value for run in planned if (run.data, run.label_type, run.factor) == where)
    names = [arm.name for arm in condition.arms]
    with_absent = [*names, *(value for value in wanted if value not in there)]
    return len(default_pairs(with_absent, condition.factor)) - len(default_pairs(names, condition.factor))
