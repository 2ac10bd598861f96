"""What each change of the protocol does, compared with the usual protocol. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from activation_study.analysis.contrasts import METRICS, PRIMARY, metrics_of
from activation_study.analysis.formatting import display_name, format_points, listed, pair_name
from activation_study.analysis.grouping import grouped
from activation_study.analysis.results import Arm, Condition, common_seeds
from activation_study.analysis.statistics.crossed import mean_of
from activation_study.analysis.statistics.paired import Interval
from activation_study.config.contrasts import Pair

ARTICLES = "scored by the article's protocol"


@dataclass(frozen=True)
class Ablation:
    """One protocol against the usual one, in mean IoU, paired by seed; 95 % intervals over seeds, and over folds.

    Args:
        variant: what differs from the usual protocol.
        arms: for each activation, its mean IoU under this protocol minus that under the usual one.
        differences: for each pair (a, b), a − b under this protocol.
        changes: for each pair, a − b under this protocol minus a − b under the usual one.
        other_images: the test images differ from those of the usual protocol, which changes levels too.
        tuned: the keys whose values were found by a search, if those of the usual protocol were not.
    """

    variant: str
    arms: dict[str, Interval]
    differences: dict[Pair, Interval]
    changes: dict[Pair, Interval]
    other_images: bool
    tuned: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The variant, marked with an asterisk if the test images differ."""
        return f"{self.variant} *" if self.other_images else self.variant


@dataclass(frozen=True)
class Ablations:
    """All changes of the protocol for one data set and label type.

    Args:
        base: the usual protocol, as of `base_of`.
        levels: mean IoU of each activation under the usual protocol.
        differences: for each pair (a, b), a − b under the usual protocol.
        changes: one for each other protocol, and one for the article's way of scoring if the base follows it.
    """

    base: Condition
    levels: dict[str, Interval]
    differences: dict[Pair, Interval]
    changes: tuple[Ablation, ...]

    @property
    def note(self) -> str:
        """The explanation of the asterisk in titles; empty if no title has one."""
        marked = any(change.other_images for change in self.changes)
        return " *: with other test images, which changes mean IoU too." if marked else ""


def base_of(conditions: Sequence[Condition]) -> Condition:
    """The usual protocol of a data set and label type: that of the run that was planned first, whatever came later.

    Args:
        conditions: of one data set and label type; those with values from a search come last.
    """
    configured = [condition for condition in conditions if not condition.searches] or conditions
    return min(configured, key=lambda each: min(record.place for arm in each.arms for record in arm.records))


def ablations_of(
    conditions: Sequence[Condition], declared: Sequence[Pair] = (), asked: Sequence[Pair] = ()
) -> list[Ablations]:
    """For each data set and label type with several conditions, how these differ in mean IoU.

    Args:
        conditions: conditions of a study, without those whose runs are also in others.
        declared: the activations a and b of each a − b; if empty, each other activation against the first.
        asked: further ones.
    """
    groups = grouped(conditions, lambda condition: (condition.data, condition.label_type)).values()
    ablations = [_ablations(group, declared, asked) for group in groups if len(group) > 1]
    return [each for each in ablations if each is not None]


