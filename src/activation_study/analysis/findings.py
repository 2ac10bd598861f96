"""All results of a study's comparison, independent of how they are presented. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from activation_study.analysis.ablation import Ablations, ablation_sentence, ablations_of
from activation_study.analysis.class_summary import class_sentences
from activation_study.analysis.conclusions import conclusion
from activation_study.analysis.contrasts import Contrast, compare_condition
from activation_study.analysis.family import corrected
from activation_study.analysis.results import Condition
from activation_study.analysis.selection import Selection, select_on_validation
from activation_study.config.schema import Comparison
from activation_study.records.record import Record


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
    """

    study: str
    compared: tuple[tuple[Condition, tuple[Contrast, ...]], ...]
    selections: tuple[Selection, ...]
    ablations: tuple[Ablations, ...]
    questions: tuple[str, ...]
    problems: tuple[str, ...]
    main: tuple[Condition, ...]

    @property
    def conditions(self) -> list[Condition]:
        """The conditions in which each run occurs once."""
        return [condition for condition, _ in self.compared if not condition.repeats]

    @property
    def records(self) -> list[Record]:
        """The records of all runs, each once."""
        return [record for condition in self.conditions for arm in condition.arms for record in arm.records]

    def contrasts(self, condition: Condition) -> tuple[Contrast, ...]:
        """The contrasts of one condition."""
        return dict(self.compared)[condition]

    def conclusion(self, condition: Condition) -> str:
        """The conclusion of one condition."""
        return conclusion(condition, self.contrasts(condition), self.questions)

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
        notes = filter(None, (selection.note for selection in self.selections))
        return [*map(self.conclusion, self.main), *notes, *map(ablation_sentence, self.ablations)]


def compare_study(
    study: str, conditions: Sequence[Condition], problems: Sequence[str], contrasts: Sequence[Sequence[str]]
) -> Findings:
    """Compares all conditions of a study.

    Args:
        study: name of the study.
        conditions: the conditions from `read_study`.
        problems: the problems from `read_study`.
        contrasts: further pairs to compare, beside those declared in the runs' configuration.

    Raises:
        BadInput: see `compare_condition` and `select_on_validation`.
    """
    declared, later = _declared(conditions)
    asked = [*later, *contrasts]
    key = declared.chosen_on_validation
    selections = select_on_validation(conditions, key) if key else []
    every = [*(selection.condition for selection in selections), *conditions]
    ablations = ablations_of(conditions, [(a, b) for a, b in (*declared.contrasts, *asked)])
    main = _main(every, ablations)
    compared = [(each, tuple(compare_condition(each, declared.contrasts, asked))) for each in every]
    return Findings(
        study=study,
        compared=corrected(compared, main, declared.margin and declared.margin / 100),
        selections=tuple(selections),
        ablations=tuple(ablations),
        questions=() if asked else tuple(declared.questions),
        problems=tuple(problems),
        main=tuple(main),
    )


def _main(every: Sequence[Condition], ablations: Sequence[Ablations]) -> list[Condition]:
    """The conditions that decide: those selected on validation, otherwise the usual protocol."""
    preferred = [each.base for each in ablations] + [each for each in every if each.repeats]
    chosen = {(condition.data, condition.label_type): condition for condition in preferred}  # the last one wins
    return [each for each in every if chosen.get((each.data, each.label_type), each) is each]


def _declared(conditions: Sequence[Condition]) -> tuple[Comparison, list[list[str]]]:
    """The comparison that the first run declared, and the pairs that later runs add."""
    records = [record for condition in conditions for arm in condition.arms for record in arm.records]
    ordered = sorted(records, key=lambda record: record.started)
    first, *others = (Comparison(**record.config.get("comparison", {})) for record in ordered)
    added = [pair for comparison in others for pair in comparison.contrasts if pair not in first.contrasts]
    return first, [list(pair) for pair in dict.fromkeys(map(tuple, added))]
