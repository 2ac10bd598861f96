"""Sizes of labels by the headers of the files: the same answers as when all is read."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from activation_study.data.folders.pairing import ANY_NAMES, folder_tree, pair
from activation_study.data.folders.size_check import size_problems
from data.folders.test_image_folder import exif_of, noise


def problems(root: Path, suffix: str, orientation: int, label: tuple[int, int]) -> list[str]:
    """Of an image whose stored size is 8 rows of 12."""
    for part in ("images", "labels"):
        (root / part).mkdir()
    Image.fromarray(noise((8, 12))).save(root / f"images/1{suffix}", exif=exif_of(orientation))
    Image.fromarray(np.zeros(label, np.uint8)).save(root / "labels/1.png")
    tree = folder_tree(root / "images", root / "labels")
    return size_problems(tree, pair(tree.scan()[0], tree, ANY_NAMES))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_label_has_the_size_that_viewers_show(suffix: str, orientation: int, tmp_path: Path) -> None:
    assert problems(tmp_path, suffix, orientation, (12, 8) if orientation > 4 else (8, 12)) == []


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exchanged_sides_are_blamed_on_an_orientation_that_exchanges_them(
    suffix: str, orientation: int, tmp_path: Path
) -> None:
    (problem,) = problems(tmp_path, suffix, orientation, (8, 12) if orientation > 4 else (12, 8))
    assert ("EXIF" in problem) == (orientation > 4)
    assert ("width and height of the label are exchanged" in problem) == (orientation < 5)
