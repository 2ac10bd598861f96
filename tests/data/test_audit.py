"""The audit of a data set: counts, near duplicates, groups, and labels that need review."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.data.audit import audit_dataset
from activation_study.data.iccv09 import open_iccv09
from activation_study.data.labels.label_types import LABEL_TYPES, LabelType
from activation_study.data.preprocessing import PreprocessedData, preprocess
from activation_study.data.splitting.splits import Split, split

SURFACES = LabelType("surfaces", ("sky", "horizontal", "vertical"))


def no_progress(items: Sequence[Any], what: str) -> Sequence[Any]:
    return items


class ArraySource:
    """A source with the given labels."""

    name, digest = "arrays", "0"

    def __init__(self, labels: dict[str, np.ndarray]) -> None:
        self.names = tuple(labels)
        self._labels = [np.array(label, np.int16) for label in labels.values()]

    def image(self, index: int) -> np.ndarray:
        raise AssertionError("preprocessed images are compared")

    def label(self, index: int, label_type: str) -> np.ndarray:
        return self._labels[index]


def noise_images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def with_empty_labels(images: np.ndarray) -> PreprocessedData:
    return PreprocessedData(images, np.zeros(images.shape[:3], np.int8))


def test_sizes_counts_and_parts() -> None:
    labels = {"a": [[0, 0, 1]], "b": [[-1, 2], [2, 2]], "c": [[1, 1, 1]], "d": [[0, 1]]}
    parts = Split(np.array([0]), np.array([1]), np.array([3]))
    audit = audit_dataset(ArraySource(labels), with_empty_labels(noise_images(4)), parts, SURFACES, no_progress)
    assert audit.sizes == ((1, 3), (2, 2), (1, 3), (1, 2))
    assert audit.counts.tolist() == [[2, 1, 0, 0], [0, 0, 3, 1], [0, 3, 0, 0], [1, 1, 0, 0]]
    assert audit.part_of == ("train", "validation", "left out", "test")


def test_suspicious_labels_are_listed_with_the_reason() -> None:
    labels = {
        "a": [[0, 1, 0, 1]],
        "b": [[0, 1, 0, 1]],
        "c": [[-1, -1, -1, 0]],
        "d": [[0, 1, 2, 0]],
        "e": [[1, 0, 0, 0]],
    }
    audit = audit_dataset(
        ArraySource(labels), with_empty_labels(noise_images(5)), split(5, "sorted"), SURFACES, no_progress
    )
    assert audit.suspicious == (
        (2, "75% unknown; only sky"),
        (3, "the only image with vertical"),
        (1, "same label as a, which is a different image"),
    )


def test_a_duplicate_image_may_have_the_same_label() -> None:
    images = noise_images(5)
    images[1] = images[0]
    labels = {"a": [[0, 1, 0, 1]], "b": [[0, 1, 0, 1]], "c": [[0, 1]], "d": [[1, 0]], "e": [[1, 1, 0, 0]]}
    audit = audit_dataset(ArraySource(labels), with_empty_labels(images), split(5, "sorted"), SURFACES, no_progress)
    assert audit.suspicious == ()


def test_images_that_are_left_out_are_in_no_part() -> None:
    images = noise_images(5)
    images[3], images[4] = images[0], images[2]
    labels = {name: [[0, 1]] for name in "abcde"}
    parts = Split(np.array([0]), np.array([1]), np.array([2]))
    audit = audit_dataset(ArraySource(labels), with_empty_labels(images), parts, SURFACES, no_progress)
    assert [audit.crosses(pair) for pair in audit.duplicates.listed] == [False, False]
    parts = Split(np.array([0]), np.array([1]), np.array([2, 3]))
    audit = audit_dataset(ArraySource(labels), with_empty_labels(images), parts, SURFACES, no_progress)
    assert {(pair.first, audit.crosses(pair)) for pair in audit.duplicates.listed} == {(0, True), (2, False)}


def test_groups_are_those_given_or_else_guessed_from_the_names() -> None:
    labels = {f"{film}_{frame}": [[0, 1]] for film in "xyz" for frame in range(2)}
    arguments = (ArraySource(labels), with_empty_labels(noise_images(6)), split(6, "sorted"), SURFACES, no_progress)
    guessed = audit_dataset(*arguments)
    assert (guessed.groups, guessed.pattern) == (tuple("xxyyzz"), "^([^_]+)_")
    given = audit_dataset(*arguments, groups=tuple("abcdef"))
    assert (given.groups, given.pattern) == (tuple("abcdef"), None)
    assert given.scenes is None


def test_the_stanford_set_has_six_near_duplicates_across_the_split(stanford_root: Path, tmp_path: Path) -> None:
    source = open_iccv09(stanford_root, "stanford", None, tmp_path / "stamps")
    preprocessed = preprocess(source, LABEL_TYPES["regions"], (64, 64), "bgr", "bilinear", tmp_path)
    audit = audit_dataset(source, preprocessed, split(715, "sorted"), LABEL_TYPES["regions"], no_progress)
    pairs = {(audit.names[pair.first], audit.names[pair.second]): pair for pair in audit.duplicates.listed}
    identical = {names for names, pair in pairs.items() if pair.identical}
    assert identical == {("6000068", "6000318"), ("6000117", "6000324"), ("6000257", "6000348")}
    assert pairs.keys() - identical == {("1001184", "9001184"), ("1000288", "9000288"), ("1000875", "9000875")}
    assert all(audit.crosses(pair) and audit.part_of[pair.second] == "test" for pair in audit.duplicates.listed)
    assert [(audit.names[index], reason) for index, reason in audit.suspicious] == [("2000033", "66% unknown")]
    assert audit.counts.sum(axis=0)[-1] / audit.counts.sum() == pytest.approx(0.00515, abs=1e-5)
    assert set(audit.groups or ()) == set("012345689")
