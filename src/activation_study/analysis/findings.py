"""All results of a study's comparison, independent of how they are presented. Pure functions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from activation_study.analysis.ablation import Ablations, ablation_sentence, ablations_of
from activation_study.analysis.class_summary import class_sentences
from activation_study.analysis.conclusions import conclusion, looks_sentence, noise_sentence
from activation_study.analysis.contrasts import (
    Contrast,
    PlannedContrasts,
    compare_condition,
    has_common_seeds,
    pairs_of,
)
from activation_study.analysis.declared import declared_comparison, main_conditions
from activation_study.analysis.earlier_looks import EarlierLooks, unanswered_sentence
from activation_study.analysis.fairness import other_differences, pinned_seeds, unequal_circumstances
from activation_study.analysis.family import Compared, corrected
from activation_study.analysis.folds import merge_folds
from activation_study.analysis.formatting import pair_name
from activation_study.analysis.looks.looks_of_study import looks_at_contrasts, next_looks
from activation_study.analysis.looks.unplanned_looks import looked_at, looks_warning
from activation_study.analysis.missing_contrasts import missing_contrasts
from activation_study.analysis.results import Condition
from activation_study.analysis.selection import Selection, select_on_validation
from activation_study.analysis.tuning_sentences import ranking_sentence, tuning_sentences
from activation_study.config.contrasts import MINUS, Pair, arms_in
from activation_study.config.factor import Factor
from activation_study.records.planned_runs import PlannedRun, planned_seeds
from activation_study.records.record import Record

# What is told of the changes of the protocol.
_OF_ABLATIONS: tuple[Callable[[Ablations], str], ...] = (ranking_sentence, ablation_sentence)


@dataclass(frozen=True)
class Findings:
    """The results of a study's comparison.

    Args:
        study: name of the study.
        compared: the conditions with their contrasts; those selected on validation first.
        selections: the settings selected on validation.
        ablations: what each change of the protocol does, for each data set and label type.
        questions: the questions of the declared contrasts, in their order; may be empty.
        problems: what is missing in the study.
        main: the conditions that decide: those selected on validation, otherwise the usual protocol.
        planned: the planned looks; None if the number of seeds was fixed.
        looked_at: what to keep of this look at each contrast; with planned looks, which the sweep keeps, of those that
            were asked afterwards.
        asked_at: likewise, always of those alone.
        margin_note: which margin holds if the runs do not declare one alone; may be empty.
        family_note: which contrasts of earlier looks still count in the family, though they are not compared; may be
            empty.
        next_looks: with planned looks, the seeds of the next one at each declared contrast that the sweep goes on with.
        looks_warning: if the number of seeds may depend on earlier looks at the results; may be empty.
    """

    study: str
    compared: tuple[tuple[Condition, tuple[Contrast, ...]], ...]
    selections: tuple[Selection, ...]
    ablations: tuple[Ablations, ...]
    questions: tuple[str, ...]
    problems: tuple[str, ...]
    main: tuple[Condition, ...]
    planned: PlannedContrasts | None = None
    looked_at: tuple[dict[str, Any], ...] = ()
    asked_at: tuple[dict[str, Any], ...] = ()
    looks_warning: str = ""
    margin_note: str = ""
    family_note: str = ""
    next_looks: tuple[int, ...] = ()

    @property
    def factor(self) -> Factor:
        """What the study compares."""
        return self.compared[0][0].factor

    @property
    def conditions(self) -> list[Condition]:
        """The conditions in which each run occurs once."""
        return [condition for condition, _ in self.compared if not condition.repeats]

    @property
    def records(self) -> list[Record]:
        """The records of all runs, each once."""
        every = [record for condition in self.conditions for arm in condition.arms for record in arm.records]
        return list({record.name: record for record in every}.values())

    def contrasts(self, condition: Condition) -> tuple[Contrast, ...]:
        """The contrasts of one condition."""
        return dict(self.compared)[condition]

    def _declared_on(self, condition: Condition) -> list[Contrast]:
        """The contrasts of the primary metric that were declared before the runs."""
        return [each for each in self.contrasts(condition) if each.primary and not each.afterwards]

    def conclusion(self, condition: Condition) -> str:
        """The conclusion of one condition."""
        return conclusion(condition, self.contrasts(condition), self.questions)

    def place(self, condition: Condition) -> str:
        """A condition's title, with the name of its data set if the study has several."""
        several = len({each.data for each in self.conditions}) > 1 and condition.data != condition.subject
        return f"{condition.data}, {condition.title}" if several else condition.title

    def _of(self, base: Condition, sentence: str) -> str:
        """A sentence about one of several data sets or label types, with what it is about."""
        if not sentence or len(self.ablations) < 2:
            return sentence
        return f"{self.place(replace(base, variant=()))}: {sentence}"

    @property
    def classes(self) -> list[str]:
        """What stands out in the classes of each condition, with its title if there are several."""
        several = len(self.conditions) > 1
        return [
            f"{condition.title}: {sentence}" if several else sentence
            for condition in self.conditions
            for sentence in class_sentences(condition)
        ]

    @property
    def summary(self) -> list[str]:
        """The conclusions of the study, and how changes of the protocol affect them."""
        notes = [note for selection in self.selections for note in selection.notes]
        declared = [(condition.title, each) for condition in self.main for each in self._declared_on(condition)]
        looks = looks_sentence(self.planned, self.next_looks) if self.planned else ""
        seeds = filter(None, (self.family_note, self.margin_note, noise_sentence(declared), self.looks_warning, looks))
        fairness = (other_differences, unequal_circumstances, pinned_seeds)
        unequal = dict.fromkeys(filter(None, (told(each) for each in self.main for told in fairness)))
        tuned = [sentence for condition in self.main for sentence in tuning_sentences(condition)]
        changes = [self._of(each.base, told(each)) for each in self.ablations for told in _OF_ABLATIONS]
        return [*map(self.conclusion, self.main), *tuned, *unequal, *seeds, *notes, *filter(None, changes)]


