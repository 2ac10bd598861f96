"""What a change of the protocol changes: the blocks of one data set and label type against the usual one. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from activation_study.study.answer import METRICS, PRIMARY, display, in_points, mean_over_seeds
from activation_study.study.arms import grouped
from activation_study.study.comparison import Interval
from activation_study.study.results import Arm, Block

ARTICLES = "scored by the article's protocol"


@dataclass(frozen=True)
class Change:
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


@dataclass(frozen=True)
class Changes:
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
    changes: tuple[Change, ...]


def changes_of(blocks: Sequence[Block], pair: tuple[str, str] | None = None) -> list[Changes]:
    """For each data set and label type that has several blocks, what sets these apart in mean IoU.

    Args:
        blocks: of a study, without those that repeat others' runs.
        pair: the activations a and b of a − b; None for the second against the first.
    """
    groups = grouped(blocks, lambda block: (block.data, block.label_type)).values()
    return [_changes(group, pair) for group in groups if len(group) > 1 and len(group[0].arms) > 1]


def _changes(blocks: Sequence[Block], pair: tuple[str, str] | None) -> Changes:
    base = next((block for block in blocks if not block.variant), blocks[0])
    a, b = pair or (base.arms[1].name, base.arms[0].name)
    others = [block for block in blocks if block is not base and {a, b} <= {arm.name for arm in block.arms}]
    there = {arm.name: arm for arm in base.arms}
    article = METRICS["article_mean_iou"]
    scored = _change(ARTICLES, there, there, (a, b), article, other_images=False)
    return Changes(
        base=base,
        pair=(a, b),
        levels={name: mean_over_seeds(arm.metric(PRIMARY)) for name, arm in there.items()},
        difference=mean_over_seeds(there[a].metric(PRIMARY) - there[b].metric(PRIMARY)),
        changes=(
            *(
                _change(
                    " ".join(block.variant) or "the usual protocol",
                    {arm.name: arm for arm in block.arms},
                    there,
                    (a, b),
                    PRIMARY,
                    other_images=block.images != base.images,
                )
                for block in others
            ),
            scored,
        ),
    )


def _change(
    variant: str,
    here: dict[str, Arm],
    there: dict[str, Arm],
    pair: tuple[str, str],
    metric: str,
    other_images: bool,
) -> Change:
    seeds = [seed for seed in here[pair[0]].seeds if seed in there[pair[0]].seeds]
    moved = {
        name: arm.metric(metric, seeds) - there[name].metric(PRIMARY, seeds)
        for name, arm in here.items()
        if name in there
    }
    a, b = pair
    return Change(
        variant=variant,
        arms={name: mean_over_seeds(move) for name, move in moved.items()},
        difference=mean_over_seeds(here[a].metric(metric, seeds) - here[b].metric(metric, seeds)),
        change=mean_over_seeds(moved[a] - moved[b]),
        other_images=other_images,
    )


def sentence(found: Changes) -> str:
    """Which change moves each activation most, and between what a − b lies."""
    trained = [change for change in found.changes if change.variant != ARTICLES]
    moves = []
    for name in found.pair[::-1]:
        most = max(trained, key=lambda change: abs(change.arms[name].value))
        moves.append(f"{display(name)} most with {most.variant} ({in_points(most.arms[name], signed=True)} points)")
    differences = [found.difference.value, *(change.difference.value for change in trained)]
    low, high = (f"{100 * each:+.1f}".replace("-", "−") for each in (min(differences), max(differences)))
    pair = " − ".join(map(display, found.pair))
    return (
        f"One change of the protocol at a time moves {' and '.join(moves)}; "
        f"over all of them {pair} lies between {low} and {high} points."
    )
