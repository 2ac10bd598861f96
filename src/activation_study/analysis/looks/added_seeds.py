"""What it does to the error if seeds are added after the results were looked at, without planned looks."""

from collections.abc import Mapping, Sequence
from typing import Any

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.formatting import listed
from activation_study.analysis.interactions import named_arm
from activation_study.analysis.looks.sequential_tests import SequentialTest
from activation_study.analysis.results import Condition, common_seeds
from activation_study.analysis.statistics import SIGNIFICANCE_LEVEL
from activation_study.config.contrasts import arms_in, question

MOST_LOOKS = 50  # more are told as these


def looked_at(condition: Condition, contrast: Contrast) -> dict[str, Any]:
    """What is kept of one look at a contrast, to tell later at which numbers of seeds it was looked at."""
    return {
        **named(condition, contrast.a, contrast.b),
        "seeds": contrast.seeds,
        "seed_list": _seed_list(condition, contrast),
        "runs": _runs(condition, contrast),
    }


def named(condition: Condition, a: str, b: str) -> dict[str, Any]:
    """What names a contrast in what is kept of a look."""
    where = {"data": condition.data, "label_type": condition.label_type, "variant": ", ".join(condition.variant)}
    return {**where, "a": a, "b": b}


def _seed_list(condition: Condition, contrast: Contrast) -> list[int]:
    arms = (named_arm(condition, name) for name in (contrast.a, contrast.b))
    return common_seeds(*arms)[: contrast.seeds]


def _runs(condition: Condition, contrast: Contrast) -> list[str]:
    """The identities of the contrast's runs; what names its condition may change when runs are added."""
    names = {*arms_in(contrast.a), *arms_in(contrast.b)}
    seeds = set(_seed_list(condition, contrast))
    arms = (arm for arm in condition.arms if arm.name in names)
    return sorted(record.identity for arm in arms for seed, record, _ in arm.runs if seed in seeds)


def added_seeds(kept: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> str:
    """The warning of a study to which seeds were added after its results had been looked at; empty if none were.

    Args:
        kept: `contrasts` of all earlier looks, as of `looked_at`.
        now: those of this one.
    """
    looks = max((_seeds_of(contrast, kept) for contrast in now), key=len, default=[])
    if len(looks) < 2:
        return ""
    error = SequentialTest(tuple(looks[-MOST_LOOKS:])).p(SIGNIFICANCE_LEVEL)
    return (
        f"Seeds were added after the results had been looked at, with {listed([str(seeds) for seeds in looks])} seeds. "
        "These looks were not planned, and p and intervals do not take them into account: adding seeds until p is "
        f"below {SIGNIFICANCE_LEVEL} finds a difference in {100 * error:.0f} % of the studies without one, instead of "
        f"{100 * SIGNIFICANCE_LEVEL:.0f} %. seeds=auto plans the looks."
    )


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
    """The numbers of seeds at which a contrast was looked at, ascending."""
    before = [each for each in kept if _is_earlier_look(each, contrast)]
    return sorted({int(each["seeds"]) for each in (*before, contrast) if int(each["seeds"]) > 1})
