"""Numbers as they are written."""

import pytest

from activation_study.analysis.formatting import format_interval, format_level, format_p, p_is
from activation_study.analysis.statistics.paired import Interval


def test_a_p_near_the_level_is_written_on_its_side_of_it() -> None:
    assert [format_p(p) for p in (0.0497, 0.04996, 0.05, 0.0504, 0.0494, 0.0002)] == [
        "0.0497", "0.04996", "0.050", "0.050", "0.049", "< 0.001",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(0.014, 0.003, 0.025), "+1.4 [+0.3, +2.5]"),
        (Interval(0.01, -0.0004, 0.0204), "+1.0 [0.0, +2.0]"),  # it contains 0
        (Interval(0.01, 0.0004, 0.0196), "+1.00 [+0.04, +1.96]"),
        (Interval(-0.01, -0.019996, -0.000004), "−1.0000 [−1.9996, −0.0004]"),
        (Interval(0.0, 0.0, 0.0), "0.0 [0.0, 0.0]"),
    ],
)
def test_an_interval_that_excludes_0_is_not_rounded_to_hold_it(interval: Interval, text: str) -> None:
    assert format_interval(interval, signed=True) == text


def test_p_in_a_sentence() -> None:
    assert [p_is(p) for p in (0.0249, 0.0001, 0.04996)] == ["p = 0.025", "p < 0.001", "p = 0.04996"]


def test_a_level_ends_where_no_iou_can_be() -> None:
    assert format_level(Interval(0.96, 0.895, 1.025)) == "96.0 [89.5, 100.0]"
    assert format_level(Interval(0.2, -0.1, 0.5)) == "20.0 [0.0, 50.0]"
    assert format_level(Interval(0.5, 0.4, 0.6)) == "50.0 [40.0, 60.0]"
