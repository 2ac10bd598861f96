"""The conclusions of a study, in sentences."""

from collections.abc import Sequence

from activation_study.analysis.contrasts import Contrast
from activation_study.analysis.formatting import display_name, format_interval, format_p
from activation_study.analysis.results import Condition
from activation_study.analysis.statistics import Interval
from activation_study.errors import counted


def conclusion(condition: Condition, contrasts: Sequence[Contrast], questions: Sequence[str] = ()) -> str:
    """The conclusion of one condition, from the numbers of the primary metric.

    Args:
        condition: the condition that is compared.
        contrasts: its contrasts.
        questions: the question of each contrast. If given, each question and its answer has a line of its own.
    """
    primary = [contrast for contrast in contrasts if contrast.primary]
    if not primary:
        return f"On {condition.title} there is only one activation, so there is nothing to compare."
    sentences = [_sentence(contrast, len(primary)) for contrast in primary]
    data = [] if condition.data == condition.subject else [condition.data]
    if condition.groups and primary[0].new_images is None:
        sentences[-1] += ". All test images belong to one group, so nothing is known about other groups"
    heading = f"On {condition.title} ({', '.join([*data, counted(primary[0].seeds, 'seed')])}):"
    if len(questions) == len(sentences):
        answers = (f"{question} {sentence}." for question, sentence in zip(questions, sentences, strict=True))
        return "\n".join([heading, *answers])
    return f"{heading} {'; '.join(sentences)}."


def _sentence(contrast: Contrast, comparisons: int) -> str:
    a, b, difference = display_name(contrast.a), display_name(contrast.b), contrast.paired.difference
    if not contrast.decided:
        details = format_interval(difference, signed=True, unit=" points")
        if difference.low > 0 or difference.high < 0:  # decided if it were the only comparison
            details += f"; p = {format_p(contrast.p_holm)} after Holm's correction for {comparisons} comparisons"
        return f"{a} vs. {b}: inconclusive ({details})"
    above = difference.value > 0
    size = format_interval(difference if above else _negated(difference), unit=" points")
    sentence = f"{a} is {'above' if above else 'below'} {b} by {size}"
    new = contrast.new_images
    if new is not None and new.difference.low <= 0 <= new.difference.high:
        sentence += ", but this may not generalise to new images"
    return sentence


def _negated(interval: Interval) -> Interval:
    return Interval(-interval.value, -interval.high, -interval.low)
