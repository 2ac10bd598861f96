"""The split into train, validation and test: a function of the number of images and the options alone."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.data.images.image_io import SUFFIXES
from activation_study.data.labels.label_image import LABEL_SUFFIXES
from activation_study.errors import counted
from activation_study.seeding import stream

Indices = NDArray[np.int64]
PARTS = ("train", "validation", "test")
FILE_SUFFIXES = {*SUFFIXES, *LABEL_SUFFIXES}  # which names in lists may have


@dataclass(frozen=True)
class Split:
    """Disjoint sets of indices into a source, each sorted."""

    train: Indices
    validation: Indices
    test: Indices


def split(count: int, method: str, seed: int = 0, folds: int = 5, fold: int = 0) -> Split:
    """Splits `count` images.

    Args:
        count: number of images in the source, which are sorted by name.
        method: `sorted`, as in the article: the first p = int(0.6·N) images are for training, those up to
            int((N + p)/2) for validation, the rest for testing. `shuffled`: parts of the same sizes after a random
            permutation. `kfold`: after the same permutation, the images are divided into `folds` parts; part `fold` is
            for testing, the next one for validation, the others for training. Over all folds, each image is tested
            once.
        seed: of the permutation.
        folds: number of parts, 3 or more.
        fold: 0 … folds − 1.

    Raises:
        ValueError: a part would be empty.
    """
    if method == "kfold" and 3 <= count < folds:
        raise ValueError(f"{count} images cannot be divided into {folds} folds: expected data.folds={count} or fewer")
    order = np.arange(count) if method == "sorted" else stream(seed, "split").permutation(count)
    if method == "kfold":
        result = split_of_folds(np.array_split(order, folds), fold)
    else:
        train, validation, _ = article_sizes(count)
        result = Split(*(np.sort(part) for part in np.split(order, [train, train + validation])))
    if not (len(result.train) and len(result.validation) and len(result.test)):
        verb = "is" if count == 1 else "are"
        few = f"{counted(count, 'image')} {verb} too few for training, validation and testing"
        raise ValueError(f"{few}: expected 5 or more")
    return result


def article_sizes(count: int) -> tuple[int, int, int]:
    """How many of `count` images are for training, validation and testing in the article."""
    first = int(0.6 * count)
    second = int((count + first) / 2)
    return first, second - first, count - second


def split_of_folds(folds: Sequence[Indices], fold: int) -> Split:
    """The split that tests on one of the folds, validates on the next one and trains on the others."""
    validation = (fold + 1) % len(folds)
    train = [part for index, part in enumerate(folds) if index not in (fold, validation)]
    return Split(np.sort(np.concatenate(train)), np.sort(folds[validation]), np.sort(folds[fold]))


def name_forms(name: str) -> tuple[str, str]:
    """The names that a line may stand for: as it is, and without a format's suffix; in Unicode's composed form."""
    composed = unicodedata.normalize("NFC", name)
    stem, dot, suffix = composed.rpartition(".")
    return composed, stem if dot + suffix.lower() in FILE_SUFFIXES else composed


def image_index(names: Sequence[str]) -> Callable[[str], int | None]:
    """A function that finds an image's index by its name, with or without the file's suffix; None if there is none.

    Names are equal in all Unicode forms.
    """
    index_by_name = {name_forms(name)[0]: index for index, name in enumerate(names)}
    index_by_name |= {name: index for index, name in enumerate(names)}

    def find(name: str) -> int | None:
        return next((index_by_name[form] for form in (name, *name_forms(name)) if form in index_by_name), None)

    return find


def split_by_names(names: Sequence[str], parts: Mapping[str, Sequence[str]]) -> Split:
    """The split given by lists of names; an image in none of the lists is left out.

    Args:
        names: of the source's images.
        parts: the names of `train`, `validation` and `test`, with or without the file's suffix.

    Raises:
        ValueError: a name has no image, or an image is in two parts.
    """
    find = image_index(names)
    found = {name: find(name) for part in parts.values() for name in part}
    missing = [name for name, index in found.items() if index is None]
    if missing:
        raise ValueError(f"names in the split files without an image ({len(missing)}): {', '.join(missing[:5])}")
    indices = {key: np.unique(np.array([found[name] for name in part], np.int64)) for key, part in parts.items()}
    duplicates = sum(map(len, indices.values())) - len(np.unique(np.concatenate(list(indices.values()))))
    if duplicates:
        raise ValueError(f"images in two parts of the split files, with and without their suffix: {duplicates}")
    return Split(**indices)


def without_duplicates(full: Split, image_hashes: Sequence[str]) -> Split:
    """The split with each distinct image once: in test if it occurs there, else in validation, else in train.

    So no test image is used for training or validation, and the test split only loses its own duplicates.

    Args:
        full: the split.
        image_hashes: a digest of each image of the source: equal for identical images.
    """
    seen: set[str] = set()

    def first_occurrences(indices: Indices) -> Indices:
        kept = []
        for index in indices:
            if image_hashes[index] not in seen:
                seen.add(image_hashes[index])
                kept.append(index)
        return np.array(kept, np.int64)

    test = first_occurrences(full.test)
    validation = first_occurrences(full.validation)
    return Split(first_occurrences(full.train), validation, test)
