"""What the arms have in common by the digests of their runs, and what they differ in by their configurations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from activation_study.analysis.formatting import display_name, listed
from activation_study.analysis.results import Condition
from activation_study.analysis.tuned_runs import TUNED
from activation_study.config.equal_settings import in_words, unequal_settings
from activation_study.config.search_space import masked
from activation_study.errors import counted
from activation_study.records.record import Record

PROCESSOR = ("processor", "instruction_sets")  # of an environment: one name can stand for several processors
# What of a record says how the run was carried out, where it may decide a difference.
CIRCUMSTANCES: dict[str, Callable[[Record], dict[str, Any]]] = {
    "code": lambda record: {"code": record.digests.get("code")},
    "plugins": lambda record: {"plugins": record.digests.get("plugins")},
    "device": lambda record: {"device": record.environment.get("device")},
    "processor": lambda record: {key: record.environment[key] for key in PROCESSOR if key in record.environment},
    "backend": lambda record: {"backend": record.environment.get("backend")},
    "versions": lambda record: record.environment.get("versions", {}),
}
CONVOLUTIONS = "initial_convolutions"  # not in records of earlier versions


def fairness(condition: Condition) -> str:
    """A sentence about split, order and initial weights of a condition's arms; empty if nothing is recorded of them.

    Split and order of the training images have one digest; the initial weights of all convolutions have another, since
    other layers, such as normalisations, may be what is compared.
    """
    if len(condition.arms) < 2:
        return ""
    order, weights = _agree(condition, "order"), _agree(condition, CONVOLUTIONS)
    if weights is None:
        weights = _agree(condition, "initial_weights")
    if order is None or weights is None:
        return ""
    every = f"For each seed, all {condition.factor.plural} had"
    same_order, same_weights = "the same split and order of the training images", "the same initial convolutions"
    if order and weights:
        return f"{every} {same_order}, and {same_weights} (their digests agree)."
    if order:
        return f"{every} {same_order} (their digests agree); their initial convolutions differ."
    differs = "the split or the order of the training images differs"
    if weights:
        return f"{every} {same_weights} (their digests agree); {differs}."
    return f"Between {condition.factor.plural}, {differs}, and so do the initial convolutions."


def other_differences(condition: Condition) -> str:
    """A sentence about the settings, beside what is compared, tuned or chosen on validation, in which a condition's
    arms differ; empty without.
    """
    tuned = {key for search in condition.searches for key in search.space}
    if condition.repeats:  # each arm at the value that was chosen for it
        comparisons = (record.config.get("comparison", {}) for arm in condition.arms for record in arm.records)
        tuned |= {key for each in comparisons if (key := each.get("chosen_on_validation"))}
    configs = {
        display_name(arm.name): [masked(record.config, tuned, TUNED) for record in arm.records]
        for arm in condition.arms
    }
    return in_words(unequal_settings(configs, condition.factor), condition.factor)


def unequal_circumstances(condition: Condition) -> str:
    """A sentence about the `CIRCUMSTANCES` in which runs of one seed differ between arms, and about runs that were
    continued although something had changed; empty without.
    """
    matching = _matching(condition)
    differing = {
        name: {seed for (seed, _), records in matching.items() if _differ(list(map(of, records)))}
        for name, of in CIRCUMSTANCES.items()
    }
    all_seeds = counted(len({seed for seed, _ in matching}), "seed")
    parts = [f"{name} for {len(seeds)} of {all_seeds}" for name, seeds in differing.items() if seeds]
    changed = sum(bool(record.changes) for arm in condition.arms for record in arm.records)
    differ = f"The arms differ in {listed(parts)}" if parts else ""
    continued = (
        f"{counted(changed, 'run')} went on although code or settings had changed (allow_changes)" if changed else ""
    )
    told = "; ".join(filter(None, (differ, continued)))
    return f"{told}: a difference may come from that, too." if told else ""


def _differ(values: Sequence[Mapping[str, Any]]) -> bool:
    """Whether an entry that all have is not the same in all; versions are recorded of more packages today."""
    names = set.intersection(*(set(each) for each in values))
    return any(each[name] != values[0][name] for each in values for name in names)


def pinned_seeds(condition: Condition) -> str:
    """A sentence about randomness that is the same in all runs of a condition although their seeds differ."""
    records = [record for arm in condition.arms for record in arm.records]
    if len({record.config["seed"] for record in records}) < 2:
        return ""
    first, *others = (record.config.get("seeding", {}) for record in records)
    pinned = [
        f"seeding.{name} is {value}"
        for name, value in first.items()
        if all(seeding.get(name) == value for seeding in others)
    ]
    if not pinned:
        return ""
    return f"In all runs, {listed(pinned)}: the intervals leave out what other values would change."


def _agree(condition: Condition, digest: str) -> bool | None:
    """Whether a digest is the same in all arms, seed by seed; None if a run has none."""
    found = [[record.digests.get(digest) for record in records] for records in _matching(condition).values()]
    if any(None in digests for digests in found):
        return None
    return all(len(set(digests)) == 1 for digests in found)


def _matching(condition: Condition) -> dict[tuple[int, int], list[Record]]:
    """The records of all arms by seed and fold, in which they are compared."""
    found: dict[tuple[int, int], list[Record]] = {}
    for arm in condition.arms:
        for index, (seed, record, _) in enumerate(arm.runs):
            found.setdefault((seed, index % arm.folds), []).append(record)
    return found
