"""Every IoU against a literal implementation of the article's procedure, on random maps and real label files."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from activation_study.data.iccv09 import Iccv09Folder
from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.evaluation.evaluate import count_images, resize_and_argmax
from activation_study.metrics import (
    article_iou,
    confusion,
    contradictory_scores,
    image_iou,
    mean_class_accuracy,
    pixel_accuracy,
    pooled_iou,
    summary,
)

LabelMap = NDArray[np.int64]
# Images of each source (the first digit), including 2000033: two thirds of its `regions` are unlabeled.
NAMES = (
    *("0000051", "0101463", "1000580", "1100007", "2000033", "2000034", "3000072", "3002221"),
    *("5000165", "6000047", "8003131", "9003301"),
)


def article_calc_iou(
    truths: Sequence[LabelMap], predictions: Sequence[LabelMap], classes: int
) -> tuple[list[float], float]:
    """The article's procedure, class by class and image by image, on boolean masks."""
    ious = []
    for number in range(classes):
        image_ious = []
        for truth, prediction in zip(truths, predictions, strict=True):
            true_mask = truth == number
            predicted_mask = prediction == number
            union = np.logical_or(true_mask, predicted_mask).sum()
            if union > 0:
                image_ious.append(np.logical_and(true_mask, predicted_mask).sum() / union)
        ious.append(sum(image_ious) / len(image_ious) if image_ious else -1)
    return ious, sum(ious) / classes


def confusions_of(truths: Sequence[LabelMap], predictions: Sequence[LabelMap], classes: int) -> NDArray[np.int64]:
    pairs = zip(truths, predictions, strict=True)
    return np.stack([confusion(truth.astype(np.int16), predicted, classes) for truth, predicted in pairs])


def random_maps(seed: int, absent: Sequence[int], classes: int = 5) -> tuple[list[LabelMap], list[LabelMap]]:
    """Truths and predictions of several sizes, half correct, with unlabeled pixels and without the `absent` classes."""
    generator = np.random.default_rng(seed)
    present = np.array([number for number in range(classes) if number not in absent])
    truths, predictions = [], []
    for _ in range(6):
        size = tuple(generator.integers(3, 12, 2))
        classes_here = generator.choice(present, generator.integers(1, len(present) + 1), replace=False)
        truth = generator.choice([-1, *classes_here], size)
        predicted = generator.choice(generator.choice(present, 2), size)
        truths.append(truth)
        predictions.append(np.where((generator.uniform(size=size) < 0.5) & (truth >= 0), truth, predicted))
    return truths, predictions


@pytest.fixture(scope="module")
def stanford(stanford_root: Path) -> Iccv09Folder:
    """A dozen images of the data set, not verified again."""
    return Iccv09Folder("stanford", stanford_root, NAMES, "a dozen")


