"""Values that stand for missing data, told from measurements."""

from typing import Any

import numpy as np
import pytest

from activation_study.data.images.missing_data import missing_value, range_without, share_outside


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([-9999, 0, 10_000], np.int16), -9999),
        (np.array([-32768, 0, 1800], np.int16), -32768),
        (np.array([0, 1, np.finfo(np.float32).min], np.float32), float(np.finfo(np.float32).min)),
        (np.array([0, 1, 1e20]), 1e20),
        (np.array([-9999.0, -9999.0]), -9999),
        (np.array([-9999, 0, 9999, -9000], np.int16), None),  # near the others
        (np.array([-5000, 0, 1000], np.int16), None),
        (np.array([0, 65535], np.uint16), None),
    ],
)
def test_the_usual_values_count_where_they_are_far_from_all_others(values: Any, expected: float | None) -> None:
    assert missing_value(values) == expected


def test_ranges_and_shares_leave_missing_values_out() -> None:
    values = np.array([-9999, -9999, 0, 1, 2, 3], np.float32)
    assert range_without(values, -9999) == (0, 3)
    assert range_without(values[:2], -9999) is None
    assert share_outside(values, (0, 2), -9999) == 0.25
    assert share_outside(values, (0, 2), None) == 0.5
    assert share_outside(values[:2], (0, 2), -9999) == 0
