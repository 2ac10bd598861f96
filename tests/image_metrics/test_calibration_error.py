"""The expected calibration error by hand, and of drawn predictions whose calibration is known."""

import numpy as np
import pytest

from activation_study.image_metrics.calibration_error import BINS, count_confidences, expected_calibration_error


def test_the_error_by_hand() -> None:
    truth = np.array([[0, 1, 1, -1]], np.int16)
    predicted = np.array([[0, 1, 0, 0]], np.uint8)
    confidence = np.array([[0.75, 0.5, 1.0, 0.25]], np.float32)
    counts = count_confidences(truth, predicted, confidence, 2)
    assert counts.shape == (BINS, 3)
    assert counts[int(0.75 * BINS)].tolist() == [1, 1, 0.75 * 2**16]
    assert counts[BINS - 1].tolist() == [1, 0, 2**16], "a confidence of 1 is in the last bin"
    assert counts[:, 0].sum() == 3, "the pixel without a label does not count"
    assert expected_calibration_error(counts[None]) == pytest.approx((0.25 + 0.5 + 1) / 3)


def test_values_beyond_one_by_lanczos_count_as_one() -> None:
    truth, predicted = np.zeros((1, 2), np.int16), np.zeros((1, 2), np.uint8)
    counts = count_confidences(truth, predicted, np.array([[1.02, 1.0]], np.float32), 2)
    assert counts[BINS - 1].tolist() == [2, 2, 2 * 2**16]
    assert expected_calibration_error(counts[None]) == 0


def test_a_calibrated_prediction_has_no_error_and_an_overconfident_one_has_its_own() -> None:
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.5, 1, (10, 200, 200)).astype(np.float32)
    right = generator.random(confidence.shape) < confidence
    truth = np.zeros(confidence.shape, np.int16)
    predicted = np.where(right, 0, 1).astype(np.uint8)
    images = list(zip(truth, predicted, confidence, strict=True))
    assert expected_calibration_error(np.stack([count_confidences(*image, 2) for image in images])) < 0.004
    bold = np.stack([count_confidences(each, shown, (1 + p) / 2, 2) for each, shown, p in images])
    assert expected_calibration_error(bold) == pytest.approx(0.125, abs=0.004), "the mean of (1 − p) / 2"


def test_the_bins_are_pooled_over_the_images() -> None:
    counts = np.zeros((2, BINS, 3), np.int64)
    counts[0, 3], counts[1, 3] = [10, 10, 0.5 * 10 * 2**16], [10, 0, 0.5 * 10 * 2**16]
    assert expected_calibration_error(counts) == 0, "too low on one image, too high on the other"
    assert np.isnan(expected_calibration_error(np.zeros((2, BINS, 3), np.int64)))
