"""Whether labels have the sizes of their images."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from activation_study.data.folders.pairing import Pairing
from activation_study.data.images.exif import EXCHANGES_SIDES, orientation_of
from activation_study.data.verification import FileTree, printable_path

Size = tuple[int, int]  # (height, width)


def size_problem(path: str, label: Size, image: Size, turned: bool) -> str | None:
    """What is wrong with the size of a label; None if it is that of its image.

    Args:
        path: of the label.
        label: its size.
        image: the size of its image, as viewers show it.
        turned: whether the image's EXIF orientation exchanges its width and height.
    """
    if label == image:
        return None
    label_size, expected = (f"{width}×{height}" for height, width in (label, image))
    reason = ""
    if label == image[::-1]:
        reason = (
            " rotated by its EXIF orientation: turn the label too, or remove the orientation from the image"
            if turned
            else ": width and height of the label are exchanged"
        )
    return f"{printable_path(path)}: {label_size} (width × height): expected {expected}, the size of its image{reason}"


def size_problems(tree: FileTree, pairing: Pairing) -> list[str]:
    """The labels of another size than their image, judging by the headers of the files alone.

    Files whose headers Pillow does not read are passed over: they are checked when all is read.
    """
    problems = []
    for name in pairing.names:
        image = _header(tree.absolute(pairing.images[name][0]))
        for path in pairing.labels[name]:
            label = _header(tree.absolute(path))
            if image is not None and label is not None:
                problems.append(size_problem(path, label.as_read, image.as_shown, image.turned))
    return [problem for problem in problems if problem is not None]


@dataclass(frozen=True)
class _Header:
    """What the header of a file tells: the size as Pillow reads labels, that of viewers, and whether sides change."""

    as_read: Size
    as_shown: Size
    turned: bool


def _header(path: Path) -> _Header | None:
    """None if it cannot be read."""
    from PIL import Image

    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")  # about large images and damaged metadata
            size, turned = (image.height, image.width), orientation_of(image) in EXCHANGES_SIDES
            is_exchanged = turned and image.format != "TIFF"  # whose size Pillow exchanges itself
            return _Header(size, size[::-1] if is_exchanged else size, turned)
    except Exception:  # Pillow may raise anything for a damaged header
        return None