def _ablations(conditions: Sequence[Condition], declared: Sequence[Pair], asked: Sequence[Pair]) -> Ablations | None:
    base = base_of(conditions)
    common = common_seeds(*base.arms)
    if len(common) < 2:
        return None
    usual = {arm.name: arm.at(common) for arm in base.arms}
    names = list(usual)
    wanted = dict.fromkeys([*(declared or [(name, names[0]) for name in names[1:]]), *asked])
    possible = [pair for pair in wanted if set(pair) <= set(names)]
    changes = []
    for condition in conditions:
        arms = {arm.name: arm for arm in condition.arms if arm.name in usual}
        there = [pair for pair in possible if set(pair) <= set(arms)]
        seeds = common_seeds(*arms.values(), *(usual[name] for name in arms)) if there else []
        if condition is base or len(seeds) < 2:
            continue
        arms, matching = ({name: side[name].at(seeds) for name in arms} for side in (arms, usual))
        other_images = condition.images != base.images
        change = _ablation(" ".join(condition.variant), arms, matching, there, PRIMARY, other_images)
        keys = dict.fromkeys(key for search in condition.searches for key in search.space)
        changes.append(replace(change, tuned=() if base.searches else tuple(keys)))
    if not changes:
        return None
    if "article_mean_iou" in metrics_of(base):
        article = METRICS["article_mean_iou"]
        changes.append(_ablation(ARTICLES, usual, usual, possible, article, other_images=False))
    return Ablations(
        base=base,
        levels={name: mean_of(arm.of_folds(PRIMARY)) for name, arm in usual.items()},
        differences={(a, b): mean_of(usual[a].of_folds(PRIMARY) - usual[b].of_folds(PRIMARY)) for a, b in possible},
        changes=tuple(changes),
    )


def _ablation(
    variant: str,
    arms: dict[str, Arm],
    usual: dict[str, Arm],
    pairs: Sequence[Pair],
    metric: str,
    other_images: bool,
) -> Ablation:
    """One change.

    Args:
        variant: as of `Ablation`.
        arms: those under this protocol.
        usual: those under the usual one, with the same names and seeds.
        pairs: as of `ablations_of`, of these arms.
        metric: key of the results under this protocol.
        other_images: as of `Ablation`.
    """
    changes = {name: arm.of_folds(metric) - usual[name].of_folds(PRIMARY) for name, arm in arms.items()}
    return Ablation(
        variant=variant,
        arms={name: mean_of(values) for name, values in changes.items()},
        differences={(a, b): mean_of(arms[a].of_folds(metric) - arms[b].of_folds(metric)) for a, b in pairs},
        changes={(a, b): mean_of(changes[a] - changes[b]) for a, b in pairs},
        other_images=other_images,
    )


def ablation_sentence(ablations: Ablations) -> str:
    """Which change moves each activation most, and the range of each a − b; with the same test images only, and
    without the change to tuned values, of which `ranking_sentence` tells.
    """
    told = [change for change in ablations.changes if change.variant != ARTICLES and not change.tuned]
    if not told:
        return ""
    same_images = [change for change in told if not change.other_images]
    if not same_images:
        pairs = listed([pair_name(*pair) for pair in ablations.differences])
        return f"Each change of the protocol has its own test images; the table gives {pairs} for each."
    changes = "this change" if len(same_images) == 1 else "these changes"
    effects = _largest_effects(list(ablations.levels), same_images)
    there = [pair for pair in ablations.differences if any(pair in change.differences for change in same_images)]
    if not there:
        return f"{effects}."
    ranges = listed([_range(ablations, pair, same_images) for pair in there])
    return f"{effects}. With and without {changes}, {ranges}."


def _range(ablations: Ablations, pair: Pair, changes: Sequence[Ablation]) -> str:
    estimates = [ablations.differences, *(change.differences for change in changes)]
    values = [each[pair].value for each in estimates if pair in each]
    low, high = (format_points(value, signed=True) for value in (min(values), max(values)))
    return f"the estimate of {pair_name(*pair)} is between {low} and {high} points"


def _largest_effects(names: Sequence[str], changes: Sequence[Ablation]) -> str:
    def moves(change: Ablation, name: str, most: str = "") -> str:
        return f"{display_name(name)}{most} by {format_points(change.arms[name].value, signed=True)} points"

    moved = {name: [change for change in changes if name in change.arms] for name in names}
    if len(changes) == 1:
        return f"{changes[0].variant} moves {listed([moves(changes[0], name) for name in names if moved[name]])}"
    largest = {name: max(each, key=lambda change: abs(change.arms[name].value)) for name, each in moved.items() if each}
    effects = [f"{change.variant} moves {moves(change, name, ' most,')}" for name, change in largest.items()]
    return f"Of {len(changes)} changes of the protocol with the same test images, {listed(effects)}"
