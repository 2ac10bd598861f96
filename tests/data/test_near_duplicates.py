"""Near duplicates: which images are similar, what of them is listed, counted and connected."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest

from activation_study.data.near_duplicates import NearDuplicates, Thumbnails, near_duplicates
from activation_study.data.preprocessing import PreprocessedData
from activation_study.data.scenes.generator import draw_scenes


def no_progress(items: Sequence[Any], what: str) -> Sequence[Any]:
    return items


def noise_images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def find(images: np.ndarray, parts: Sequence[str] = (), labels: np.ndarray | None = None) -> NearDuplicates:
    if labels is None:
        labels = np.zeros(images.shape[:3], np.int8)
    parts = parts or ["train"] * len(images)
    preprocessed = PreprocessedData(images, labels)
    return near_duplicates(Thumbnails(preprocessed), preprocessed, parts, no_progress)


def test_near_duplicates_are_found_and_other_images_are_not() -> None:
    scenes = draw_scenes(12, 0)
    images = np.stack([cv2.resize(scenes.image(index), (64, 64)) for index in range(12)])
    assert find(images) == NearDuplicates((), 0, 0, 0, 0, tuple(range(12)))
    images[7] = images[2]
    compressed = cv2.imencode(".jpg", images[4], [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    images[9] = np.clip(cv2.imdecode(compressed, cv2.IMREAD_COLOR) * 0.9 + 8, 0, 255)
    labels = np.zeros((12, 64, 64), np.int8)
    labels[9, :16] = 1
    found = find(images, labels=labels)
    first, second = found.listed
    assert (first.first, first.second, first.identical, first.agreement) == (2, 7, True, 1.0)
    assert (second.first, second.second, second.identical, second.agreement) == (4, 9, False, 0.75)
    assert first.similarity == 1
    assert 0.97 < second.similarity < 1
    assert found.group_of == (0, 1, 2, 3, 4, 5, 6, 2, 8, 4, 10, 11)


def test_identical_images_of_one_colour_are_found_and_different_ones_are_not() -> None:
    images = noise_images(5)
    images[1] = images[3] = 0
    images[4] = 255
    found = find(images)
    assert [(pair.first, pair.second, pair.similarity, pair.identical) for pair in found.listed] == [(1, 3, 1.0, True)]


def test_images_are_compared_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    images = noise_images(11)
    images[10] = images[6] = images[1]
    in_one_block = find(images)
    monkeypatch.setattr("activation_study.data.near_duplicates._BLOCK", 4)
    in_blocks = find(images)
    for found in (in_one_block, in_blocks):
        assert [(pair.first, pair.second) for pair in found.listed] == [(1, 6), (1, 10), (6, 10)]
        assert found.group_of == (0, 1, 2, 3, 4, 5, 1, 7, 8, 9, 1)


def test_pairs_across_the_split_come_first_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    images = noise_images(9)
    images[1] = images[2] = images[0]
    images[4] = np.clip(images[3].astype(int) + (images[3] > 128), 0, 255)
    images[6] = images[5]
    images[8] = images[7]
    parts = ["train", "train", "validation", "train", "test", "left out", "test", "test", "train"]
    found = find(images, parts)
    pairs = [(pair.first, pair.second) for pair in found.listed]
    assert pairs[:3] == [(0, 2), (1, 2), (7, 8)], "across the split and identical"
    assert pairs[3:] == [(3, 4), (0, 1), (5, 6)], "across the split; identical; with an image that is left out"
    assert (found.count, found.across_split, found.with_test, found.identical_with_test) == (6, 4, 2, 1)
    monkeypatch.setattr("activation_study.data.near_duplicates.MAX_LISTED", 2)
    fewer = find(images, parts)
    assert [(pair.first, pair.second) for pair in fewer.listed] == [(0, 2), (1, 2)]
    assert (fewer.count, fewer.group_of) == (6, (0, 0, 0, 3, 3, 5, 5, 7, 7))
