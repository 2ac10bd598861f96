"""Which pictures train, validate and test: a function of the number of pictures and the split's options alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.seeding import stream

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Indices into a source's names; disjoint."""

    train: Indices
    validation: Indices
    test: Indices


def split(count: int, how: str, seed: int = 0, folds: int = 5, fold: int = 0) -> Split:
    """Splits `count` pictures.

    Args:
        count: pictures in the source, sorted by name.
        how: `sorted`, the article's: the first int(0.6·N) train, up to int((N + that)/2) validate, the rest
            test. `shuffled`: the same sizes after a permutation drawn from `seed`. `kfold`: after that
            permutation the pictures fall into `folds` parts; part `fold` tests, the next one validates,
            the others train, so that over all folds each picture is tested once.
        seed: of the permutation.
        folds: number of parts, 3 or more.
        fold: 0 … folds − 1.

    Raises:
        ValueError: a part would be empty.
    """
    order = np.arange(count) if how == "sorted" else stream(seed, "split").permutation(count)
    if how == "kfold":
        parts = np.array_split(order, folds)
        validation = (fold + 1) % folds
        rest = [part for number, part in enumerate(parts) if number not in (fold, validation)]
        result = Split(np.sort(np.concatenate(rest)), np.sort(parts[validation]), np.sort(parts[fold]))
    else:
        first = int(0.6 * count)
        second = int((count + first) / 2)
        result = Split(*(np.sort(part) for part in np.split(order, [first, second])))
    if not (len(result.train) and len(result.validation) and len(result.test)):
        raise ValueError(f"{count} pictures are too few to train, validate and test: expected 5 or more")
    return result


def split_by_names(names: Sequence[str], parts: Mapping[str, Sequence[str]]) -> Split:
    """The split that lists of names make; a picture in no list is left out.

    Args:
        names: of the source's pictures.
        parts: the names of `train`, `validation` and `test`, with or without the file's suffix.

    Raises:
        ValueError: naming the first names that no picture has; a picture is in two parts.
    """
    index = {name: place for place, name in enumerate(names)}

    def place_of(name: str) -> int | None:
        return index.get(name, index.get(name.rpartition(".")[0]))

    found = {name: place_of(name) for listed in parts.values() for name in listed}
    unknown = [name for name, place in found.items() if place is None]
    if unknown:
        raise ValueError(f"{len(unknown)} names of the split's files have no picture: {', '.join(unknown[:5])}")
    chosen = {part: np.unique(np.array([found[name] for name in listed], np.int64)) for part, listed in parts.items()}
    twice = sum(map(len, chosen.values())) - len(np.unique(np.concatenate(list(chosen.values()))))
    if twice:
        raise ValueError(f"{twice} pictures are in two parts of the split, under two spellings of their names")
    return Split(**chosen)


def without_duplicates(parts: Split, image_hashes: Sequence[str]) -> Split:
    """The split with each photograph once: where it occurs again, the test split keeps it, else the validation split.

    So nothing that is trained or validated on is tested, and the test split stays as it is but for its own repetitions.

    Args:
        parts: the split.
        image_hashes: which photograph each picture of the source is.
    """
    seen: set[str] = set()

    def first_ones(indices: Indices) -> Indices:
        kept = []
        for index in indices:
            if image_hashes[index] not in seen:
                seen.add(image_hashes[index])
                kept.append(index)
        return np.array(kept, np.int64)

    test = first_ones(parts.test)
    validation = first_ones(parts.validation)
    return Split(first_ones(parts.train), validation, test)
