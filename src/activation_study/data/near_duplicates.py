"""Images that are identical or nearly so, found by small versions of them (thumbnails)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from activation_study.data.connected import connected
from activation_study.data.images.resize import resize_by_area
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.same_scene import Progress
from activation_study.data.splitting.splits import PARTS

THUMBNAIL_SIDE = 16  # pixels
MIN_SIMILARITY = 0.97  # of near duplicates: the correlation of their thumbnails
MAX_LISTED = 1000  # pairs; of a fixed camera, every two frames are one
_BLOCK = 256  # thumbnails compared with all others at once
_PAIR = np.dtype([("first", int), ("second", int), ("similarity", "f4"), ("identical", "?"), ("across", "?")])


@dataclass(frozen=True)
class DuplicatePair:
    """Two images that are identical or nearly so.

    Args:
        first: index into the source.
        second: index into the source, larger than `first`.
        similarity: correlation of their thumbnails, 1 for identical images.
        identical: whether all pixels are equal at the network's size.
        agreement: fraction of pixels with equal labels at the network's size; unknown counts as a value.
    """

    first: int
    second: int
    similarity: float
    identical: bool
    agreement: float


@dataclass(frozen=True)
class NearDuplicates:
    """All pairs of a data set.

    Args:
        listed: at most `MAX_LISTED` pairs: first those across the split, of these the identical ones, then by
            decreasing similarity.
        count: number of all pairs.
        across_split: number of pairs whose images are in different parts of the split.
        with_test: those of them with one image in the test split.
        identical_with_test: those of them with identical images.
        group_of: for each image, the smallest index that it is connected with by pairs.
    """

    listed: tuple[DuplicatePair, ...]
    count: int
    across_split: int
    with_test: int
    identical_with_test: int
    group_of: tuple[int, ...]


class Thumbnails:
    """The images at 16 × 16 pixels, standardized, so that a dot product is a correlation over pixels and channels.

    That of an image of one colour is zero with all others.

    Args:
        preprocessed: the images at the network's size.
    """

    def __init__(self, preprocessed: PreprocessedData) -> None:
        images = preprocessed.images
        hashes = preprocessed.image_hashes(np.arange(len(images)))
        self.content = np.unique(hashes, return_inverse=True)[1]  # a number of each image, equal for identical ones
        small = np.stack([resize_by_area(image, (THUMBNAIL_SIDE, THUMBNAIL_SIDE)) for image in images])
        vectors = small.reshape(len(small), -1).astype(np.float32)
        vectors -= vectors.mean(axis=1, keepdims=True)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
        self.vectors = vectors

    def are_similar(self, first: int, second: int) -> bool:
        """Whether two images are near duplicates."""
        correlation = float(self.vectors[first] @ self.vectors[second])
        return correlation >= MIN_SIMILARITY or bool(self.content[first] == self.content[second])


def near_duplicates(
    thumbnails: Thumbnails, preprocessed: PreprocessedData, part_of: Sequence[str], progress: Progress
) -> NearDuplicates:
    """All pairs of images that are identical, or whose thumbnails have a correlation of `MIN_SIMILARITY` or more.

    Args:
        thumbnails: of the images.
        preprocessed: the images and labels at the network's size.
        part_of: the part of the split of each image; images of other names than `train`, `validation` and `test` are
            in none.
        progress: yields the items that it is given and shows the progress of what it is told.
    """
    images = len(thumbnails.vectors)
    parts = np.array([PARTS.index(part) if part in PARTS else -1 for part in part_of])
    test = PARTS.index("test")
    group_of, counts = np.arange(images), np.zeros(4, np.int64)
    listed = np.zeros(0, _PAIR)
    for start in progress(range(0, images, _BLOCK), "near duplicates"):
        pairs = _similar_pairs(thumbnails, start)
        first, second = pairs["first"], pairs["second"]
        pairs["across"] = (parts[first] != parts[second]) & (np.minimum(parts[first], parts[second]) >= 0)
        with_test = pairs[pairs["across"] & ((parts[first] == test) | (parts[second] == test))]
        counts += [len(pairs), pairs["across"].sum(), len(with_test), with_test["identical"].sum()]
        group_of = connected(images, np.stack([[*group_of, *first], [*range(images), *second]], axis=1))
        listed = _best(np.concatenate([listed, pairs]))
    labels = preprocessed.labels
    count, across_split, tested, identical_tested = counts.tolist()
    return NearDuplicates(
        listed=tuple(
            DuplicatePair(first, second, similarity, bool(identical), float((labels[first] == labels[second]).mean()))
            for first, second, similarity, identical, _ in listed.tolist()
        ),
        count=count,
        across_split=across_split,
        with_test=tested,
        identical_with_test=identical_tested,
        group_of=tuple(group_of.tolist()),
    )


def _similar_pairs(thumbnails: Thumbnails, start: int) -> NDArray[Any]:
    """The pairs whose first image is in the block from `start`; `_PAIR`, whether across the split not yet known."""
    vectors, content = thumbnails.vectors, thumbnails.content
    correlations = vectors[start : start + _BLOCK] @ vectors[start:].T
    identical = content[start : start + _BLOCK, None] == content[start:]
    correlations = np.where(identical, np.float32(1), np.minimum(correlations, np.float32(1)))
    rows, columns = np.nonzero(np.triu(correlations >= MIN_SIMILARITY, k=1))
    pairs = np.zeros(len(rows), _PAIR)
    pairs["first"], pairs["second"] = rows + start, columns + start
    pairs["similarity"], pairs["identical"] = correlations[rows, columns], identical[rows, columns]
    return pairs


def _best(pairs: NDArray[Any]) -> NDArray[Any]:
    """The first `MAX_LISTED` pairs in the order of `NearDuplicates.listed`."""
    keys = (pairs["second"], pairs["first"], -pairs["similarity"], ~pairs["identical"], ~pairs["across"])
    return np.asarray(pairs[np.lexsort(keys)[:MAX_LISTED]])
