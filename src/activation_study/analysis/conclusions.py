"""What the contrasts of a study say, in sentences."""

from collections.abc import Sequence

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.formatting import display_name, format_interval
from activation_study.analysis.results import Block
from activation_study.analysis.statistics import (
    Interval,
)


def conclusion(block: Block, contrasts: Sequence[Contrast], questions: Sequence[str] = ()) -> str:
    """The answer in sentences, from the numbers of the primary metric.

    Args:
        block: which is compared.
        contrasts: its.
        questions: what each of them asks; a line each then.
    """
    primary = [contrast for contrast in contrasts if contrast.primary]
    if not primary:
        return f"On {block.title} there is one activation, and nothing to compare."
    said = [_sentence(contrast, len(primary)) for contrast in primary]
    seeds = primary[0].seeds
    where = f"On {block.title} ({block.data}, {seeds} seeds):"
    if len(questions) == len(said):
        answers = [f"F{each.removeprefix('f')}" if each.startswith("for ") else each for each in said]
        return "\n".join([where, *(f"{asked} {told}." for asked, told in zip(questions, answers, strict=True))])
    return f"{where} {'; '.join(said)}."


def _sentence(contrast: Contrast, comparisons: int) -> str:
    a, b, found = display_name(contrast.a), display_name(contrast.b), contrast.paired.difference
    if not contrast.decided:
        numbers = f"{format_interval(found, signed=True)} points"
        if found.low > 0 or found.high < 0:  # alone it would be decided
            numbers += f"; p = {contrast.p_holm:.3f} after correction for {comparisons} comparisons"
        return f"for {a} against {b} the data do not decide ({numbers})"
    above = found.value > 0
    words = (
        f"{a} is {'above' if above else 'below'} {b} by {format_interval(found if above else _turned(found))} points"
    )
    new = contrast.new_images
    if new is not None and new.difference.low <= 0 <= new.difference.high:
        words += ", which new images of this kind need not show"
    return words


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.value, -interval.high, -interval.low)
