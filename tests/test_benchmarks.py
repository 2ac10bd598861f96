"""The reference pipeline of the benchmarks gives the same results as this project."""

from pathlib import Path

import numpy as np
import pytest

import reference_unet  # in benchmarks/
from activation_study.data.dataset import Dataset
from activation_study.data.iccv09 import Iccv09Folder
from activation_study.evaluation.evaluate import count_images
from activation_study.metrics import summary
from common import configuration, drawn_folder  # in benchmarks/

SIDE, CLASSES = 64, 3


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("drawn")
    data = drawn_folder(folder / "data", 10)
    return Dataset(configuration(f"data.image_size={SIDE}", f"data.cache={folder / 'cache'}", data=data))


def files(dataset: Dataset) -> tuple[list[Path], list[Path]]:
    source = dataset.source
    assert isinstance(source, Iccv09Folder)
    images = [source.root / "images" / f"{name}.jpg" for name in source.names]
    return images, [source.root / "labels" / f"{name}.surfaces.txt" for name in source.names]


def test_the_reference_preprocesses_alike(dataset: Dataset) -> None:
    xs, ys = reference_unet.preprocess(*files(dataset), CLASSES, SIDE)
    np.testing.assert_allclose(xs, dataset.preprocessed.images / 255, atol=1e-6)
    labels = np.where(ys.any(axis=-1), ys.argmax(axis=-1), -1)
    np.testing.assert_array_equal(labels, dataset.preprocessed.labels)
    assert set(np.unique(labels)) == {-1, 0, 1, 2}


def test_the_reference_computes_the_same_mean_iou(dataset: Dataset) -> None:
    test = dataset.split.test
    outputs = np.random.default_rng(0).random((len(test), SIDE, SIDE, CLASSES), np.float32)
    reference = reference_unet.mean_iou(list(outputs), [files(dataset)[1][index] for index in test], CLASSES)
    confusions, _ = count_images(
        lambda images: outputs,
        dataset.preprocessed.images,
        dataset.source,
        dataset.label_type,
        test,
        "lanczos4",
        len(test),
    )
    ours = summary(confusions, dataset.label_type.classes)["test/article/mean_iou"]
    assert reference == pytest.approx(ours, abs=1e-12)
    assert 0.05 < reference < 0.6
