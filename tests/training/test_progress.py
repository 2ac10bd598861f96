"""Durations are formatted in at most two units."""

import pytest

from activation_study.console import format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (45, "45 s"), (61, "1 min"), (3599, "1 h 0 min"), (12000, "3 h 20 min"), (183600, "2 d 3 h")],
)
def test_durations_are_readable(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
