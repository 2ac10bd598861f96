"""Values that stand for missing data: rasters have −9999 or the lowest number of their type where nothing was measured.

Such a value is far from all others, and a range that has it makes everything else equal.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

USUAL = (-9999.0, -99999.0, -32767.0, -32768.0, -2147483648.0)
HUGE = 1e20  # no measurement, but e.g. ±3.4e38, the limits of float32
APART = 0.1  # of the range of all other values: a value that is nearer to them is one of them


def missing_value(values: NDArray[Any]) -> float | None:
    """The lowest or highest value if it looks like one for missing data."""
    if values.dtype.kind == "u":
        return None
    for extreme in (float(values.min()), float(values.max())):
        if extreme in USUAL or abs(extreme) >= HUGE:
            others = range_without(values, extreme)
            if others is None:
                return extreme
            low, high = others
            if min(abs(low - extreme), abs(high - extreme)) > APART * (high - low):
                return extreme
    return None


def range_without(values: NDArray[Any], missing: float) -> tuple[float, float] | None:
    """The lowest and highest of all other values; None if there are none."""
    others = values[values != missing]
    return (float(others.min()), float(others.max())) if others.size else None


def share_outside(values: NDArray[Any], value_range: tuple[float, float], missing: float | None) -> float:
    """The share of values outside of a range, without those for missing data."""
    low, high = value_range
    there = np.ones(values.shape, np.bool_) if missing is None else values != missing
    outside = ((values < low) | (values > high)) & there
    return int(outside.sum()) / max(1, int(there.sum()))
