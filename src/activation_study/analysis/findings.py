"""All that is found out about a study, before it is put into a page, tables or a terminal. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from activation_study.analysis.ablation import Ablations, ablations_of, sentence
from activation_study.analysis.conclusions import conclusion
from activation_study.analysis.contrasts import Contrast, compare_block
from activation_study.analysis.results import Block
from activation_study.analysis.selection import Selection, chosen_on_validation
from activation_study.config.schema import Comparison
from activation_study.records.record import Record


@dataclass(frozen=True)
class Findings:
    """What the runs of a study say.

    Args:
        study: its name.
        answered: its blocks with their contrasts; those of a choice on validation first.
        choices: what was chosen on validation.
        changes: what a change of the protocol changes.
        questions: what the declared contrasts ask, in their order; may be empty.
        problems: what is missing.
    """

    study: str
    answered: tuple[tuple[Block, tuple[Contrast, ...]], ...]
    choices: tuple[Selection, ...]
    changes: tuple[Ablations, ...]
    questions: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def blocks(self) -> list[Block]:
        """The blocks whose runs stand in no other."""
        return [block for block, _ in self.answered if not block.repeats]

    @property
    def records(self) -> list[Record]:
        """Of all runs, each once."""
        return [record for block in self.blocks for arm in block.arms for record in arm.records]

    def contrasts(self, block: Block) -> tuple[Contrast, ...]:
        """Those of one block."""
        return dict(self.answered)[block]

    def conclusion(self, block: Block) -> str:
        """The answer of one block."""
        return conclusion(block, self.contrasts(block), self.questions)

    @property
    def main(self) -> list[Block]:
        """The blocks that answer: those of a choice on validation, else those of the usual protocol."""
        answering = {(each.base.data, each.base.label_type): each.base for each in self.changes}
        answering |= {(block.data, block.label_type): block for block, _ in self.answered if block.repeats}
        return [block for block, _ in self.answered if answering.get((block.data, block.label_type), block) is block]

    @property
    def summary(self) -> list[str]:
        """The study's answer, and what changes of the protocol do to it."""
        return [*map(self.conclusion, self.main), *map(sentence, self.changes)]


def findings(
    study: str, blocks: Sequence[Block], problems: Sequence[str], contrasts: Sequence[Sequence[str]], seed: int
) -> Findings:
    """Compares all blocks of a study.

    Args:
        study: its name.
        blocks: from `read_study`.
        problems: likewise.
        contrasts: pairs to compare; empty for what the runs' configuration declares.
        seed: of the bootstrap's draws.

    Raises:
        BadInput: see `compare_block`.
    """
    declared = _declared(blocks)
    pairs = contrasts or declared.contrasts
    choices = chosen_on_validation(blocks, declared.chosen_on_validation) if declared.chosen_on_validation else []
    every = [*(choice.block for choice in choices), *blocks]
    answered = tuple((block, tuple(compare_block(block, pairs, seed))) for block in every)
    first = (pairs[0][0], pairs[0][1]) if pairs else None
    return Findings(
        study=study,
        answered=answered,
        choices=tuple(choices),
        changes=tuple(ablations_of(blocks, first)),
        questions=() if contrasts else tuple(declared.questions),
        problems=tuple(problems),
    )


def _declared(blocks: Sequence[Block]) -> Comparison:
    """The comparison that the runs' configuration declares, as the last run has it."""
    records = [record for block in blocks for arm in block.arms for record in arm.records]
    last = max(records, key=lambda record: record.started)
    return Comparison(**last.config.get("comparison", {}))
