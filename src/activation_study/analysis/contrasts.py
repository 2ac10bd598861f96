"""What a study's runs say about its declared contrasts, and in which words: one written rule. Pure.

The rule: *a is above b on this test set* when Holm's adjusted p of the paired t over seeds is below 0.05, corrected
over the contrasts of one block (a data set and label type); else *the data do not decide*. What may be expected of
new images is said beside it, from an interval of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.analysis.results import Arm, Block
from activation_study.analysis.statistics import (
    LEVEL,
    PLANNED,
    Interval,
    NewImages,
    Paired,
    holm,
    on_new_images,
    paired,
    smallest_difference,
)
from activation_study.errors import BadInput
from activation_study.metrics import pooled_iou
from activation_study.seeding import stream

ERROR = 0.05
PRIMARY = "test/mean_iou"
METRICS = {"mean_iou": PRIMARY, "article_mean_iou": "test/article/mean_iou"}
SHORT = {"mean_iou": "pooled", "article_mean_iou": "article's"}  # in tables


@dataclass(frozen=True)
class Contrast:
    """Whether a is above b in one block.

    Args:
        a: an activation.
        b: the one that it is compared with.
        metric: `mean_iou` (pooled, primary) or `article_mean_iou`.
        seeds: n.
        paired: on this test set.
        p_holm: adjusted p of the paired t.
        new_images: on new images of this kind; None for the article's metric.
        classes: the difference of each class's IoU with its interval on this test set; for the primary metric.
        smallest: the difference that 5, 8 and 20 seeds would show with 80 % power.
    """

    a: str
    b: str
    metric: str
    seeds: int
    paired: Paired
    p_holm: float
    new_images: NewImages | None
    classes: dict[str, Interval]
    smallest: dict[int, float]

    @property
    def pair(self) -> str:
        """The difference, as it is written in prose."""
        return pair_name(self.a, self.b)

    @property
    def primary(self) -> bool:
        """Whether it is of the metric that the answer is made from."""
        return METRICS[self.metric] == PRIMARY

    @property
    def decided(self) -> bool:
        """Whether the rule says that one is above the other."""
        return self.p_holm < ERROR


def contrasts_of(block: Block, declared: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """The declared pairs, or each other arm against the first.

    Raises:
        BadInput: a declared activation has no runs in the block.
    """
    names = [arm.name for arm in block.arms]
    unknown = sorted({name for pair in declared for name in pair} - set(names))
    if unknown:
        raise BadInput(
            f"comparison.contrasts: {', '.join(unknown)}: no runs of {block.title}; it has {', '.join(names)}"
        )
    return [(pair[0], pair[1]) for pair in declared] or [(name, names[0]) for name in names[1:]]


def compare_block(block: Block, declared: Sequence[Sequence[str]], seed: int) -> list[Contrast]:
    """All contrasts of a block, both metrics, primary first.

    Args:
        block: two or more seeds.
        declared: pairs (a, b); empty for each other arm against the first.
        seed: of the bootstrap's draws.

    Raises:
        BadInput: fewer than two seeds in common.
    """
    arms = {arm.name: arm for arm in block.arms}
    pairs = contrasts_of(block, declared)
    seeds = len(block.arms[0].seeds)
    if pairs and seeds < 2:
        raise BadInput(f"{block.title}: {seeds} seed in common, two or more are needed: seed=0,1,2")
    found = []
    for metric, key in METRICS.items():
        results = [paired(arms[a].metric(key), arms[b].metric(key)) for a, b in pairs]
        adjusted = holm([result.p for result in results])
        for (a, b), result, p_holm in zip(pairs, results, adjusted, strict=True):
            primary = key == PRIMARY
            found.append(
                Contrast(
                    a=a,
                    b=b,
                    metric=metric,
                    seeds=len(arms[a].seeds),
                    paired=result,
                    p_holm=p_holm,
                    new_images=_on_new_images(block, arms[a], arms[b], seed) if primary else None,
                    classes=_class_differences(block, arms[a], arms[b]) if primary else {},
                    smallest={seeds: smallest_difference(result.deviation, seeds) for seeds in PLANNED},
                )
            )
    return found


def _on_new_images(block: Block, a: Arm, b: Arm, seed: int) -> NewImages:
    generator = stream(seed, "new images", block.data, block.title, a.name, b.name)
    return on_new_images(a.confusions, b.confusions, block.photographs, generator)


def class_ious(arm: Arm) -> NDArray[np.float64]:
    """Pooled IoU of each run and class: [n, C]; NaN for a class that the truth lacks."""
    return np.stack([pooled_iou(counts.sum(axis=0)) for counts in arm.confusions])


def _class_differences(block: Block, a: Arm, b: Arm) -> dict[str, Interval]:
    of_a, of_b = class_ious(a), class_ious(b)
    return {
        name: mean_over_seeds(of_a[:, place] - of_b[:, place])
        for place, name in enumerate(block.classes)
        if not np.isnan(of_a[:, place]).any()
    }


def mean_over_seeds(values: NDArray[np.float64]) -> Interval:
    """The mean of runs with the 95 % interval of the t over seeds; no width where there is one run."""
    from scipy import stats

    half = 0.0
    if len(values) > 1:
        half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
    return Interval(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)


def headline(block: Block, contrasts: Sequence[Contrast], questions: Sequence[str] = ()) -> str:
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
    a, b, found = display(contrast.a), display(contrast.b), contrast.paired.difference
    if not contrast.decided:
        numbers = f"{in_points(found, signed=True)} points"
        if found.low > 0 or found.high < 0:  # alone it would be decided
            numbers += f"; p = {contrast.p_holm:.3f} after correction for {comparisons} comparisons"
        return f"for {a} against {b} the data do not decide ({numbers})"
    above = found.value > 0
    words = f"{a} is {'above' if above else 'below'} {b} by {in_points(found if above else _turned(found))} points"
    new = contrast.new_images
    if new is not None and new.difference.low <= 0 <= new.difference.high:
        words += ", which new images of this kind need not show"
    return words


def _turned(interval: Interval) -> Interval:
    return Interval(-interval.value, -interval.high, -interval.low)


def in_points(interval: Interval, signed: bool = False) -> str:
    """An interval in points of IoU: 1.4 [0.3, 2.5]."""
    value, low, high = (point(each, signed) for each in (interval.value, interval.low, interval.high))
    return f"{value} [{low}, {high}]"


def point(value: float, signed: bool = False) -> str:
    """An IoU, or a difference of two, in points: 1.4; a zero has no sign."""
    text = f"{100 * value:{'+' if signed else ''}.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def pair_name(a: str, b: str) -> str:
    """The difference of two activations as it is written in prose: "Mish − ReLU"."""
    return f"{display(a)} − {display(b)}"


def display(name: str) -> str:
    """An activation's name as it is written in prose."""
    known = {"relu": "ReLU", "mish": "Mish", "frelu": "FReLU", "silu": "SiLU", "gelu": "GELU", "elu": "ELU"}
    first, _, rest = name.partition(" ")
    return f"{known.get(first, first)} {rest}".strip()
