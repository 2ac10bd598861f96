"""The planned looks at the contrasts of a study. Pure functions."""

from collections.abc import Mapping, Sequence

from activation_study.analysis.contrasts import (
    PlannedContrasts,
    pairs_of,
    planned_differences,
)
from activation_study.analysis.declared import declared_comparison
from activation_study.analysis.looks.planned_looks import Plan, Planned, next_look
from activation_study.analysis.results import Condition
from activation_study.config.schema import Comparison


def plan_of(declared: Comparison) -> Plan | None:
    """The plan that a comparison declares; None without looks."""
    margin = None if declared.margin is None else declared.margin / 100
    return Plan(tuple(declared.looks), margin, declared.futility) if declared.looks else None


def planned_looks(conditions: Sequence[Condition]) -> PlannedContrasts | None:
    """The planned looks at the declared contrasts of a study without variants; None if the seeds were fixed."""
    tuned = [condition for condition in conditions if condition.searches]
    declared, later, _ = declared_comparison(conditions)
    return looks_at_contrasts(dict.fromkeys(tuned or conditions, later), declared)


def looks_at_contrasts(
    asked: Mapping[Condition, Sequence[Sequence[str]]], declared: Comparison
) -> PlannedContrasts | None:
    """The planned looks at all contrasts of the main conditions; None if the number of seeds was fixed.

    Args:
        asked: of each main condition, the pairs that were asked afterwards.
        declared: the comparison, with the other pairs.
    """
    plan = plan_of(declared)
    if plan is None:
        return None
    pairs = {
        (condition, *pair): afterwards
        for condition, further in asked.items()
        for pair, afterwards in pairs_of(condition, declared.contrasts, further).items()
    }
    differences = {key: planned_differences(*key) for key in pairs}
    return Planned.of(plan, differences, [key for key, afterwards in pairs.items() if afterwards])


def next_looks(main: Sequence[Condition], declared: Comparison, later: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """The seeds of the next look at each contrast that the sweep goes on with; it knows those of the runs alone."""
    planned = looks_at_contrasts(dict.fromkeys(main, later), declared)
    if planned is None:
        return ()
    return tuple(seeds for path in planned.paths.values() if (seeds := next_look(path, planned.plan)) is not None)
