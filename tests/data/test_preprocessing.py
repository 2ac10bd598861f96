"""Preprocessed arrays: as in the article, computed once, and computed again if the cache is damaged."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from activation_study.data.iccv09 import Iccv09Folder
from activation_study.data.labels.label_types import LABEL_TYPES, LabelType
from activation_study.data.labels.nearest import resize_nearest
from activation_study.data.preprocessing import PreprocessedData, preprocess
from activation_study.errors import BadInput

SIZE = (8, 10)
REGIONS, SURFACES, LAYERS = (LABEL_TYPES[name] for name in ("regions", "surfaces", "layers"))
REAL = ("0000051", "1000580", "1100007", "2000033", "2000034", "3000072", "6000047", "8003131")


class CountingFolder(Iccv09Folder):
    """Records what is read."""

    def image(self, index: int) -> Any:
        reads.append(("image", index))
        return super().image(index)

    def label(self, index: int, label_type: str) -> Any:
        reads.append((label_type, index))
        return super().label(index, label_type)


reads: list[tuple[str, int]] = []


@pytest.fixture
def source(tmp_path: Path, write_iccv09: Callable[..., Path]) -> CountingFolder:
    reads.clear()
    return CountingFolder("own", write_iccv09(tmp_path / "data set", names=("1", "2", "3")), ("1", "2", "3"), "d" * 64)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def preprocess_with(source: Any, cache: Path, label_type: LabelType = REGIONS, **overrides: Any) -> PreprocessedData:
    options = {"size": SIZE, "channel_order": "bgr", "label_interpolation": "bilinear", **overrides}
    return preprocess(source, label_type, cache=cache, **options)


def files(cache: Path) -> dict[str, int]:
    """The files in the cache with their modification times in nanoseconds."""
    return {str(path.relative_to(cache)): path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}


def file(cache: Path, prefix: str) -> Path:
    (path,) = cache.rglob(f"{prefix}*.npy")
    return path


# --- the article's preprocessing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(64, 64), (224, 224), (32, 96)])
@pytest.mark.parametrize("label_type", [REGIONS, SURFACES], ids=lambda label_type: label_type.name)
def test_the_arrays_of_real_images_equal_those_of_the_article(
    stanford_root: Path, cache: Path, label_type: LabelType, size: tuple[int, int]
) -> None:
    preprocessed = preprocess_with(
        Iccv09Folder("stanford", stanford_root, REAL, "e" * 64), cache, label_type, size=size
    )
    height, width = size
    classes = len(label_type.classes)
    unknown = 0
    for index, name in enumerate(REAL):
        image = cv2.imread(str(stanford_root / f"images/{name}.jpg"))
        np.testing.assert_array_equal(preprocessed.images[index], cv2.resize(image, (width, height)))
        matrix = np.loadtxt(stanford_root / f"labels/{name}.{label_type.name}.txt", dtype=np.float64)
        resized = cv2.resize(matrix, (width, height))
        target = np.stack([resized == class_id for class_id in range(classes)], axis=-1)  # one-hot by equality
        expected = np.where(target.any(axis=-1), target.argmax(axis=-1), -1)
        np.testing.assert_array_equal(preprocessed.labels[index], expected)
        unknown += np.count_nonzero(expected == -1)
    assert 0 < unknown < 0.5 * preprocessed.labels.size


def test_shapes_and_types_are_as_documented(source: CountingFolder, cache: Path) -> None:
    preprocessed = preprocess_with(source, cache)
    assert (preprocessed.images.shape, preprocessed.images.dtype) == ((3, *SIZE, 3), np.uint8)
    assert (preprocessed.labels.shape, preprocessed.labels.dtype) == ((3, *SIZE), np.int8)


def test_rgb_is_reversed_bgr(source: CountingFolder, cache: Path) -> None:
    bgr, rgb = (preprocess_with(source, cache, channel_order=order).images for order in ("bgr", "rgb"))
    np.testing.assert_array_equal(rgb, bgr[..., ::-1])
    assert (rgb != bgr).any()


def test_nearest_labels_have_ids_of_the_file(source: CountingFolder, cache: Path) -> None:
    bilinear, nearest = (
        preprocess_with(source, cache, label_interpolation=name).labels for name in ("bilinear", "nearest")
    )
    for index in range(3):
        expected = resize_nearest(source.label(index, "regions"), SIZE)
        np.testing.assert_array_equal(nearest[index], expected)
    assert (bilinear != nearest).any()


def test_layers_are_border_maps_by_nearest_neighbour_and_cached_by_width(source: CountingFolder, cache: Path) -> None:
    one, two = (preprocess_with(source, cache, LabelType("layers", ("interior", "border"), width)) for width in (1, 2))
    assert set(np.unique(one.labels)) <= {-1, 0, 1}
    assert len(list(cache.rglob("layers*.npy"))) == 2
    target = LabelType("layers", ("interior", "border"), 1).target(source.label(0, "layers"))
    expected = resize_nearest(target, SIZE)
    np.testing.assert_array_equal(one.labels[0], expected)
    assert (two.labels >= one.labels).all()


# --- the cache -------------------------------------------------------------------------------------------------------


def test_the_second_call_reads_the_arrays_only(source: CountingFolder, cache: Path) -> None:
    first = preprocess_with(source, cache)
    assert len(reads) == 6
    before = files(cache)
    assert len(before) == 2, "no temporary file is left"
    second = preprocess_with(source, cache)
    assert len(reads) == 6
    assert files(cache) == before
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.labels, second.labels)


def test_the_arrays_are_read_only_memory_maps(source: CountingFolder, cache: Path) -> None:
    preprocessed = preprocess_with(source, cache)
    assert isinstance(preprocessed.images, np.memmap)
    assert not preprocessed.images.flags.writeable
    assert not preprocessed.labels.flags.writeable


def test_images_are_stored_once_for_two_label_types(source: CountingFolder, cache: Path) -> None:
    first = preprocess_with(source, cache, REGIONS)
    before = files(cache)
    second = preprocess_with(source, cache, SURFACES)
    assert sorted(Path(name).name.split("-")[0] for name in files(cache)) == ["images", "regions", "surfaces"]
    assert before.items() <= files(cache).items()
    assert [read for read in reads if read[0] == "image"] == [("image", 0), ("image", 1), ("image", 2)]
    np.testing.assert_array_equal(first.images, second.images)
    assert (first.labels != second.labels).any()


@pytest.mark.parametrize("prefix", ["images", "regions"])
@pytest.mark.parametrize("damage", ["one byte short", "half", "empty", "no array", "another shape", "another type"])
def test_a_damaged_array_is_computed_again(source: CountingFolder, cache: Path, prefix: str, damage: str) -> None:
    expected = preprocess_with(source, cache)
    images, labels = np.array(expected.images), np.array(expected.labels)
    del expected
    path = file(cache, prefix)
    whole = path.read_bytes()
    array = np.load(path)
    if damage == "another shape":
        np.save(path, array[:2])
    elif damage == "another type":
        np.save(path, array.astype(np.int16))
    else:
        shorter = {"one byte short": whole[:-1], "half": whole[: len(whole) // 2], "empty": b"", "no array": b"x" * 999}
        path.write_bytes(shorter[damage])
    again = preprocess_with(source, cache)
    assert path.read_bytes() == whole
    np.testing.assert_array_equal(again.images, images)
    np.testing.assert_array_equal(again.labels, labels)


@pytest.mark.parametrize(
    "overrides", [{"size": (10, 8)}, {"size": (16, 10)}, {"channel_order": "rgb"}, {"label_interpolation": "nearest"}]
)
def test_other_options_do_not_use_the_cached_arrays(
    source: CountingFolder, cache: Path, overrides: dict[str, Any]
) -> None:
    preprocess_with(source, cache)
    before = files(cache)
    preprocessed = preprocess_with(source, cache, **overrides)
    fresh = preprocess_with(source, cache.with_name("fresh"), **overrides)
    np.testing.assert_array_equal(preprocessed.images, fresh.images)
    np.testing.assert_array_equal(preprocessed.labels, fresh.labels)
    assert before.items() < files(cache).items()


def test_other_content_does_not_use_the_cached_arrays(
    source: CountingFolder, cache: Path, tmp_path: Path, write_iccv09: Callable[..., Path]
) -> None:
    preprocess_with(source, cache)
    other = Iccv09Folder("own", write_iccv09(tmp_path / "other", ("4", "5", "6"), (20, 30)), ("4", "5", "6"), "f" * 64)
    assert (preprocess_with(other, cache).images != preprocess_with(source, cache).images).any()
    assert len(files(cache)) == 4


def test_an_error_while_computing_leaves_no_array(source: CountingFolder, cache: Path) -> None:
    (source.root / "images/3.jpg").unlink()
    with pytest.raises(BadInput, match=r"images/3\.jpg"):
        preprocess_with(source, cache)
    assert files(cache) == {}


def test_a_cache_that_cannot_be_written_is_reported_with_the_fix(source: CountingFolder, cache: Path) -> None:
    cache.write_text("a file, not a folder")
    with pytest.raises(BadInput, match=r"cannot write the preprocessed arrays: .*\. Set data\.cache=FOLDER") as error:
        preprocess_with(source, cache)
    assert os.fspath(cache) in str(error.value)