def compare_study(
    study: str,
    conditions: Sequence[Condition],
    problems: Sequence[str],
    contrasts: Sequence[Sequence[str]],
    kept: Sequence[Mapping[str, Any]] = (),
    planned_runs: Mapping[str, PlannedRun] | None = None,
) -> Findings:
    """Compares all conditions of a study.

    Args:
        study: name of the study.
        conditions: the conditions from `read_study`.
        problems: the problems from `read_study`.
        contrasts: further pairs to compare, beside those declared in the runs' configuration.
        kept: what is kept of earlier looks at each contrast (`looked_at`). Those that were asked then are asked
            again: one question at a time has the error of all of them.
        planned_runs: what the study's sweeps have planned, by its keys.

    Raises:
        BadInput: see `compare_condition` and `select_on_validation`.
    """
    conditions = merge_folds(conditions)
    declared, later, margin_note = declared_comparison(conditions)
    key = declared.chosen_on_validation
    selections = select_on_validation(conditions, key) if key else []
    every = [*(selection.condition for selection in selections), *conditions]
    main = main_conditions(every)
    asked = [*later, *contrasts]
    earlier_looks = EarlierLooks(kept, main)
    earlier = earlier_looks.asked_before(declared.contrasts, asked)
    further = {
        each: [*(asked if each in main else _possible(each, asked)), *_possible(each, earlier)] for each in every
    }
    ablations = ablations_of(conditions, *(_of_two_arms(pairs) for pairs in (declared.contrasts, [*asked, *earlier])))
    planned = looks_at_contrasts({each: further[each] for each in main}, declared)
    compared = _compared(main, declared.contrasts, further, planned)
    pairs = {each: pairs_of(each, declared.contrasts, further[each]) for each in main}
    unanswered = earlier_looks.unanswered(pairs)
    last = [run for run in (planned_runs or {}).values() if run.last]
    missing = missing_contrasts(compared, pairs, last, bool(declared.contrasts)) + len(unanswered)
    compared_now = corrected(compared, main, declared.margin and declared.margin / 100, missing)
    seeds_of_arms = planned_seeds((planned_runs or {}).values())
    primary = [(condition, each) for condition, found in compared_now for each in found if each.primary]
    now = [(each.afterwards, looked_at(condition, each, seeds_of_arms)) for condition, each in primary]
    return Findings(
        study=study,
        compared=compared_now,
        looked_at=tuple(look for afterwards, look in now if afterwards or not planned),
        asked_at=tuple(look for afterwards, look in now if afterwards),
        margin_note=margin_note,
        family_note=unanswered_sentence(unanswered),
        next_looks=next_looks(main, declared, later),
        looks_warning="" if planned else looks_warning(kept, [look for _, look in now]),
        selections=tuple(selections),
        ablations=tuple(ablations),
        questions=() if asked or earlier else tuple(declared.questions),
        problems=(*problems, *_not_compared(compared_now, declared.contrasts, further)),
        main=tuple(main),
        planned=planned,
    )


def _compared(
    main: Sequence[Condition],
    declared: Sequence[Sequence[str]],
    asked: Mapping[Condition, Sequence[Sequence[str]]],
    planned: PlannedContrasts | None,
) -> list[Compared]:
    """Every condition with its contrasts, before any correction; those that decide nothing need not have any.

    Args:
        main: the conditions that decide.
        declared: as of `pairs_of`.
        asked: of each condition, likewise.
        planned: as of `compare_condition`.
    """
    compared = []
    for each, further in asked.items():
        ours = declared if each in main else _possible(each, declared)
        possible = each in main or _can_be_compared(each, ours, further, declared)
        compared.append((each, tuple(compare_condition(each, ours, further, planned)) if possible else ()))
    return compared


def _of_two_arms(pairs: Sequence[Sequence[str]]) -> list[Pair]:
    """The pairs without interactions."""
    return [(a, b) for a, b in pairs if MINUS not in a + b]


def _can_be_compared(
    condition: Condition,
    ours: Sequence[Sequence[str]],
    asked: Sequence[Sequence[str]],
    declared: Sequence[Sequence[str]],
) -> bool:
    """Whether a condition that decides nothing has a contrast: one of the given arms, with two seeds in common."""
    if declared and not (ours or asked):
        return False
    pairs = pairs_of(condition, ours, asked)
    return not pairs or any(has_common_seeds(condition, pair) for pair in pairs)


def _possible(condition: Condition, pairs: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The pairs of whose arms a condition has runs; those that decide nothing need not have all."""
    names = {arm.name for arm in condition.arms}
    return [(a, b) for a, b in pairs if {*arms_in(a), *arms_in(b)} <= names]


def _not_compared(
    compared: Sequence[Compared],
    declared: Sequence[Sequence[str]],
    asked: Mapping[Condition, Sequence[Sequence[str]]],
) -> Iterator[str]:
    """The contrasts of the conditions that an incomplete study does not answer yet."""
    for condition, contrasts in compared:
        there = {(contrast.a, contrast.b) for contrast in contrasts}
        for a, b in pairs_of(condition, _possible(condition, declared), _possible(condition, asked[condition])):
            if (a, b) not in there and not has_common_seeds(condition, (a, b)):
                yield f"{condition.title}: {pair_name(a, b)} is not compared: fewer than two seeds in common"
