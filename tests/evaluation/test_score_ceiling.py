"""The score of a perfect network, which is limited by the size of its labels and by how these are resized."""

from pathlib import Path

import numpy as np
import pytest

from activation_study.data.iccv09 import Iccv09Folder
from activation_study.data.labels.label_types import LABEL_TYPES, resize_label
from activation_study.evaluation.evaluate import count_images
from activation_study.metrics import summary


@pytest.mark.parametrize(
    ("label_type", "size", "at_least"),
    [("regions", 64, 0.953), ("regions", 224, 0.989), ("layers", 64, 0.825), ("layers", 224, 0.959)],
)
def test_labels_lie_on_their_images(stanford_root: Path, label_type: str, size: int, at_least: float) -> None:
    """Labels that lie beside their images lower all four: `cv2.INTER_NEAREST` gives 0.92, 0.97, 0.72, 0.89."""
    names = tuple(sorted(path.stem for path in (stanford_root / "images").glob("*.jpg"))[-143:])  # the test images
    source, meaning = Iccv09Folder("stanford", stanford_root, names, ""), LABEL_TYPES[label_type]
    targets = np.stack(
        [
            resize_label(meaning.target(source.label(index, label_type)), (size, size), "nearest")
            for index in range(len(names))
        ]
    )

    def perfect(labels: np.ndarray) -> np.ndarray:
        return np.eye(len(meaning.classes), dtype=np.float32)[labels] * (labels >= 0)[..., None]

    everything = np.arange(len(names))
    confusions, _ = count_images(perfect, targets, source, meaning, everything, "lanczos4", batch_size=16)
    assert summary(confusions, meaning.classes, "test")["test/mean_iou"] >= at_least
