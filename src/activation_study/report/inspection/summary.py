"""What to know about a data set before training, in sentences."""

from collections.abc import Iterator, Sequence

from activation_study.config.schema import Data
from activation_study.data.audit import DatasetAudit
from activation_study.data.copies import describe_copies
from activation_study.data.dataset import Dataset
from activation_study.data.images.image_check import misfits
from activation_study.data.images.image_reader import ImageFacts, ImageReader
from activation_study.data.near_duplicates import MIN_SIMILARITY
from activation_study.data.splitting.splits import PARTS
from activation_study.errors import counted, examples
from activation_study.report.inspection.groups import group_sentences, scene_sentences


def turned_sentences(turned: dict[int, str], names: Sequence[str]) -> list[str]:
    """A label in the orientation of the sensor has the right size where the image is turned by 180° or mirrored."""
    if not turned:
        return []
    which = f"{counted(len(turned), 'image')} ({examples([names[index] for index in turned])})"
    return [f"EXIF orientation turns {which}: look whether the outlines of the label lie on the turned image."]


def range_sentences(facts: Sequence[ImageFacts], names: Sequence[str], reader: ImageReader) -> list[str]:
    """A given range that hardly fits the images."""
    found = misfits(dict(zip(names, facts, strict=True)), reader.value_range)
    return [f"{what}; {fix} has all values." for what, fix in found]


def left_out_sentences(dataset: Dataset, audit: DatasetAudit) -> Iterator[str]:
    """Why images are in no part of the split."""
    if dataset.copies:
        yield f"{describe_copies(dataset.copies, audit.names, dataset.preprocessed.labels)}."
    others = [
        name for index, name in enumerate(audit.names) if _in_no_part(audit, index) and index not in dataset.copies
    ]
    if others:
        verb = "is" if len(others) == 1 else "are"
        yield f"{counted(len(others), 'image')} {verb} in no part of the split: {examples(others)}."


def _in_no_part(audit: DatasetAudit, index: int) -> bool:
    return audit.part_of[index] not in PARTS


def audit_sentences(audit: DatasetAudit, classes: tuple[str, ...], data: Data) -> list[str]:
    """What to know before training, one sentence each.

    Args:
        audit: of the data set.
        classes: their names.
        data: its configuration.
    """
    sentences = []
    leaks, identical = audit.duplicates.with_test, audit.duplicates.identical_with_test
    if leaks:
        sentences.append(
            f"{counted(leaks, 'pair')} of near duplicates (correlation of thumbnails at least {MIN_SIMILARITY}) "
            f"across the test split: {identical:,} with identical pixels, which data.remove_duplicates=true removes "
            f"from the other parts, and {leaks - identical:,} nearly identical."
        )
    everywhere = [name for name, count in zip(classes, audit.counts.sum(axis=0), strict=False) if not count]
    if everywhere:
        sentences.append(f"Classes that are declared, but occur in no label: {', '.join(everywhere)}.")
    for part in PARTS:
        counts = audit.counts[[name == part for name in audit.part_of]].sum(axis=0)[:-1]
        absent = [name for name, count in zip(classes, counts, strict=True) if not count and name not in everywhere]
        if absent:
            sentences.append(f"Classes that do not occur in the {part} split: {', '.join(absent)}.")
    sentences += [*scene_sentences(audit, data), *group_sentences(audit, data)]
    if audit.suspicious:
        count = len(audit.suspicious)
        sentences.append(f"{counted(count, 'label')} need{'s' if count == 1 else ''} review.")
    return sentences
