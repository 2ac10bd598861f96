"""What the searches for each arm's best values found, in sentences."""

from collections.abc import Iterator, Sequence
from statistics import mean, stdev

from activation_study.analysis.ablation import Ablations
from activation_study.analysis.formatting import display_name, format_interval, format_points, listed, pair_name
from activation_study.analysis.results import Condition
from activation_study.config.search_space import value_text
from activation_study.errors import counted_between
from activation_study.tuning.searches import Search

LUCKY = 2.0  # points of mean IoU on validation by which the best trial is above other seeds with its values
MEANT = 0.05  # of the larger one: searches whose epochs differ by more are said to have had unequal effort


def tuning_sentences(condition: Condition) -> Iterator[str]:
    """How the values of a condition were found, what its conclusion is about, and which values lie at an edge."""
    searches = condition.searches
    if not searches:
        return
    keys, factor = listed(list(searches[0].space)), condition.factor.title
    was = "was" if len(searches[0].space) == 1 else "were"
    trials = counted_between([len(search.trials) for search in searches], "trial")
    folds = len({search.fold for search in searches}) > 1
    each = listed([factor, *(["fold"] if folds else []), *(["seed"] if searches[0].of_seed is not None else [])])
    start = f"On {condition.subject}, {keys} {was} tuned on validation, by a search of {trials} for each {each}"
    values = "" if folds else f": {listed([_best(search) for search in searches])}"
    if searches[0].of_seed is None:
        yield f"{start}{values}. The answer is about the values that were found: another search may find others."
    else:
        yield (
            f"{start}. So the answer is about each {factor}, tuned in this way, and its intervals include what another "
            "search would find."
        )
    yield from _edges(searches)
    yield from _lucky(condition)
    yield from _unequal(searches)


def ranges_in_words(searches: Sequence[Search]) -> str:
    """The range of each key; those of single arms with their names."""
    parts = []
    for key in searches[0].space:
        found: dict[str, dict[str, None]] = {}
        for search in searches:
            found.setdefault(str(search.space[key]), {})[display_name(search.arm)] = None
        several = len(found) > 1
        texts = (f"{text} for {listed(list(names))}" if several else text for text, names in found.items())
        parts.append(f"{key} {', '.join(texts)}")
    return "; ".join(parts)


def _best(search: Search) -> str:
    values = [value_text(value) for value in search.best.values.values()] if search.best else []
    text = ", ".join(values)
    return f"{display_name(search.arm)} {f'({text})' if len(values) > 1 else text}"


def _edges(searches: Sequence[Search]) -> Iterator[str]:
    found: dict[str, dict[str, None]] = {}
    for search in searches:
        for key in search.at_edge:
            found.setdefault(key, {})[display_name(search.arm)] = None
    for key, names in found.items():
        yield (
            f"The best {key} of {listed(list(names))} lies at the edge of its range, so a better one may lie beyond: "
            f"widen tuning.space."
        )


def _lucky(condition: Condition) -> Iterator[str]:
    """A warning for each arm whose search mistook luck for good values: other seeds do not reach its best score."""
    for arm in condition.arms:
        best = [search.best.score for search in condition.searches if search.arm == arm.name and search.best]
        others = [100 * record.validation_mean_iou for record in arm.records]
        found = 100 * mean(score for score in best if score is not None) if best else 0.0
        if found - mean(others) > LUCKY and len(others) > 1:
            yield (
                f"The search of {display_name(arm.name)} mistook luck for good values: its best trial had "
                f"{found:.1f} % on validation, and runs with the same values and other seeds have {mean(others):.1f} % "
                f"on average, with a standard deviation of {stdev(others):.1f} points. Several seeds per trial, e.g. "
                "tuning.seeds=3, show such noise to the search."
            )


def _unequal(searches: Sequence[Search]) -> Iterator[str]:
    """A warning if some arms had more trials or epochs than others: early ends and failures spare epochs."""
    trials, epochs = dict[str, int](), dict[str, int]()
    for search in searches:
        trials[search.arm] = trials.get(search.arm, 0) + len(search.trials)
        epochs[search.arm] = epochs.get(search.arm, 0) + search.epochs
    for what, counts in (("trials", trials), ("epochs", epochs)):
        if min(counts.values()) < (1 - MEANT) * max(counts.values()):
            parts = listed([f"{display_name(name)} {count:,}" for name, count in counts.items()])
            yield f"The searches took unequal numbers of {what}: {parts}."


def ranking_sentence(ablations: Ablations) -> str:
    """Whether the differences between arms depend on the tuned values; empty without tuned and untuned arms.

    From each difference of differences, tuned minus as configured, paired by seed.
    """
    change = next((each for each in ablations.changes if each.tuned), None)
    if change is None or not change.changes:
        return ""
    keys = listed(list(change.tuned))
    moves = [
        f"{pair_name(*pair)} goes from {format_points(ablations.differences[pair].value, signed=True)} to "
        f"{format_points(change.differences[pair].value, signed=True)} points, a change of "
        f"{format_interval(interval, signed=True)}"
        for pair, interval in change.changes.items()
    ]
    moved = [pair_name(*pair) for pair, each in change.changes.items() if each.low > 0 or each.high < 0]
    where = f"Do the differences on {ablations.base.subject} depend on {keys}?"
    answer = f"A change is shown for {listed(moved)}" if moved else "No change is shown"
    return (
        f"{where} From the configured values to the tuned ones, {'; '.join(moves)}. {answer} (95 % intervals over "
        "seeds, not corrected for their number)."
    )
