"""Pairs of images that show the same scene from another view or at another time, found by local features.

ORB features (Rublee et al., ICCV 2011) are matched by the ratio test (Lowe, IJCV 2004); two images show one scene if
enough matches fit one plausible homography. Only candidates are matched: pairs with many features that are equal in
some random choice of bits (locality-sensitive hashing), so the time grows with the number of images, not of pairs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_IMAGES = 5000  # above it, images are compared on request only
SIDE = 320  # pixels of the longer side at which images are compared
MIN_SIDE = 3  # likewise of the shorter one, which ORB needs; within 31 pixels of an edge it finds nothing anyway
MAX_FEATURES = 300  # of an image
FAST_THRESHOLD = 10  # grey levels; OpenCV's 20 finds few corners in dark or soft images
RATIO = 0.8  # largest ratio of a match's distance to the second best one's
MAX_ERROR = 5.0  # pixels between a match and the homography that it fits
MIN_INLIERS = 12  # matches that fit; docs/LOG.md has the figures
AREAS = (0.1, 10.0)  # by which a plausible homography changes an image's area
CANDIDATES = 20  # images with which each image is matched
_TABLES, _BITS = 16, 20  # choices of bits, and bits in each
_MAX_BUCKET = 32  # more features that agree in these bits say nothing

Progress = Callable[[Sequence[Any], str], Iterable[Any]]  # items, and what they are


@dataclass(frozen=True)
class ScenePair:
    """Two images of the same scene.

    Args:
        first: index into the source.
        second: index into the source, larger than `first`.
        inliers: number of matching features that fit one homography.
    """

    first: int
    second: int
    inliers: int


@dataclass(frozen=True)
class _Features:
    points: NDArray[np.float32]  # [features, 2]: x, y in pixels
    descriptors: NDArray[np.uint8]  # [features, 32]
    size: tuple[int, int]  # height, width


def same_scene_pairs(image: Callable[[int], NDArray[Any]], count: int, progress: Progress) -> list[ScenePair]:
    """The pairs of images with `MIN_INLIERS` or more matching features, by decreasing number of them.

    Args:
        image: the image of an index, [height, width, channels], of any size.
        count: number of images.
        progress: yields the items that it is given and shows the progress of what it is told.
    """
    features = [_features(image(index)) for index in progress(range(count), "features")]
    candidates = _candidates([each.descriptors for each in features])
    pairs = []
    for first, second in progress(candidates, "similar images"):
        inliers = count_inliers(features[first], features[second])
        if inliers >= MIN_INLIERS:
            pairs.append(ScenePair(first, second, inliers))
    return sorted(pairs, key=lambda pair: (-pair.inliers, pair.first, pair.second))


def _features(image: NDArray[Any]) -> _Features:
    import cv2

    gray = _gray(image)
    scale = SIDE / max(gray.shape)
    size = (max(MIN_SIDE, round(scale * gray.shape[1])), max(MIN_SIDE, round(scale * gray.shape[0])))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(gray, size, interpolation=interpolation)
    detector = cv2.ORB_create(MAX_FEATURES, fastThreshold=FAST_THRESHOLD)  # type: ignore[attr-defined]
    points, descriptors = detector.detectAndCompute(resized, None)
    if descriptors is None:
        descriptors = np.zeros((0, 32), np.uint8)
    return _Features(np.array([point.pt for point in points], np.float32).reshape(-1, 2), descriptors, size[::-1])


def _gray(image: NDArray[Any]) -> NDArray[np.uint8]:
    """The mean of the channels, uint8 [height, width]; values of other types are scaled to 0 … 255."""
    gray = np.asarray(image, np.float32)
    gray = gray.mean(axis=2) if gray.ndim == 3 else gray
    if image.dtype != np.uint8:
        low, high = float(gray.min()), float(gray.max())
        gray = (gray - low) * (255 / (high - low) if high > low else 0)
    return gray.round().astype(np.uint8)


def _candidates(descriptors: Sequence[NDArray[np.uint8]]) -> list[tuple[int, int]]:
    """The pairs of images (smaller index first) of which one is among the other's `CANDIDATES` with most votes.

    A vote is a pair of features that agree in all bits of a random choice, the same at each call.
    """
    count = len(descriptors)
    owner = np.repeat(np.arange(count), [len(each) for each in descriptors])
    bits = np.unpackbits(np.concatenate([*descriptors, np.zeros((0, 32), np.uint8)]), axis=1)
    generator = np.random.default_rng(0)
    votes = np.zeros((count, count), np.int32)
    for _ in range(_TABLES):
        chosen = generator.choice(bits.shape[1], _BITS, replace=False)
        keys = bits[:, chosen].astype(np.int32) @ (1 << np.arange(_BITS, dtype=np.int32))
        order = np.argsort(keys, kind="stable")
        _, sizes = np.unique(keys, return_counts=True)
        kept = np.repeat(sizes, sizes) <= _MAX_BUCKET
        keys, images = keys[order][kept], owner[order][kept]
        for step in range(1, _MAX_BUCKET):
            same = keys[step:] == keys[:-step]
            if not same.any():
                break
            pairs, numbers = np.unique(images[:-step][same] * count + images[step:][same], return_counts=True)
            votes.reshape(-1)[pairs] += numbers.astype(np.int32)
    votes += votes.T.copy()
    np.fill_diagonal(votes, 0)
    found = set()
    for index, row in enumerate(votes):
        for other in np.argsort(-row, kind="stable")[:CANDIDATES]:
            if row[other]:
                found.add((min(index, int(other)), max(index, int(other))))
    return sorted(found)


def count_inliers(first: _Features, second: _Features) -> int:
    """The matches of two images that fit one plausible homography; 0 if there is none."""
    import cv2

    if min(len(first.points), len(second.points)) < 2:
        return 0
    nearest = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(first.descriptors, second.descriptors, k=2)
    matches = [best for best, next_best in nearest if best.distance < RATIO * next_best.distance]
    if len(matches) < MIN_INLIERS:
        return 0
    source = first.points[[match.queryIdx for match in matches]]
    target = second.points[[match.trainIdx for match in matches]]
    homography, inliers = cv2.findHomography(source, target, cv2.RANSAC, MAX_ERROR)
    if homography is None or not _is_plausible(np.asarray(homography, np.float64), first.size):
        return 0
    return int(inliers.sum())


def _is_plausible(homography: NDArray[np.float64], size: tuple[int, int]) -> bool:
    """Whether a camera could have seen an image so: not mirrored, not folded, and not of a quite different size."""
    height, width = size
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], float) @ homography.T
    if (corners[:, 2] <= 0).any():
        return False
    corners = corners[:, :2] / corners[:, 2:]
    sides = np.roll(corners, -1, axis=0) - corners
    following = np.roll(sides, -1, axis=0)
    if (sides[:, 0] * following[:, 1] <= sides[:, 1] * following[:, 0]).any():
        return False
    x, y = corners.T
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    return bool(AREAS[0] <= area / (height * width) <= AREAS[1])
