"""What earlier looks at a study asked: it is asked again, or still counts in the family. Pure functions.

One question at a time has the error of all of them. So a contrast that was decided once counts, whatever becomes of its
arms: they may lose their runs, another condition may decide now, or another main condition may not have them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from activation_study.analysis.formatting import listed, pair_name
from activation_study.analysis.results import Condition
from activation_study.config.contrasts import MINUS, Pair, Question, arms_in, default_pairs, question
from activation_study.errors import counted

KeptLook = Mapping[str, Any]  # at one contrast, as of `unplanned_looks.looked_at`


class EarlierLooks:
    """The contrasts of earlier looks, by the names that their arms have today.

    Args:
        kept: the contrasts; those of looks by earlier versions have neither `decides` nor `arms`.
        main: the conditions that decide.
    """

    def __init__(self, kept: Sequence[KeptLook], main: Sequence[Condition]) -> None:
        self._kept, self._main = kept, main

    @cached_property
    def _arms(self) -> dict[str, tuple[Condition, str]]:
        """Condition and name of each arm by its identity."""
        return {
            record.arm_identity: (condition, arm.name)
            for condition in self._main
            for arm in condition.arms
            for record in arm.records
        }

    def asked_before(self, declared: Sequence[Sequence[str]], asked: Sequence[Sequence[str]]) -> list[list[str]]:
        """The pairs that decided at an earlier look and are not among these.

        Args:
            declared: pairs of the configuration; if empty, the default ones.
            asked: further ones.
        """
        names = [([arm.name for arm in condition.arms], condition.factor) for condition in self._main]
        usual = [pair for each in names for pair in default_pairs(*each)]
        known = {question((a, b)) for a, b in (*(declared or usual), *asked)}
        found: dict[Question, list[str]] = {}
        for look in self._kept:
            pair = self._today(look)
            if look.get("decides", True) and question(pair) not in known:
                found.setdefault(question(pair), list(pair))
        return list(found.values())

    def unanswered(self, pairs: Mapping[Condition, Collection[Pair]]) -> list[str]:
        """The contrasts that decided at an earlier look and are none of these, in words.

        Args:
            pairs: of each main condition.
        """
        asks = {condition: set(map(question, each)) for condition, each in pairs.items()}
        found: dict[Question, str] = {}
        for look in self._kept:
            pair = self._today(look)
            if look.get("decides") and not any(question(pair) in asks[each] for each in self._conditions(look)):
                what = ", ".join(filter(None, (str(look["label_type"]), str(look["variant"]))))
                found.setdefault(_by_identity(look), f"{pair_name(*pair)} ({what})")
        return list(found.values())

    def _conditions(self, look: KeptLook) -> Iterator[Condition]:
        """The main conditions that a look was at: those with one of its arms, or with its name."""
        identities = {identity for each in look.get("arms", {}).values() for identity in each}
        there = {self._arms[identity][0] for identity in identities & self._arms.keys()}
        named = (look.get("data"), look.get("label_type"), look.get("variant"))
        for each in self._main:
            if each in there or named == (each.data, each.label_type, ", ".join(each.variant)):
                yield each

    def _today(self, look: KeptLook) -> Pair:
        """The sides of a look by today's names of their arms, which change if one of their options is varied, too."""
        identities: Mapping[str, Sequence[str]] = look.get("arms", {})

        def today(arm: str) -> str:
            known = (self._arms[each][1] for each in identities.get(arm, ()) if each in self._arms)
            return next(known, arm)

        a, b = (MINUS.join(map(today, arms_in(str(look.get(side))))) for side in ("a", "b"))
        return a, b


def _by_identity(look: KeptLook) -> Question:
    """What a look asked, whatever its arms were called."""

    def identified(side: str) -> str:
        return MINUS.join("+".join(sorted(look["arms"][arm])) for arm in arms_in(side))

    return question((identified(look["a"]), identified(look["b"])))


def unanswered_sentence(unanswered: Sequence[str]) -> str:
    """Why the family is larger than what is compared now; empty if it is not."""
    if not unanswered:
        return ""
    return (
        f"The correction also counts {counted(len(unanswered), 'contrast')} that an earlier look decided and this "
        f"comparison does not answer: {listed(unanswered)}."
    )
