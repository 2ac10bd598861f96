"""Writes label maps as one COCO data set: for each image and class that occurs, its pixels as a run-length encoding."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from activation_study.errors import BadInput
from activation_study.files import replacing


class CocoWriter:
    """A JSON file that `pycocotools.coco.COCO` loads; it appears when the block ends without an error.

    Annotations are written as they come, so memory does not grow with the number of images. Images are numbered from 1,
    in the order in which they come; a category's id is that of its class.

    Args:
        path: of the file.
        description: of the data set.
        classes: their names.
        ids: of the classes.
    """

    def __init__(self, path: Path, description: str, classes: Sequence[str], ids: Sequence[int]) -> None:
        self._path, self._ids = path, ids
        categories = [{"id": value, "name": name} for value, name in zip(ids, classes, strict=True)]
        head = {"info": {"description": description}, "licenses": [], "categories": categories}
        self._head = json.dumps(head, ensure_ascii=False)[:-1] + ', "annotations": ['
        self._images: list[dict[str, Any]] = []
        self._annotations = 0
        self._stack = ExitStack()
        self._file: IO[str]

    def __enter__(self) -> "CocoWriter":
        temporary = self._stack.enter_context(replacing(self._path))
        self._file = self._stack.enter_context(open(temporary, "w", encoding="utf-8"))
        self._file.write(self._head)
        return self

    def write(self, file_name: str, label_map: NDArray[np.uint8]) -> None:
        """Adds an image.

        Args:
            file_name: of the image.
            label_map: class indices, uint8 [height, width].
        """
        from pycocotools import mask

        height, width = label_map.shape
        self._images.append({"id": len(self._images) + 1, "file_name": file_name, "width": width, "height": height})
        for index, count in enumerate(np.bincount(label_map.ravel())):
            if not count:
                continue
            encoded = mask.encode(np.asfortranarray(label_map == index).view(np.uint8))
            self._annotations += 1
            annotation = {
                "id": self._annotations,
                "image_id": len(self._images),
                "category_id": self._ids[index],
                "segmentation": {"size": [height, width], "counts": encoded["counts"].decode("ascii")},
                "area": int(count),
                "bbox": [float(side) for side in mask.toBbox(encoded)],
                "iscrowd": 0,
            }
            self._file.write(("\n" if self._annotations == 1 else ",\n") + json.dumps(annotation))

    def __exit__(self, *error: Any) -> bool | None:
        if error[0] is None:
            self._file.write('\n], "images": ' + json.dumps(self._images, ensure_ascii=False) + "}\n")
        return self._stack.__exit__(*error)


def check_pycocotools() -> None:
    """Raises BadInput if pycocotools is missing."""
    try:
        import pycocotools.mask  # noqa: F401
    except ImportError as error:
        raise BadInput(
            f"format=coco needs pycocotools ({error}): pip install 'activation-study[coco]', or in a clone "
            "pip install -e '.[coco]' -c constraints.txt"
        ) from error
