"""A data set looked at: what is counted, which pictures are alike, which labels had better be looked at."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from activation_study.data.audit import alike, inspect, sources_of
from activation_study.data.iccv09 import open_iccv09
from activation_study.data.label_types import LABEL_TYPES, LabelType
from activation_study.data.preprocessing import PreprocessedData, preprocess
from activation_study.data.scenes.generator import draw_scenes
from activation_study.data.splits import Split, split

KIND = LabelType("surfaces", ("sky", "horizontal", "vertical"))


class Drawn:
    """Labels given as arrays."""

    name, digest = "drawn", "0"

    def __init__(self, labels: dict[str, np.ndarray]) -> None:
        self.names = tuple(labels)
        self._labels = [np.array(label, np.int16) for label in labels.values()]

    def image(self, index: int) -> np.ndarray:
        raise AssertionError("pictures are compared as they are prepared")

    def label(self, index: int, label_type: str) -> np.ndarray:
        return self._labels[index]


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)


def everything(images: np.ndarray) -> PreprocessedData:
    return PreprocessedData(images, np.zeros(images.shape[:3], np.int8))


def test_sizes_counts_and_parts() -> None:
    labels = {"a": [[0, 0, 1]], "b": [[-1, 2], [2, 2]], "c": [[1, 1, 1]], "d": [[0, 1]]}
    parts = Split(np.array([0]), np.array([1]), np.array([3]))
    found = inspect(Drawn(labels), everything(pictures(4)), parts, KIND, list)
    assert found.sizes == ((1, 3), (2, 2), (1, 3), (1, 2))
    assert found.counts.tolist() == [[2, 1, 0, 0], [0, 0, 3, 1], [0, 3, 0, 0], [1, 1, 0, 0]]
    assert found.part_of == ("train", "validation", "left out", "test")


def test_suspicious_labels_are_named_with_the_reason() -> None:
    labels = {
        "a": [[0, 1, 0, 1]],
        "b": [[0, 1, 0, 1]],
        "c": [[-1, -1, -1, 0]],
        "d": [[0, 1, 2, 0]],
        "e": [[1, 0, 0, 0]],
    }
    found = inspect(Drawn(labels), everything(pictures(5)), split(5, "sorted"), KIND, list)
    assert found.suspicious == (
        (2, "75% unknown"),
        (2, "nothing but sky"),
        (3, "vertical is in no other picture"),
        (1, "has the very label of a, another picture"),
    )


def test_a_repeated_picture_may_have_the_same_label() -> None:
    images = pictures(5)
    images[1] = images[0]
    labels = {"a": [[0, 1, 0, 1]], "b": [[0, 1, 0, 1]], "c": [[0, 1]], "d": [[1, 0]], "e": [[1, 1, 0, 0]]}
    found = inspect(Drawn(labels), everything(images), split(5, "sorted"), KIND, list)
    assert found.suspicious == ()


def test_alike_pictures_are_found_and_others_are_not() -> None:
    scenes = draw_scenes(12, 0)
    images = np.stack([cv2.resize(scenes.image(index), (64, 64)) for index in range(12)])
    assert alike(everything(images)) == []
    images[7] = images[2]
    kept = cv2.imencode(".jpg", images[4], [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    images[9] = np.clip(cv2.imdecode(kept, cv2.IMREAD_COLOR) * 0.9 + 8, 0, 255)
    labels = np.zeros((12, 64, 64), np.int8)
    labels[9, :16] = 1
    first, second = alike(PreprocessedData(images, labels))
    assert (first.first, first.second, first.identical, first.agreement) == (2, 7, True, 1.0)
    assert (second.first, second.second, second.identical, second.agreement) == (4, 9, False, 0.75)
    assert first.similarity == pytest.approx(1, abs=1e-5)
    assert 0.97 < second.similarity < 1


def test_more_pictures_than_a_block_are_compared_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    images = pictures(11)
    images[10] = images[1]
    whole = alike(everything(images))
    monkeypatch.setattr("activation_study.data.audit._BLOCK", 4)
    assert [(pair.first, pair.second) for pair in alike(everything(images))] == [(1, 10)]
    assert [(pair.first, pair.second) for pair in whole] == [(1, 10)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["berlin/1", "berlin/2", "paris/1", "paris/2"], ["berlin", "berlin", "paris", "paris"]),
        (["0001TP_1", "0001TP_2", "Seq-1", "Seq-2"], ["0001TP", "0001TP", "Seq", "Seq"]),
        (["cat12", "cat13", "dog1", "dog2"], ["cat", "cat", "dog", "dog"]),
        (["6000001", "6000002", "9000001", "9000002"], ["6", "6", "9", "9"]),
        (["1", "2", "10", "20"], None),
        (["a", "b", "c", "d"], None),
        (["x_1", "x_2", "x_3", "x_4"], None),
    ],
)
def test_where_pictures_come_from_as_far_as_names_tell(names: list[str], expected: list[str] | None) -> None:
    assert sources_of(names) == (None if expected is None else tuple(expected))


def test_the_stanford_set_has_six_alike_pairs_across_the_articles_split(stanford_root: Path, tmp_path: Path) -> None:
    source = open_iccv09(stanford_root, "stanford", None, tmp_path / "stamps")
    preprocessed = preprocess(source, LABEL_TYPES["regions"], (64, 64), "bgr", "bilinear", tmp_path)
    found = inspect(source, preprocessed, split(715, "sorted"), LABEL_TYPES["regions"], list)
    pairs = {(found.names[pair.first], found.names[pair.second]): pair for pair in found.pairs}
    identical = {names for names, pair in pairs.items() if pair.identical}
    assert identical == {("6000068", "6000318"), ("6000117", "6000324"), ("6000257", "6000348")}
    assert pairs.keys() - identical == {("1001184", "9001184"), ("1000288", "9000288"), ("1000875", "9000875")}
    assert all(found.crosses(pair) and found.part_of[pair.second] == "test" for pair in found.pairs)
    assert [(found.names[place], reason) for place, reason in found.suspicious] == [("2000033", "66% unknown")]
    assert found.counts.sum(axis=0)[-1] / found.counts.sum() == pytest.approx(0.00515, abs=1e-5)
    assert set(found.sources or ()) == set("012345689")
