"""All results of a study's comparison, independent of how they are presented. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from activation_study.analysis.ablation import Ablations, ablation_sentence, ablations_of
from activation_study.analysis.class_summary import class_sentences
from activation_study.analysis.conclusions import conclusion
from activation_study.analysis.contrasts import Contrast, compare_condition
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
    """

    study: str
    compared: tuple[tuple[Condition, tuple[Contrast, ...]], ...]
    selections: tuple[Selection, ...]
    ablations: tuple[Ablations, ...]
    questions: tuple[str, ...]
    problems: tuple[str, ...]

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
    def main(self) -> list[Condition]:
        """The conditions of the study's conclusion: those selected on validation, otherwise the usual protocol."""
        every = [condition for condition, _ in self.compared]
        preferred = [ablations.base for ablations in self.ablations] + [each for each in every if each.repeats]
        chosen = {(condition.data, condition.label_type): condition for condition in preferred}  # the last one wins
        return [each for each in every if chosen.get((each.data, each.label_type), each) is each]

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
        return [*map(self.conclusion, self.main), *map(ablation_sentence, self.ablations)]


def compare_study(
    study: str, conditions: Sequence[Condition], problems: Sequence[str], contrasts: Sequence[Sequence[str]]
) -> Findings:
    """Compares all conditions of a study.

    Args:
        study: name of the study.
        conditions: the conditions from `read_study`.
        problems: the problems from `read_study`.
        contrasts: pairs to compare; if empty, those declared in the runs' configuration.

    Raises:
        BadInput: see `compare_condition` and `select_on_validation`.
    """
    declared = _declared(conditions)
    pairs = contrasts or declared.contrasts
    key = declared.chosen_on_validation
    selections = select_on_validation(conditions, key) if key else []
    every = [*(selection.condition for selection in selections), *conditions]
    first_pair = (pairs[0][0], pairs[0][1]) if pairs else None
    return Findings(
        study=study,
        compared=tuple((condition, tuple(compare_condition(condition, pairs))) for condition in every),
        selections=tuple(selections),
        ablations=tuple(ablations_of(conditions, first_pair)),
        questions=() if contrasts else tuple(declared.questions),
        problems=tuple(problems),
    )


def _declared(conditions: Sequence[Condition]) -> Comparison:
    """The comparison declared in the configuration of the run that started last."""
    records = [record for condition in conditions for arm in condition.arms for record in arm.records]
    last = max(records, key=lambda record: record.started)
    return Comparison(**last.config.get("comparison", {}))
