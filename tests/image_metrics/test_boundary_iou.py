"""Boundary IoU by hand, and against erosions of each class's mask as in the paper's description."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from activation_study.image_metrics.boundary_iou import boundary_iou, count_boundaries, distance

NO_CONFIDENCE = np.zeros((0, 0), np.float32)


def counted(truth: NDArray[np.int16], predicted: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    return count_boundaries(truth, predicted, NO_CONFIDENCE, classes)


def blobs(seed: int, height: int = 90, width: int = 120, classes: int = 3) -> NDArray[np.int16]:
    noise = np.random.default_rng(seed).random((height, width, classes), np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 6).argmax(axis=-1).astype(np.int16)


def boundary_of_mask(mask: NDArray[np.bool_], steps: int) -> NDArray[np.bool_]:
    """A mask without what is left after eroding it step by step, the outside of the image being background."""
    padded = np.pad(mask.astype(np.uint8), 1)
    return mask & (cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=steps)[1:-1, 1:-1] == 0)


def test_the_distance_is_two_percent_of_the_diagonal() -> None:
    assert distance(240, 320) == 8
    assert distance(30, 40) == 1
    assert distance(4, 4) == 1


def test_the_counts_are_those_of_eroded_masks() -> None:
    truth, predicted = blobs(0), blobs(1)
    found = counted(truth, predicted.astype(np.uint8), 3)
    steps = round(0.02 * 150)
    for each in range(3):
        near = boundary_of_mask(truth == each, steps)
        near_predicted = boundary_of_mask(predicted == each, steps)
        assert found[each].tolist() == [(near & near_predicted).sum(), near.sum(), near_predicted.sum()]


def test_a_perfect_prediction_scores_one_whatever_it_says_where_there_is_no_label() -> None:
    truth, predicted = blobs(0), blobs(0).astype(np.uint8)
    truth[20:50, 30:70], predicted[20:50, 30:70] = -1, 1
    counts = counted(truth, predicted, 3)
    np.testing.assert_array_equal(counts[:, 0], counts[:, 1])
    np.testing.assert_array_equal(counts[:, 0], counts[:, 2])
    assert boundary_iou(counts[None]) == 1


def test_where_labels_end_is_no_contour() -> None:
    truth = np.zeros((9, 9), np.int16)
    truth[:, 5:] = -1
    counts = counted(truth, np.zeros((9, 9), np.uint8), 1)
    assert counts.tolist() == [[9 + 4 + 4, 9 + 4 + 4, 9 + 4 + 4]], "the left, upper and lower edge of five columns"


def test_classes_are_pooled_over_images_and_averaged_if_they_are_in_the_truth() -> None:
    counts = np.array([[[3, 6, 5], [0, 0, 4], [1, 2, 2]], [[1, 4, 3], [0, 0, 0], [2, 2, 2]]])
    assert boundary_iou(counts) == pytest.approx((4 / (10 + 8 - 4) + 3 / (4 + 4 - 3)) / 2)
    assert np.isnan(boundary_iou(np.zeros((2, 3, 3), np.int64)))


def test_a_shifted_contour_costs_more_than_in_the_mean_iou() -> None:
    truth = np.zeros((240, 320), np.int16)
    truth[:, 160:] = 1
    shifted = np.zeros((240, 320), np.uint8)
    shifted[:, 166:] = 1
    counts = counted(truth, shifted, 2)
    # Class 0 loses none of its pixels, and gains six columns; both contours are 8 pixels wide.
    assert boundary_iou(counts[None]) < 0.9 < np.mean([160 / 166, 154 / 160])
