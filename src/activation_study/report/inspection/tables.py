"""The tables of the report on a data set: parts of the split, image sizes, near duplicates."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from activation_study.data.audit import DatasetAudit
from activation_study.data.near_duplicates import DuplicatePair
from activation_study.data.splitting.splits import PARTS
from activation_study.errors import counted
from activation_study.report.elements import Table

PLACES = (*PARTS, "left out")


def parts_table(audit: DatasetAudit, classes: tuple[str, ...]) -> Table:
    """Images and pixels of each class in each part of the split."""
    rows = []
    for part in (*PLACES, "all"):
        chosen = np.array([part in (name, "all") for name in audit.part_of])
        if not chosen.any():
            continue
        counts = audit.counts[chosen].sum(axis=0)
        known = max(1, counts[:-1].sum())
        fractions = [_percent(count / known) for count in counts[:-1]]
        rows.append((part, str(chosen.sum()), *fractions, _percent(counts[-1] / counts.sum())))
    caption = (
        "Images in each part of the split; each class as a percentage of the known pixels; unknown pixels as a "
        "percentage of all pixels."
    )
    return Table(("split", "images", *classes, "unknown"), tuple(rows), caption)


def sizes_table(audit: DatasetAudit, size: tuple[int, int]) -> Table:
    """The most frequent image sizes; `size` is the network's, (height, width)."""
    common = Counter(audit.sizes).most_common(6)
    rows = [(f"{width} × {height}", str(count)) for (height, width), count in common]
    others = len(audit.names) - sum(count for _, count in common)
    rows += [("others", str(others))] if others else []
    heights, widths = zip(*audit.sizes, strict=True)
    different = len(set(audit.sizes))
    ranges = f"{_range('width', widths)}, {_range('height', heights)}, {different} different sizes"
    caption = (
        f"Image sizes, width × height in pixels: {ranges if different > 1 else 'all the same'}. The network receives "
        f"all images at {size[1]} × {size[0]}."
    )
    return Table(("size", "images"), tuple(rows), caption)


def _range(noun: str, values: Sequence[int]) -> str:
    low, high = min(values), max(values)
    return f"{noun} {low}" if low == high else f"{noun}s {low} to {high}"


def pairs_table(audit: DatasetAudit, pairs: Sequence[DuplicatePair]) -> Table:
    """Some of the near duplicates."""
    rows = [
        (
            audit.names[pair.first],
            audit.part_of[pair.first],
            audit.names[pair.second],
            audit.part_of[pair.second],
            "identical" if pair.identical else f"{pair.similarity:.4f}",
            _percent(pair.agreement),
        )
        for pair in pairs
    ]
    caption = (
        f"{counted(audit.duplicates.count, 'pair')} of near duplicates, {audit.duplicates.across_split:,} of them in "
        f"different parts of the split; {len(pairs)} shown. Similarity: correlation of the thumbnails. Labels agree: "
        "percentage of pixels with the same label."
    )
    return Table(("image", "split", "other", "its split", "similarity", "labels agree"), tuple(rows), caption)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}" if fraction == 0 or fraction >= 0.0005 else "< 0.1"