# --- the article's protocol ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("absent", [(), (0,), (4,), (1, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_the_article_iou_equals_the_articles_procedure_on_random_maps(seed: int, absent: tuple[int, ...]) -> None:
    truths, predictions = random_maps(seed, absent)
    expected, mean = article_calc_iou(truths, predictions, 5)
    confusions = confusions_of(truths, predictions, 5)
    np.testing.assert_allclose(article_iou(confusions), expected, rtol=1e-12)
    assert [number for number in range(5) if expected[number] == -1] == list(absent)
    results = summary(confusions, tuple("abcde"))
    assert results["test/article/mean_iou"] == pytest.approx(mean, rel=1e-12)
    assert [results[f"test/article/iou/{name}"] for name in "abcde"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_iou_of_one_image_equals_that_of_its_masks(seed: int) -> None:
    truths, predictions = random_maps(seed, (2,))
    values = image_iou(confusions_of(truths, predictions, 5))
    assert values.shape == (6, 5)
    for row, truth, prediction in zip(values, truths, predictions, strict=True):
        expected = [value if value >= 0 else np.nan for value in article_calc_iou([truth], [prediction], 5)[0]]
        np.testing.assert_allclose(row, expected, rtol=1e-12)
    assert np.isnan(values[:, 2]).all()


@pytest.mark.parametrize("name", ["regions", "surfaces"])
def test_the_article_iou_equals_the_articles_procedure_on_real_labels(stanford: Iccv09Folder, name: str) -> None:
    label_type = LABEL_TYPES[name]
    classes = len(label_type.classes)
    generator = np.random.default_rng(0)
    truths, predictions = [], []
    for index in range(len(NAMES)):
        truth = stanford.label(index, label_type.name)
        shifted = np.roll(np.maximum(truth, 0), generator.integers(-20, 21, 2), axis=(0, 1)).astype(np.int64)
        noise = generator.integers(0, classes, truth.shape)
        truths.append(truth.astype(np.int64))
        predictions.append(np.where(generator.uniform(size=truth.shape) < 0.02, noise, shifted))
    expected, mean = article_calc_iou(truths, predictions, classes)
    confusions = confusions_of(truths, predictions, classes)
    np.testing.assert_allclose(article_iou(confusions), expected, rtol=1e-12)
    assert summary(confusions, label_type.classes)["test/article/mean_iou"] == pytest.approx(mean, rel=1e-12)
    assert (confusions.sum(axis=(1, 2)) == [truth.size for truth in truths]).all()
    unlabeled = confusions[:, classes].sum(axis=1)
    np.testing.assert_array_equal(unlabeled, [(truth < 0).sum() for truth in truths])
    if label_type.name == "regions":
        assert unlabeled[NAMES.index("2000033")] == 44_268


@pytest.mark.parametrize("batch_size", [1, 5, 16])
def test_evaluation_follows_the_article_at_the_size_of_each_label(stanford: Iccv09Folder, batch_size: int) -> None:
    images = np.random.default_rng(1).integers(0, 256, (len(NAMES), 32, 32, 3), dtype=np.uint8)
    indices = np.array([4, 0, 11, 5, 2, 3])

    def predict(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        blurred = np.stack([cv2.GaussianBlur(image.astype(np.float32), (0, 0), 3) for image in images])
        return np.asarray(blurred / blurred.sum(axis=-1, keepdims=True), np.float32)

    truths, predictions = [], []
    for index in indices:
        truth = np.loadtxt(stanford.root / f"labels/{NAMES[index]}.surfaces.txt").astype(np.int64)
        height, width = truth.shape
        assert height != width
        large = cv2.resize(predict(images[index : index + 1])[0], (width, height), interpolation=cv2.INTER_LANCZOS4)
        truths.append(truth)
        predictions.append(large.argmax(axis=-1))
    confusions, _ = count_images(predict, images, stanford, LABEL_TYPES["surfaces"], indices, "lanczos4", batch_size)
    np.testing.assert_array_equal(confusions, confusions_of(truths, predictions, 3))
    expected, _ = article_calc_iou(truths, predictions, 3)
    np.testing.assert_allclose(article_iou(confusions), expected, rtol=1e-12)
    bilinear, _ = count_images(predict, images, stanford, LABEL_TYPES["surfaces"], indices, "bilinear", batch_size)
    assert (bilinear != confusions).any()


def test_a_label_map_has_the_requested_size() -> None:
    probabilities = np.zeros((4, 4, 3), np.float32)
    probabilities[:2, :, 1] = probabilities[2:, :, 2] = 1
    label_map = resize_and_argmax(probabilities, (8, 12), "lanczos4")
    assert label_map.shape == (8, 12)
    assert (label_map[:4] == 1).all()
    assert (label_map[4:] == 2).all()


# --- confusion and pooled values -------------------------------------------------------------------------------------

TRUTH = np.array([[0, 0, 0, 1], [1, 1, -1, -1]], np.int16)
PREDICTED = np.array([[0, 0, 1, 1], [1, 2, 2, 0]], np.int64)


def test_the_confusion_has_truth_in_rows_and_unlabeled_last() -> None:
    counts = confusion(TRUTH, PREDICTED, 4)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, [[2, 1, 0, 0], [0, 2, 1, 0], [0] * 4, [0] * 4, [1, 0, 1, 0]])


def test_every_negative_label_is_unlabeled() -> None:
    np.testing.assert_array_equal(confusion(np.array([[-1, -7]], np.int16), np.array([[1, 1]]), 2)[2], [0, 2])


def test_pooled_values_equal_those_computed_by_hand() -> None:
    counts = confusion(TRUTH, PREDICTED, 4)
    # Class 0: 2 of 3 (the unlabeled pixel predicted as 0 does not count); 1: 2 of 4; 2 and 3 are not in the truth.
    np.testing.assert_allclose(pooled_iou(counts), [2 / 3, 2 / 4, np.nan, np.nan])
    np.testing.assert_allclose(pooled_iou(counts[:4]), pooled_iou(counts))
    assert pixel_accuracy(counts) == pytest.approx(4 / 6)
    assert mean_class_accuracy(counts) == pytest.approx(2 / 3)
    # The article: the unlabeled pixel counts in the union of 0, the false positives give class 2 an IoU of 0, 3 has -1.
    np.testing.assert_allclose(article_iou(counts[None]), [2 / 4, 2 / 4, 0, -1])


def test_pooled_values_equal_those_of_all_pixels_together() -> None:
    truths, predictions = random_maps(8, ())
    truth = np.concatenate([label_map.ravel() for label_map in truths])
    predicted = np.concatenate([label_map.ravel() for label_map in predictions])[truth >= 0]
    truth = truth[truth >= 0]
    pooled = confusions_of(truths, predictions, 5).sum(axis=0)
    expected = [
        np.sum((truth == number) & (predicted == number)) / np.sum((truth == number) | (predicted == number))
        for number in range(5)
    ]
    np.testing.assert_allclose(pooled_iou(pooled), expected)
    assert pixel_accuracy(pooled) == pytest.approx(np.mean(truth == predicted))
    recalls = [np.mean(predicted[truth == number] == number) for number in range(5)]
    assert mean_class_accuracy(pooled) == pytest.approx(np.mean(recalls))


def test_only_the_pooled_mean_leaves_out_absent_classes() -> None:
    results = summary(confusion(TRUTH, PREDICTED, 4)[None], ("a", "b", "c", "d"))
    assert results == pytest.approx(
        {
            "test/mean_iou": (2 / 3 + 1 / 2) / 2,
            "test/pixel_accuracy": 4 / 6,
            "test/mean_class_accuracy": 2 / 3,
            "test/article/mean_iou": (1 / 2 + 1 / 2 + 0 - 1) / 4,
            "test/iou/a": 2 / 3,
            "test/iou/b": 1 / 2,
            "test/article/iou/a": 1 / 2,
            "test/article/iou/b": 1 / 2,
            "test/article/iou/c": 0,
            "test/article/iou/d": -1,
        }
    )


def test_without_the_articles_scores_nothing_is_negative() -> None:
    results = summary(confusion(TRUTH, PREDICTED, 4)[None], ("a", "b", "c", "d"), article=False)
    assert not [key for key in results if "article" in key]
    assert min(results.values()) >= 0


def test_the_articles_scores_are_there_and_right_or_not_there_at_all() -> None:
    counts, classes = confusion(TRUTH, PREDICTED, 4)[None], ("a", "b", "c", "d")
    full, plain = summary(counts, classes), summary(counts, classes, article=False)
    assert contradictory_scores(full, counts, classes) == contradictory_scores(plain, counts, classes) == {}
    part = {key: value for key, value in full.items() if key != "test/article/iou/d"}
    assert contradictory_scores(part, counts, classes) == {"test/article/iou/d": (None, -1.0)}
    changed = {**full, "test/article/mean_iou": 0.9}
    assert contradictory_scores(changed, counts, classes) == {"test/article/mean_iou": (0.9, 0.0)}


def test_a_perfect_prediction_scores_one() -> None:
    truth = np.array([[0, 1, 2]], np.int16)
    results = summary(confusion(truth, truth.astype(np.int64), 3)[None], ("a", "b", "c"))
    assert set(results.values()) == {1.0}


@st.composite
def scored_images(draw: st.DrawFn) -> tuple[int, list[LabelMap], list[LabelMap]]:
    """A number of classes, and truths and predictions of up to four images of any small size."""
    classes = draw(st.integers(1, 5))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lowest = draw(st.sampled_from([-1, 0]))
    truths, predictions = [], []
    for _ in range(draw(st.integers(1, 4))):
        size = (draw(st.integers(1, 6)), draw(st.integers(1, 6)))
        highest = draw(st.integers(0, classes - 1))  # later classes may be absent
        truths.append(generator.integers(lowest, highest + 1, size))
        predictions.append(generator.integers(0, classes, size))
    return classes, truths, predictions


@given(scored_images())
@settings(deadline=None)
def test_both_protocols_match_their_definitions(case: tuple[int, list[LabelMap], list[LabelMap]]) -> None:
    classes, truths, predictions = case
    counts = confusions_of(truths, predictions, classes)
    assert [count.sum() for count in counts] == [truth.size for truth in truths]
    expected, mean = article_calc_iou(truths, predictions, classes)
    np.testing.assert_allclose(article_iou(counts), expected, atol=1e-12)
    assert article_iou(counts).mean() == pytest.approx(mean, abs=1e-12)
    truth, predicted = (np.concatenate([label_map.ravel() for label_map in maps]) for maps in (truths, predictions))
    known = truth >= 0
    for number, iou in enumerate(pooled_iou(counts.sum(axis=0))):
        true, positive = truth[known] == number, predicted[known] == number
        if not true.any():
            assert np.isnan(iou)
        else:
            assert iou == pytest.approx((true & positive).sum() / (true | positive).sum(), abs=1e-12)
            assert 0 <= iou <= 1
    correct = (truth == predicted)[known]
    assert pixel_accuracy(counts.sum(axis=0)) == pytest.approx(correct.mean() if len(correct) else 0)


@given(scored_images(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_metrics_do_not_depend_on_the_order_of_images_or_classes(
    case: tuple[int, list[LabelMap], list[LabelMap]], generator: Random
) -> None:
    classes, truths, predictions = case
    counts = confusions_of(truths, predictions, classes)
    order = generator.sample(range(len(truths)), len(truths))
    np.testing.assert_allclose(article_iou(counts[order]), article_iou(counts), atol=1e-12)
    permutation = np.array(generator.sample(range(classes), classes))
    others = confusions_of(
        [np.where(truth < 0, -1, permutation[truth]) for truth in truths],
        [permutation[predicted] for predicted in predictions],
        classes,
    )
    np.testing.assert_allclose(article_iou(others)[permutation], article_iou(counts), atol=1e-12)
    np.testing.assert_allclose(pooled_iou(others.sum(axis=0))[permutation], pooled_iou(counts.sum(axis=0)), atol=1e-12)
