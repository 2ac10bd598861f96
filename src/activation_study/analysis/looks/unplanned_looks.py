"""What it does to the error if seeds are added, or left out, after a look at the results that was not planned."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.formatting import listed
from activation_study.analysis.interactions import named_arm
from activation_study.analysis.looks.sequential_tests import SequentialTest
from activation_study.analysis.results import Condition, common_seeds
from activation_study.analysis.statistics.paired import SIGNIFICANCE_LEVEL
from activation_study.config.contrasts import arms_in, question

MOST_LOOKS = 50  # more are told as these


SeedsOfArms = Mapping[str, Collection[int]]  # of each arm, by its identity


def looked_at(condition: Condition, contrast: Contrast, planned_seeds: SeedsOfArms) -> dict[str, Any]:
    """What is kept of one look at a contrast, to tell later at which numbers of seeds it was looked at.

    Args:
        condition: that the contrast is from.
        contrast: of the look.
        planned_seeds: what the study's sweeps have planned so far, whether it was trained or not.
    """
    a, b = (named_arm(condition, name) for name in (contrast.a, contrast.b))
    look = kept_of(condition, contrast.a, contrast.b, common_seeds(a, b)[: contrast.seeds])
    arms = {identity for identities in look["arms"].values() for identity in identities}
    planned = set.intersection(*(set(planned_seeds.get(arm, ())) for arm in arms))
    return {**look, "decides": contrast.family > 0, "planned": sorted(planned)}


def kept_of(condition: Condition, a: str, b: str, seeds: Sequence[int]) -> dict[str, Any]:
    """What is kept of every look at a contrast: what names it, its seeds, its arms and its runs.

    Arms and runs stand with their identities, since what they are called may change with added runs.
    """
    names = {*arms_in(a), *arms_in(b)}
    arms = [arm for arm in condition.arms if arm.name in names]
    return {
        "data": condition.data,
        "label_type": condition.label_type,
        "variant": ", ".join(condition.variant),
        "a": a,
        "b": b,
        "seeds": len(seeds),
        "seed_list": list(seeds),
        "arms": {arm.name: sorted({record.arm_identity for record in arm.records}) for arm in arms},
        "runs": sorted(record.identity for arm in arms for seed, record, _ in arm.runs if seed in seeds),
    }


def looks_warning(kept: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> str:
    """The warning of a study whose number of seeds may depend on its results; empty if it does not.

    Args:
        kept: `contrasts` of all earlier looks, as of `looked_at`.
        now: those of this one.
    """
    warnings = (
        _added(max((_seeds_of(contrast, kept) for contrast in now), key=len, default=[])),
        _left_out(max((_end_of(contrast, kept) for contrast in now), default=(0, 0))),
    )
    return " ".join(filter(None, warnings))


def _added(looks: Sequence[int]) -> str:
    if len(looks) < 2:
        return ""
    return (
        f"Seeds were added after the results had been looked at, with {listed([str(seeds) for seeds in looks])} seeds. "
        "These looks were not planned, and p and intervals do not take them into account: adding seeds until p is "
        f"below {SIGNIFICANCE_LEVEL} finds a difference in {_error(looks)}. seeds=auto plans the looks."
    )


def _left_out(end: tuple[int, int]) -> str:
    left_out, finished = end
    if not left_out:
        return ""
    planned = finished + left_out
    return (
        f"{finished} of {planned} planned seeds have finished. Training the others only if p is not below "
        f"{SIGNIFICANCE_LEVEL} now finds a difference in {_error([finished, planned])}."
    )


def _error(looks: Sequence[int]) -> str:
    """How often one of these looks finds a difference that there is not, in words."""
    error = SequentialTest(tuple(looks[-MOST_LOOKS:])).p(SIGNIFICANCE_LEVEL)
    return f"{100 * error:.0f} % of the studies without one, instead of {100 * SIGNIFICANCE_LEVEL:.0f} %"


def _is_earlier_look(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether the same was asked of some of the same runs; looks of earlier versions have no runs."""
    asked, asks = (question((str(each.get("a")), str(each.get("b")))) for each in (before, now))
    if asked != asks:
        return False
    if "runs" in before:
        return not set(before["runs"]).isdisjoint(now["runs"])
    here = all(before.get(key) == now.get(key) for key in ("data", "label_type", "variant"))
    return here and not set(before.get("seed_list", ())).isdisjoint(now["seed_list"])


def _seeds_of(contrast: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> list[int]:
    """The numbers of seeds at which a contrast was looked at, ascending.

    A look while runs were unfinished does not count once exactly the seeds that were planned then are there: their
    number does not depend on what it showed.
    """
    before = [each for each in kept if _is_earlier_look(each, contrast)]
    free = [each for each in before if each.get("planned") != contrast["seed_list"]]
    return sorted({int(each["seeds"]) for each in (*free, contrast) if int(each["seeds"]) > 1})


def _end_of(contrast: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How many seeds of a contrast were planned and have not finished, and how many have."""
    looks = [contrast, *(each for each in kept if _is_earlier_look(each, contrast))]
    planned = {seed for look in looks for seed in look.get("planned", ())}
    finished = set(contrast["seed_list"])
    return len(planned - finished), len(finished)
