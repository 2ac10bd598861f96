"""What it does to the error if seeds are added after the results were looked at, without planned looks."""

from collections.abc import Mapping, Sequence
from typing import Any

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.formatting import listed
from activation_study.analysis.interactions import named_arm
from activation_study.analysis.looks.sequential_tests import SequentialTest
from activation_study.analysis.results import Condition, common_seeds
from activation_study.analysis.statistics import SIGNIFICANCE_LEVEL
from activation_study.config.contrasts import question

MOST_LOOKS = 50  # more are told as these


def looked_at(condition: Condition, contrast: Contrast) -> dict[str, Any]:
    """What is kept of one look at a contrast, to tell later at which numbers of seeds it was looked at."""
    return {
        **named(condition, contrast.a, contrast.b),
        "seeds": contrast.seeds,
        "seed_list": _seed_list(condition, contrast),
    }


def named(condition: Condition, a: str, b: str) -> dict[str, Any]:
    """What names a contrast in what is kept of a look."""
    where = {"data": condition.data, "label_type": condition.label_type, "variant": ", ".join(condition.variant)}
    return {**where, "a": a, "b": b}


def _seed_list(condition: Condition, contrast: Contrast) -> list[int]:
    arms = (named_arm(condition, name) for name in (contrast.a, contrast.b))
    return common_seeds(*arms)[: contrast.seeds]


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


def _asked(contrast: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where, and what, in whatever order."""
    where = (contrast.get(key) for key in ("data", "label_type", "variant"))
    return (*where, question((str(contrast.get("a")), str(contrast.get("b")))))


def _seeds_of(contrast: Mapping[str, Any], kept: Sequence[Mapping[str, Any]]) -> list[int]:
    """The numbers of seeds at which a contrast was looked at, ascending."""
    now = set(contrast["seed_list"])
    before = [each for each in kept if _asked(each) == _asked(contrast)]
    grown = [each for each in before if set(each.get("seed_list", ())) <= now]  # others have no part in this one
    return sorted({int(each["seeds"]) for each in (*grown, contrast) if int(each["seeds"]) > 1})
