"""The conclusions of a study, in sentences."""

from collections.abc import Mapping, Sequence

from activation_study.analysis.contrasts import Contrast, PlannedContrasts
from activation_study.analysis.formatting import display_name, format_interval, listed, p_is
from activation_study.analysis.other_weights import OtherWeights
from activation_study.analysis.results import Condition
from activation_study.analysis.statistics.new_images import NewImages
from activation_study.analysis.statistics.paired import Interval
from activation_study.config.scored_weights import WEIGHTS
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
        return f"On {condition.title} there is only one {condition.factor.title}, so there is nothing to compare."
    sentences = [_sentence(contrast) for contrast in primary]
    data = [] if condition.data == condition.subject else [condition.data]
    if condition.folds == 1 and primary[0].new_images is None:
        one = "All test images belong to one group" if condition.groups else "The test images are one image"
        sentences[-1] += f". {one}, so nothing is known about other {'groups' if condition.groups else 'images'}"
    if condition.folds > 1:
        sentences[-1] += (
            ". Seeds and folds both vary; the folds' training sets overlap, so what the choice of training images adds "
            "is understated"
        )
    heading = f"On {condition.title} ({', '.join([*data, condition.seeds])}):"
    if len(questions) == len(sentences):
        answers = (f"{question} {sentence}." for question, sentence in zip(questions, sentences, strict=True))
        return "\n".join([heading, *answers])
    return f"{heading} {'; '.join(sentences)}."


def looks_sentence(planned: PlannedContrasts, following: Sequence[int]) -> str:
    """What planned looks mean for the numbers, and how to go on where they are not at their end.

    Args:
        planned: the looks of the study.
        following: the seeds of the next look at each declared contrast that the sweep goes on with.
    """
    looks = listed([str(seeds) for seeds in planned.plan.looks])
    sentence = (
        f"Seeds were added at planned looks ({looks} seeds), and p and intervals hold for all looks together. The "
        "estimate of a contrast that was settled early is biased away from 0."
    )
    if following:
        seeds = min(following)
        sentence += (
            f" {counted(len(following), 'contrast')} will be looked at again with {seeds} seeds: run the same command "
            "again to go on."
        )
    return sentence


def noise_sentence(contrasts: Sequence[tuple[str, Contrast]]) -> str:
    """Which other weights of the same runs would have needed fewer seeds; empty if none is known to.

    Args:
        contrasts: those that were declared, each with the title of its condition.
    """
    name = _quietest([each.other_weights for _, each in contrasts])
    if name is None:
        return ""
    parts = []
    for title, contrast in contrasts:
        other = contrast.other_weights.get(name)
        if other is not None and other.quieter:
            deviations = f"{100 * other.deviation:.2f} in the place of {100 * contrast.paired.deviation:.2f} points"
            parts.append(
                f"{contrast.pair} on {title} {deviations}, so {counted(other.seeds, 'seed')} would be as precise as "
                f"these {contrast.seeds}"
            )
    return (
        f"Less noise: by other weights of the same runs, differences vary less from seed to seed ({'; '.join(parts)}). "
        f"A new study can declare evaluation.weights={name}."
    )


def _quietest(contrasts: Sequence[Mapping[str, OtherWeights]]) -> str | None:
    """The weights with the smallest noise, of those that are quieter in a contrast and worse in none; None without."""
    noise = {}
    for name in WEIGHTS:
        found = [weights[name] for weights in contrasts if name in weights]
        if any(each.quieter for each in found) and not any(each.worse for each in found):
            noise[name] = sum(each.variance_ratio.value for each in found) / len(found)
    return min(noise, key=lambda name: noise[name], default=None)


def _sentence(contrast: Contrast) -> str:
    a, b = display_name(contrast.a), display_name(contrast.b)
    if contrast.waits_for is not None:
        return f"{a} vs. {b}: not looked at yet; the first planned look is at {contrast.waits_for} seeds"
    difference, new = contrast.paired.difference, contrast.new_images
    details = format_interval(difference, signed=True, unit=" points") + _at_look(contrast)
    if contrast.answer is None:
        return f"{contrast.pair} is {details}, shown without a decision"
    if contrast.answer == "equivalent":
        sentence = f"{a} and {b} are equivalent within ±{_margin(contrast)} ({details})"
        if _may_exceed(new, contrast.margin or 0):
            sentence += ", but this may not generalise to new images"
    elif contrast.answer == "open":
        if difference.low > 0 or difference.high < 0:  # decided if it were the only comparison
            comparisons = counted(contrast.family, "comparison")
            details += f"; {p_is(contrast.p_holm or 0)} after Holm's correction for {comparisons}"
        sentence = f"{a} vs. {b}: inconclusive ({details}{_further(contrast)})"
    else:
        size = format_interval(difference if difference.value > 0 else _negated(difference), unit=" points")
        sentence = f"{a} is {contrast.answer} {b} by {size}{_at_look(contrast)}"
        if contrast.equivalent:
            elsewhere = ", though perhaps not on new images" if _may_exceed(new, contrast.margin or 0) else ""
            sentence += f", which is within ±{_margin(contrast)}{elsewhere}"
        if new is not None and new.difference.low <= 0 <= new.difference.high:
            sentence += ", but this may not generalise to new images"
    sentence += _disagreement(contrast)
    return f"{sentence} (asked afterwards)" if contrast.afterwards else sentence


def _may_exceed(new: NewImages | None, margin: float) -> bool:
    """Whether the interval for new images has differences beyond ±margin."""
    return new is not None and max(abs(new.difference.low), abs(new.difference.high)) > margin


def _at_look(contrast: Contrast) -> str:
    """The seeds of its last look, and why it got no more if it is not settled; empty without planned looks."""
    if not contrast.looks:
        return ""
    last = contrast.looks[-1]
    given_up = contrast.answer == "open" and last.chance is not None
    chance = f", {100 * (last.chance or 0):.0f} % chance to settle it with more" if given_up else ""
    return f" with {counted(last.seeds, 'seed')}{chance}"


def _disagreement(contrast: Contrast) -> str:
    """The further metrics that tell another story, with their p, which are not corrected."""
    names = contrast.disagreeing
    if not names:
        return ""
    p = listed([f"{name} ({p_is(contrast.other_metrics[name].p)})" for name in names])
    if contrast.answer == "equivalent":
        return f"; the difference is larger by {p}"
    return f"; not so by {p}" if contrast.decided else f"; without any correction, {p} would show a difference"


def _margin(contrast: Contrast) -> str:
    return f"{100 * (contrast.margin or 0):g} points"


def _further(contrast: Contrast) -> str:
    """How many seeds would probably be enough; from fewer than three, the noise is unknown."""
    if contrast.seeds < 3 or contrast.over_folds:
        return ""
    seeds = contrast.seeds_to_settle
    return (
        f"; a new study of {seeds} seeds would probably settle it" if seeds else "; more than 200 seeds would be needed"
    )


def _negated(interval: Interval) -> Interval:
    return Interval(-interval.value, -interval.high, -interval.low)
