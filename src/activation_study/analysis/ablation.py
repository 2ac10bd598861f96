"""What each change of the protocol does, compared with the usual protocol. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

from activation_study.analysis.contrasts import METRICS, PRIMARY, metrics_of
from activation_study.analysis.formatting import display_name, format_points, pair_name
from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Arm, Condition
from activation_study.analysis.statistics import Interval, mean_over_seeds

ARTICLES = "scored by the article's protocol"


@dataclass(frozen=True)
class Ablation:
    """One protocol against the usual one, in mean IoU, paired by seed; 95 % intervals of the t over seeds.

    Args:
        variant: what differs from the usual protocol.
        arms: for each activation, its mean IoU under this protocol minus that under the usual one.
        difference: a − b under this protocol.
        change: a − b under this protocol minus a − b under the usual one.
        other_images: the test images differ from those of the usual protocol, which changes levels too.
    """

    variant: str
    arms: dict[str, Interval]
    difference: Interval
    change: Interval
    other_images: bool

    @property
    def title(self) -> str:
        """The variant, marked with an asterisk if the test images differ."""
        return f"{self.variant} *" if self.other_images else self.variant


@dataclass(frozen=True)
class Ablations:
    """All changes of the protocol for one data set and label type.

    Args:
        base: the usual protocol: that of most runs, otherwise the first.
        pair: a and b.
        levels: mean IoU of each activation under the usual protocol.
        difference: a − b under the usual protocol.
        changes: one for each other protocol, and one for the article's way of scoring if the base follows it.
    """

    base: Condition
    pair: tuple[str, str]
    levels: dict[str, Interval]
    difference: Interval
    changes: tuple[Ablation, ...]

    @property
    def note(self) -> str:
        """The explanation of the asterisk in titles; empty if no title has one."""
        marked = any(change.other_images for change in self.changes)
        return " *: with other test images, which changes mean IoU too." if marked else ""


def ablations_of(conditions: Sequence[Condition], pair: tuple[str, str] | None = None) -> list[Ablations]:
    """For each data set and label type with several conditions, how these differ in mean IoU.

    Args:
        conditions: conditions of a study, without those whose runs are also in others.
        pair: the activations a and b of a − b; None for the second against the first.
    """
    groups = grouped(conditions, lambda condition: (condition.data, condition.label_type)).values()
    ablations = [_ablations(group, pair) for group in groups if len(group) > 1]
    return [each for each in ablations if each is not None]


def _ablations(conditions: Sequence[Condition], pair: tuple[str, str] | None) -> Ablations | None:
    base = next((condition for condition in conditions if not condition.variant), conditions[0])
    usual = {arm.name: arm for arm in base.arms}
    names = list(usual)
    if len(names) < 2:
        return None
    a, b = pair or (names[1], names[0])
    others = [condition for condition in conditions if condition is not base and _comparable(condition, base, {a, b})]
    if not {a, b} <= set(names) or not others:
        return None
    changes = []
    for condition in others:
        arms = {arm.name: arm for arm in condition.arms}
        other_images = condition.images != base.images
        changes.append(_ablation(" ".join(condition.variant), arms, usual, (a, b), PRIMARY, other_images))
    if "article_mean_iou" in metrics_of(base):
        article = METRICS["article_mean_iou"]
        changes.append(_ablation(ARTICLES, usual, usual, (a, b), article, other_images=False))
    return Ablations(
        base=base,
        pair=(a, b),
        levels={name: mean_over_seeds(arm.metric(PRIMARY)) for name, arm in usual.items()},
        difference=mean_over_seeds(usual[a].metric(PRIMARY) - usual[b].metric(PRIMARY)),
        changes=tuple(changes),
    )


def _comparable(condition: Condition, base: Condition, pair: set[str]) -> bool:
    """Whether the condition has the pair, and two seeds in common with the base."""
    common_seeds = set(condition.arms[0].seeds) & set(base.arms[0].seeds)
    return pair <= {arm.name for arm in condition.arms} and len(common_seeds) >= 2


def _ablation(
    variant: str,
    arms: dict[str, Arm],
    usual: dict[str, Arm],
    pair: tuple[str, str],
    metric: str,
    other_images: bool,
) -> Ablation:
    a, b = pair
    seeds = [seed for seed in arms[a].seeds if seed in usual[a].seeds]
    changes = {
        name: arm.metric(metric, seeds) - usual[name].metric(PRIMARY, seeds)
        for name, arm in arms.items()
        if name in usual
    }
    return Ablation(
        variant=variant,
        arms={name: mean_over_seeds(values) for name, values in changes.items()},
        difference=mean_over_seeds(arms[a].metric(metric, seeds) - arms[b].metric(metric, seeds)),
        change=mean_over_seeds(changes[a] - changes[b]),
        other_images=other_images,
    )


def ablation_sentence(ablations: Ablations) -> str:
    """Which change moves each activation most, and the range of a − b; only changes with the same test images count."""
    same_images = [change for change in ablations.changes if change.variant != ARTICLES and not change.other_images]
    pair = pair_name(*ablations.pair)
    if not same_images:
        return f"Each change of the protocol has its own test images; the table gives {pair} for each."
    values = [ablations.difference.value, *(change.difference.value for change in same_images)]
    low, high = (format_points(value, signed=True) for value in (min(values), max(values)))
    effects = _largest_effects(ablations.pair[::-1], same_images)
    changes = "this change" if len(same_images) == 1 else "these changes"
    return f"{effects}. With and without {changes}, the estimate of {pair} is between {low} and {high} points."


def _largest_effects(names: Sequence[str], changes: Sequence[Ablation]) -> str:
    def moves(change: Ablation, name: str, most: str = "") -> str:
        return f"{display_name(name)}{most} by {format_points(change.arms[name].value, signed=True)} points"

    if len(changes) == 1:
        return f"{changes[0].variant} moves {' and '.join(moves(changes[0], name) for name in names)}"
    largest = {name: max(changes, key=lambda change: abs(change.arms[name].value)) for name in names}
    effects = (f"{change.variant} moves {moves(change, name, ' most,')}" for name, change in largest.items())
    return f"Of {len(changes)} changes of the protocol with the same test images, {', and '.join(effects)}"
