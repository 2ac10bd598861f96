"""An audit of a data set before training: sizes, class fractions, groups, near duplicates, suspicious labels."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from activation_study.data.labels.label_types import LabelType
from activation_study.data.near_duplicates import DuplicatePair, NearDuplicates, Thumbnails, near_duplicates
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.same_scene import Progress, ScenePair, same_scene_pairs
from activation_study.data.source import Source
from activation_study.data.splitting.group_proposal import group_pattern
from activation_study.data.splitting.groups import groups_by_pattern
from activation_study.data.splitting.splits import PARTS, Split

MOSTLY_UNKNOWN = 0.5  # fraction of unknown pixels from which on a label is suspicious


@dataclass(frozen=True)
class DatasetAudit:
    """The results.

    Args:
        names: of the images.
        part_of: each image's part of the split, `train`, `validation` or `test`; `left out` if it is in none.
        sizes: (height, width) of each label, which is also that of its image.
        counts: pixels of each class, unknown last, in each label: int64 [N, C + 1].
        groups: the group of each image, as given or else guessed from the names; None if there is neither.
        pattern: the pattern by which the groups were guessed; None if they were given.
        duplicates: the near duplicates.
        scenes: the other pairs of images of the same scene; None if they were not looked for.
        suspicious: (index, reasons) of each label that needs review.
    """

    names: tuple[str, ...]
    part_of: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    counts: NDArray[np.int64]
    groups: tuple[str, ...] | None
    pattern: str | None
    duplicates: NearDuplicates
    scenes: tuple[ScenePair, ...] | None
    suspicious: tuple[tuple[int, str], ...]

    def parts(self, pair: DuplicatePair | ScenePair) -> tuple[str, str]:
        """The parts of the split that the two images are in."""
        return self.part_of[pair.first], self.part_of[pair.second]

    def crosses(self, pair: DuplicatePair | ScenePair) -> bool:
        """Whether the two images are in different parts of the split; those that are left out are in none."""
        first, second = self.parts(pair)
        return first != second and {first, second} <= set(PARTS)


def audit_dataset(
    source: Source,
    preprocessed: PreprocessedData,
    split: Split,
    label_type: LabelType,
    progress: Progress,
    groups: tuple[str, ...] | None = None,
    compare_scenes: bool = False,
) -> DatasetAudit:
    """Reads every label once and compares all images with each other.

    Args:
        source: the data set.
        preprocessed: the same images and labels at the network's size.
        split: the split of the data set.
        label_type: which labels.
        progress: yields the items that it is given and shows the progress of what it is told.
        groups: the group of each image; None without `data.groups`.
        compare_scenes: whether to look for images of the same scene.
    """
    count = len(source.names)
    counts = np.zeros((count, len(label_type.classes) + 1), np.int64)
    sizes, label_digests = [], []
    for index in progress(range(count), "labels"):
        target = label_type.target(source.label(index, label_type.name))
        counts[index] = np.roll(np.bincount(target.ravel() + 1, minlength=counts.shape[1]), -1)
        sizes.append((target.shape[0], target.shape[1]))
        label_digests.append(hashlib.sha256(target.tobytes()).hexdigest())
    part_of = ["left out"] * count
    for part, indices in vars(split).items():
        for index in indices:
            part_of[index] = part
    thumbnails = Thumbnails(preprocessed)
    scenes = None
    if compare_scenes:
        found = same_scene_pairs(source.image, count, progress)
        scenes = tuple(pair for pair in found if not thumbnails.are_similar(pair.first, pair.second))
    pattern = group_pattern(source.names) if groups is None else None
    return DatasetAudit(
        names=source.names,
        part_of=tuple(part_of),
        sizes=tuple(sizes),
        counts=counts,
        groups=groups if pattern is None else groups_by_pattern(source.names, pattern),
        pattern=pattern,
        duplicates=near_duplicates(thumbnails, preprocessed, part_of, progress),
        scenes=scenes,
        suspicious=tuple(_suspicious_labels(counts, label_type.classes, label_digests, source.names, thumbnails)),
    )


def _suspicious_labels(
    counts: NDArray[np.int64],
    classes: tuple[str, ...],
    label_digests: Sequence[str],
    names: Sequence[str],
    thumbnails: Thumbnails,
) -> list[tuple[int, str]]:
    suspicious = []
    known = counts[:, :-1]
    images_with_class = (known > 0).sum(axis=0)
    for index, row in enumerate(counts):
        unknown = row[-1] / row.sum()
        present = np.flatnonzero(known[index])
        if unknown >= MOSTLY_UNKNOWN:
            suspicious.append((index, f"{unknown:.0%} unknown"))
        if len(present) == 1:
            suspicious.append((index, f"only {classes[present[0]]}"))
        suspicious += [
            (index, f"the only image with {classes[class_id]}")
            for class_id in present
            if images_with_class[class_id] == 1
        ]
    indices_by_digest: dict[str, list[int]] = defaultdict(list)
    for index, digest in enumerate(label_digests):
        indices_by_digest[digest].append(index)
    for first, *others in indices_by_digest.values():
        for other in others:
            if not thumbnails.are_similar(first, other) and len(np.flatnonzero(known[other])) > 1:
                suspicious.append((other, f"same label as {names[first]}, which is a different image"))
    reasons: dict[int, list[str]] = defaultdict(list)
    for index, reason in suspicious:
        reasons[index].append(reason)
    return [(index, "; ".join(texts)) for index, texts in reasons.items()]
