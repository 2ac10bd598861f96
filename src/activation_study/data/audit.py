"""What a data set is like before anything is trained on it: sizes, shares, sources, pictures that are alike."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from activation_study.data.label_types import LabelType
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.source import Source
from activation_study.data.splits import Split

SIDE = 16  # pixels of the thumbnails that are compared
ALIKE = 0.97  # correlation of two thumbnails from which on their pictures count as nearly the same
MOSTLY_UNKNOWN = 0.5
MOST_SOURCES = 40  # more groups of names than that tell nothing
_BLOCK = 1024  # thumbnails compared at once

Watch = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True)
class Pair:
    """Two pictures that are the same or nearly so.

    Args:
        first: place in the source.
        second: likewise, larger.
        similarity: correlation of their thumbnails, 1 for equal ones.
        identical: pixel by pixel, at the network's size.
        agreement: share of the pixels whose labels are equal, at the network's size; unknown in both is equal.
    """

    first: int
    second: int
    similarity: float
    identical: bool
    agreement: float


@dataclass(frozen=True)
class Inspection:
    """All that was found.

    Args:
        names: the pictures'.
        part_of: `train`, `validation`, `test` or, for a picture in none of them, `left out`.
        sizes: (height, width) of each label, which is that of its picture.
        counts: pixels of each class, unknown last, of each label: int64 [N, C + 1].
        sources: for each picture where it comes from, as far as its name tells; None where names tell nothing.
        pairs: likest first.
        suspicious: (place, reason).
    """

    names: tuple[str, ...]
    part_of: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    counts: NDArray[np.int64]
    sources: tuple[str, ...] | None
    pairs: tuple[Pair, ...]
    suspicious: tuple[tuple[int, str], ...]

    def crosses(self, pair: Pair) -> bool:
        """Whether it leaks: its pictures are in different parts of the split."""
        return self.part_of[pair.first] != self.part_of[pair.second]


def inspect(
    source: Source, preprocessed: PreprocessedData, parts: Split, label_type: LabelType, watch: Watch
) -> Inspection:
    """Reads every label once and compares all pictures.

    Args:
        source: the data set.
        preprocessed: it, at the network's size.
        parts: its split.
        label_type: which labels.
        watch: hands out the places, to show progress.
    """
    count = len(source.names)
    counts = np.zeros((count, len(label_type.classes) + 1), np.int64)
    sizes, digests = [], []
    for index in watch(range(count)):
        target = label_type.target(source.label(index, label_type.name))
        counts[index] = np.roll(np.bincount(target.ravel() + 1, minlength=counts.shape[1]), -1)
        sizes.append((target.shape[0], target.shape[1]))
        digests.append(hashlib.sha256(target.tobytes()).hexdigest())
    part_of = ["left out"] * count
    for part, indices in vars(parts).items():
        for index in indices:
            part_of[index] = part
    pairs = alike(preprocessed)
    return Inspection(
        names=source.names,
        part_of=tuple(part_of),
        sizes=tuple(sizes),
        counts=counts,
        sources=sources_of(source.names),
        pairs=tuple(pairs),
        suspicious=tuple(_suspicious(counts, label_type.classes, digests, source.names, pairs)),
    )


def sources_of(names: Sequence[str]) -> tuple[str, ...] | None:
    """Where pictures come from, as far as their names tell: by folder, by what stands before a separator, by the first
    digit of numbers of one length. None where that gives one group, or more than `MOST_SOURCES`.
    """
    ways: list[list[str]] = [
        [PurePosixPath(name).parts[0] if "/" in name else "" for name in names],
        [re.split(r"[-_ .]", name, maxsplit=1)[0] if re.search(r"[-_ .]", name) else "" for name in names],
        [re.sub(r"\d+$", "", name) for name in names],
        [name[0] if re.fullmatch(r"\d{3,}", name) and len(name) == len(names[0]) else "" for name in names],
    ]
    for way in ways:
        if all(way) and 1 < len(set(way)) <= min(MOST_SOURCES, len(names) // 2):
            return tuple(way)
    return None


def alike(preprocessed: PreprocessedData) -> list[Pair]:
    """The pairs of pictures that are the same or nearly so, likest first.

    Compared are thumbnails of 16 × 16 pixels, less their mean, by correlation over pixels and colours.
    """
    import cv2

    images = preprocessed.images
    small = np.stack([cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in images])
    vectors = small.reshape(len(small), -1).astype(np.float32)
    vectors -= vectors.mean(axis=1, keepdims=True)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    found = []
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK] @ vectors.T
        for row, column in np.argwhere(block >= ALIKE):
            first, second = start + int(row), int(column)
            if first < second:
                similarity = min(1.0, float(block[row, column]))
                found.append((first, second, similarity))
    pairs = [
        Pair(
            first,
            second,
            similarity,
            identical=bool(np.array_equal(images[first], images[second])),
            agreement=float(np.mean(preprocessed.labels[first] == preprocessed.labels[second])),
        )
        for first, second, similarity in found
    ]
    return sorted(pairs, key=lambda pair: (not pair.identical, -pair.similarity))


def _suspicious(
    counts: NDArray[np.int64],
    classes: tuple[str, ...],
    digests: Sequence[str],
    names: Sequence[str],
    pairs: Sequence[Pair],
) -> list[tuple[int, str]]:
    found = []
    known = counts[:, :-1]
    pictures_with = (known > 0).sum(axis=0)
    for index, row in enumerate(counts):
        unknown = row[-1] / row.sum()
        present = np.flatnonzero(known[index])
        if unknown >= MOSTLY_UNKNOWN:
            found.append((index, f"{unknown:.0%} unknown"))
        if len(present) == 1:
            found.append((index, f"nothing but {classes[present[0]]}"))
        found += [(index, f"{classes[place]} is in no other picture") for place in present if pictures_with[place] == 1]
    same: dict[str, list[int]] = defaultdict(list)
    for index, digest in enumerate(digests):
        same[digest].append(index)
    alike_pairs = {(pair.first, pair.second) for pair in pairs}
    for group in same.values():
        for other in group[1:]:
            if (group[0], other) not in alike_pairs and len(np.flatnonzero(known[other])) > 1:
                found.append((other, f"has the very label of {names[group[0]]}, another picture"))
    return found
