"""How contrasts are declared: pairs of arms, or of differences of two arms."""

from collections.abc import Iterator, Sequence

from activation_study.config.factor import JOINT, Factor

MAX_CONTRASTS = 5  # each additional one needs more seeds (Holm's correction)
MINUS = " − "  # between the arms of a difference, in its name
Pair = tuple[str, str]
Question = frozenset[tuple[str, ...]]


def contrast_problems(contrasts: Sequence[Sequence[str]], key: str = "comparison.contrasts") -> Iterator[str]:
    """Yields an error message for each problem of the contrasts that a key has."""
    if len(contrasts) > MAX_CONTRASTS:
        yield f"{key}: {len(contrasts)} contrasts, expected {MAX_CONTRASTS} or fewer"
    wrong = [names for names in map(list, contrasts) if not _is_contrast(names)]
    for names in wrong:
        yield (
            f"{key}: {names}: expected two different names, e.g. [mish,relu], or four for an interaction: "
            "[a,b,c,d] compares a − b with c − d"
        )
    if wrong:
        return
    first: dict[Question, list[str]] = {}
    for names, (a, b) in zip(map(list, contrasts), as_pairs(contrasts), strict=True):
        earlier = first.setdefault(question((a, b)), names)
        if earlier != names:
            yield f"{key}: {names} asks the same as {earlier}; expected each contrast once"


def _is_contrast(names: list[str]) -> bool:
    """Whether these are two different names, or the four of two different differences."""
    if len(names) not in (2, 4):
        return False
    pairs = [names[:2], names[2:] or ["", " "]]
    return all(a != b for a, b in pairs) and pairs[0] not in (pairs[1], pairs[1][::-1])


def as_pairs(contrasts: Sequence[Sequence[str]]) -> list[list[str]]:
    """Each contrast as a pair: [a, b, c, d] becomes that of the differences a − b and c − d."""
    return [
        [difference_name(each[0], each[1]), difference_name(each[2], each[3])] if len(each) == 4 else list(each)
        for each in contrasts
    ]


def default_pairs(names: Sequence[str], factor: Factor) -> list[Pair]:
    """What is compared if nothing is declared.

    Of one factor, each other arm against the first. Of two, each other value of the first factor against the first,
    under each value of the second, and how these differences change with the second (interactions).

    Args:
        names: of the arms; the first is that of the sweep's first run.
        factor: of the study.
    """
    within = simple_effects(names, factor)
    if not within:
        return [(name, names[0]) for name in names[1:]]
    first, *others = within.values()
    usual = [difference_name(*pair) for pair in first]
    changes = [(difference_name(*pair), before) for pairs in others for pair, before in zip(pairs, usual, strict=True)]
    return [pair for pairs in within.values() for pair in pairs] + changes


def simple_effects(names: Sequence[str], factor: Factor) -> dict[str, list[Pair]]:
    """Each other value of the first factor against the first one, under each value of the second.

    Args:
        names: of the arms, in their order.
        factor: of the study.

    Returns:
        The pairs of arms by the value of the second factor; empty unless the arms are all combinations of two factors,
        and the first has two values or more.
    """
    cells = [name.split(JOINT) for name in names]
    first, second = (list(dict.fromkeys(cell[index] for cell in cells if len(cell) == 2)) for index in (0, 1))
    if len(factor.keys) == 1 or set(names) != {f"{a}{JOINT}{b}" for a in first for b in second}:
        return {}
    reference, *others = first
    if not others:
        return {}
    return {b: [(f"{a}{JOINT}{b}", f"{reference}{JOINT}{b}") for a in others] for b in second}


def difference_name(a: str, b: str) -> str:
    """The name of a difference of two arms."""
    return f"{a}{MINUS}{b}"


def question(pair: Pair) -> Question:
    """What a pair asks, whichever way around: the arms that are added and those that are subtracted.

    (a − b) − (c − d) asks the same as (a − c) − (b − d).
    """
    (a, *b), (c, *d) = map(arms_in, pair)
    return frozenset({tuple(sorted([a, *d])), tuple(sorted([c, *b]))})


def arms_in(name: str) -> list[str]:
    """The arms that a name stands for: itself, or the two of a difference."""
    return name.split(MINUS)
