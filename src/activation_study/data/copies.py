"""Images with equal pixels, of which `data.remove_duplicates` keeps one."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from activation_study.data.splitting.splits import Split
from activation_study.errors import examples


def left_out_copies(full: Split, unique: Split, image_hashes: Sequence[str]) -> dict[int, int]:
    """The images of a split that the one without duplicates lacks, each with the equal image that is kept.

    Args:
        full: the split.
        unique: of `without_duplicates`.
        image_hashes: a digest of each image of the source: equal for identical images.
    """
    before, after = (np.concatenate([*vars(split).values()]) for split in (full, unique))
    kept = {image_hashes[index]: int(index) for index in after}
    return {int(index): kept[image_hashes[index]] for index in np.setdiff1d(before, after)}


def describe_copies(
    copies: Mapping[int, int], names: Sequence[str], labels: Sequence[NDArray[np.int16]] | NDArray[np.int16]
) -> str:
    """Which images are left out, and those whose label differs from that of the image that is kept.

    Args:
        copies: of `left_out_copies`; at least one.
        names: of the images.
        labels: of the images, at the network's size.
    """
    number = "1 copy" if len(copies) == 1 else f"{len(copies):,} copies"
    named = examples([f"{names[copy]} (of {names[kept]})" for copy, kept in copies.items()])
    text = f"{number} left out (data.remove_duplicates): {named}"
    differ = [
        f"{names[copy]} and {names[kept]}"
        for copy, kept in copies.items()
        if not np.array_equal(labels[copy], labels[kept])
    ]
    return f"{text}; their labels differ: {examples(differ)}" if differ else text
