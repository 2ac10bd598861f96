"""How messages count."""

import pytest

from activation_study.data.splitting.splits import split
from activation_study.errors import counted


def test_one_thing_is_singular() -> None:
    with pytest.raises(ValueError, match=r"^1 image is too few"):
        split(1, "sorted")
    assert [counted(number, "run") for number in (0, 1, 2, 1000)] == ["0 runs", "1 run", "2 runs", "1,000 runs"]
