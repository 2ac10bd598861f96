"""What a change of the protocol changes: the blocks of one data set and label type against the usual one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from activation_study.analysis.contrasts import METRICS, PRIMARY
from activation_study.analysis.formatting import display_name, format_points, pair_name
from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Arm, Block
from activation_study.analysis.statistics import Interval, mean_over_seeds

ARTICLES = "scored by the article's protocol"


@dataclass(frozen=True)
class Ablation:
    """One protocol against the usual one, in mean IoU, paired by seed; 95 % intervals of the t over seeds.

    Args:
        variant: what is different.
        arms: for each activation, its mean IoU here minus there.
        difference: a − b here.
        change: of a − b, here minus there.
        other_images: the test images are others, so that levels differ for that reason too.
    """

    variant: str
    arms: dict[str, Interval]
    difference: Interval
    change: Interval
    other_images: bool

    @property
    def title(self) -> str:
        """The variant, marked where the test images are others."""
        return f"{self.variant} *" if self.other_images else self.variant


@dataclass(frozen=True)
class Ablations:
    """All of them for one data set and label type.

    Args:
        base: the usual protocol: that of most runs, else the first.
        pair: a and b.
        levels: each activation's mean IoU there.
        difference: a − b there.
        changes: one for each other protocol, and one for the article's way of scoring.
    """

    base: Block
    pair: tuple[str, str]
    levels: dict[str, Interval]
    difference: Interval
    changes: tuple[Ablation, ...]

    @property
    def note(self) -> str:
        """What the mark in a title means; empty where there is none."""
        marked = any(change.other_images for change in self.changes)
        return " *: other test images, so that levels differ for that reason too." if marked else ""


def ablations_of(blocks: Sequence[Block], pair: tuple[str, str] | None = None) -> list[Ablations]:
    """For each data set and label type that has several blocks, what sets these apart in mean IoU.

    Args:
        blocks: of a study, without those that repeat others' runs.
        pair: the activations a and b of a − b; None for the second against the first.
    """
    groups = grouped(blocks, lambda block: (block.data, block.label_type)).values()
    found = [_changes(group, pair) for group in groups if len(group) > 1]
    return [changes for changes in found if changes is not None]


def _changes(blocks: Sequence[Block], pair: tuple[str, str] | None) -> Ablations | None:
    base = next((block for block in blocks if not block.variant), blocks[0])
    there = {arm.name: arm for arm in base.arms}
    names = list(there)
    if len(names) < 2:
        return None
    a, b = pair or (names[1], names[0])
    others = [block for block in blocks if block is not base and _comparable(block, base, {a, b})]
    if not {a, b} <= set(names) or not others:
        return None
    article = METRICS["article_mean_iou"]
    found = []
    for block in others:
        here = {arm.name: arm for arm in block.arms}
        apart = block.images != base.images
        found.append(_change(" ".join(block.variant), here, there, (a, b), PRIMARY, other_images=apart))
    return Ablations(
        base=base,
        pair=(a, b),
        levels={name: mean_over_seeds(arm.metric(PRIMARY)) for name, arm in there.items()},
        difference=mean_over_seeds(there[a].metric(PRIMARY) - there[b].metric(PRIMARY)),
        changes=(*found, _change(ARTICLES, there, there, (a, b), article, other_images=False)),
    )


def _comparable(block: Block, base: Block, pair: set[str]) -> bool:
    """Whether both have the pair, and two seeds in common."""
    return pair <= {arm.name for arm in block.arms} and len(set(block.arms[0].seeds) & set(base.arms[0].seeds)) >= 2


def _change(
    variant: str,
    here: dict[str, Arm],
    there: dict[str, Arm],
    pair: tuple[str, str],
    metric: str,
    other_images: bool,
) -> Ablation:
    seeds = [seed for seed in here[pair[0]].seeds if seed in there[pair[0]].seeds]
    moved = {
        name: arm.metric(metric, seeds) - there[name].metric(PRIMARY, seeds)
        for name, arm in here.items()
        if name in there
    }
    a, b = pair
    return Ablation(
        variant=variant,
        arms={name: mean_over_seeds(move) for name, move in moved.items()},
        difference=mean_over_seeds(here[a].metric(metric, seeds) - here[b].metric(metric, seeds)),
        change=mean_over_seeds(moved[a] - moved[b]),
        other_images=other_images,
    )


def sentence(found: Ablations) -> str:
    """Which change moves each activation most, and between what a − b lies; over those with the same test images."""
    alike = [change for change in found.changes if change.variant != ARTICLES and not change.other_images]
    pair = pair_name(*found.pair)
    if not alike:
        return f"All changes of the protocol have test images of their own; the table has {pair} under each."
    differences = [found.difference.value, *(change.difference.value for change in alike)]
    low, high = (format_points(each, signed=True) for each in (min(differences), max(differences)))
    return f"{_moves(found.pair[::-1], alike)}; with and without, {pair} lies between {low} and {high} points."


def _moves(names: Sequence[str], alike: Sequence[Ablation]) -> str:
    def by(change: Ablation, name: str) -> str:
        return f"by {format_points(change.arms[name].value, signed=True)} points"

    if len(alike) == 1:
        said = " and ".join(f"{display_name(name)} {by(alike[0], name)}" for name in names)
        return f"{alike[0].variant} moves {said}"
    most = {name: max(alike, key=lambda change: abs(change.arms[name].value)) for name in names}
    said = " and ".join(
        f"{change.variant} moves {display_name(name)} most, {by(change, name)}" for name, change in most.items()
    )
    return f"Of {len(alike)} changes of the protocol with the same test images, {said}"
