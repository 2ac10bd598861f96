"""Splits that keep groups whole: all images of a film, a patient or a place are in the same part."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from activation_study.data.splitting.splits import Indices, Split, article_sizes, split_of_folds
from activation_study.errors import counted
from activation_study.seeding import stream

_ROUNDING = 1  # image by which rooms may differ that are meant to be equal


def split_groups(groups: Sequence[str], method: str, seed: int = 0, folds: int = 5, fold: int = 0) -> Split:
    """Splits images without dividing a group. If each image is a group, `sorted` is the article's split.

    Args:
        groups: the group of each image of the source, whose images are sorted by name.
        method: `sorted`: groups in the order of their first images, divided at two borders between groups, those
            with the smallest sum of distances to the article's cuts. `shuffled`: groups are drawn into parts of the
            article's sizes. `kfold`: groups are drawn into folds of equal sizes, which are used as without groups.
            See `draw`.
        seed: of the draw.
        folds: number of folds, 3 or more.
        fold: 0 … folds − 1.

    Raises:
        ValueError: there are fewer than three groups, or fewer than folds.
    """
    _, first, inverse = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
    members = [np.flatnonzero(inverse == group) for group in np.argsort(first)] if len(groups) else []
    sizes = np.array([len(indices) for indices in members], np.int64)
    _reject_few(len(members), folds if method == "kfold" else None)
    if method == "sorted":
        return Split(*_joined(members, _cut(sizes), 3))
    targets = (
        [len(part) for part in np.array_split(np.arange(len(groups)), folds)]
        if method == "kfold"
        else article_sizes(len(groups))
    )
    parts = _joined(members, draw(sizes, targets, stream(seed, "split")), len(targets))
    return split_of_folds(parts, fold) if method == "kfold" else Split(*parts)


def draw(sizes: Sequence[int] | Indices, targets: Sequence[int], generator: np.random.Generator) -> Indices:
    """The part of each group, int64 [groups]; no part is empty.

    Groups are taken by decreasing size, those of one size in random order. Each is drawn into one of the parts with
    room for it, with a probability proportional to the room. If it fits nowhere, it goes into the part with the most
    room; between rooms that differ by one image, chance decides. Once a part is larger than its target, the rooms of
    the others are scaled to the images that are left. When only as many groups are left as parts are empty, each goes
    into an empty one.

    Args:
        sizes: images of each group; at least as many groups as parts.
        targets: wanted images of each part; their sum is that of the sizes.
        generator: its numbers decide.
    """
    order = generator.permutation(len(sizes))
    order = order[np.argsort(-np.asarray(sizes)[order], kind="stable")]
    parts = np.zeros(len(sizes), np.int64)
    room, empty, left = np.array(targets, float), np.ones(len(targets), bool), sum(targets)
    for position, group in enumerate(order):
        size = sizes[group]
        allowed = empty if len(order) - position <= empty.sum() else np.ones_like(empty)
        weights = np.where(allowed & (room >= size), room, 0)
        if not weights.any():
            weights = np.where(allowed & (room >= room[allowed].max() - _ROUNDING), 1, 0)
        part = int(generator.choice(len(targets), p=weights / weights.sum()))
        parts[group], empty[part] = part, False
        left -= size
        room[part] -= size
        if room[part] < 0 and left:
            room = np.maximum(room, 0)
            room *= left / room.sum()
    return parts


def _cut(sizes: NDArray[np.int64]) -> Indices:
    """The part of each group, 0 … 2: cut at the two borders between groups that are nearest to the article's cuts."""
    train, validation, _ = article_sizes(int(sizes.sum()))
    borders = np.cumsum(sizes)[:-1]
    nearest = int(np.argmin(np.abs(borders - train - validation)))
    firsts = np.arange(len(borders) - 1)
    seconds = np.maximum(nearest, firsts + 1)
    distances = np.abs(borders[firsts] - train) + np.abs(borders[seconds] - train - validation)
    best = int(np.argmin(distances))
    return np.searchsorted([firsts[best], seconds[best]], np.arange(len(sizes)), side="left")


def _joined(members: Sequence[Indices], parts: Indices, count: int) -> list[Indices]:
    """The sorted images of each part."""
    return [
        np.sort(np.concatenate([indices for indices, part in zip(members, parts, strict=True) if part == each]))
        for each in range(count)
    ]


def _reject_few(count: int, folds: int | None) -> None:
    whole = "a group is never divided"
    if count < 3:
        fix = "expected 3 or more groups, or data.groups=null, which may divide what belongs together"
        verb = "is" if count == 1 else "are"
        raise ValueError(
            f"{counted(count, 'group')} {verb} too few for training, validation and testing, since {whole}: {fix}"
        )
    if folds is not None and count < folds:
        raise ValueError(f"data.folds={folds} with {count} groups: {whole}, so expected data.folds={count} or fewer")
