"""How numbers and names are written in tables, figures and sentences."""

from collections.abc import Sequence

import numpy as np

from activation_study.analysis.statistics.paired import Interval
from activation_study.config.contrasts import MINUS, arms_in
from activation_study.config.factor import JOINT

MAX_DIGITS = 4  # of points
_KNOWN_NAMES = {
    **{"relu": "ReLU", "mish": "Mish", "frelu": "FReLU", "silu": "SiLU", "gelu": "GELU", "elu": "ELU"},
    **{"adam_amsgrad": "Adam-AMSGrad", "adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "lion": "Lion", "muon": "Muon"},
}
LEVEL = 0.05
SMALLEST_WRITTEN_P = 0.001


def format_interval(interval: Interval, signed: bool = False, unit: str = "") -> str:
    """An interval in points of IoU: "1.4 [0.3, 2.5]", or with the unit " points" "1.4 points [0.3, 2.5]".

    One that excludes 0 has as many digits as it takes to show it. The value of a single run has none.
    """
    if np.isnan(interval.low):
        return format_points(interval.value, signed) + unit
    nearest = min(abs(interval.low), abs(interval.high)) if interval.low > 0 or interval.high < 0 else np.inf
    digits = next((digits for digits in range(1, MAX_DIGITS) if round(100 * nearest, digits) > 0), MAX_DIGITS)
    value, low, high = (
        format_points(number, signed, digits) for number in (interval.value, interval.low, interval.high)
    )
    return f"{value}{unit} [{low}, {high}]"


def format_level(level: Interval) -> str:
    """A mean IoU in percent with its interval, without what no IoU can be: "96.0 [89.5, 100.0]"."""
    return format_interval(Interval(level.value, max(level.low, 0.0), min(level.high, 1.0)))


def format_points(value: float, signed: bool = False, digits: int = 1) -> str:
    """An IoU, or a difference of two, in points: "1.4"; a zero has no sign."""
    text = f"{100 * value:{'+' if signed else ''}.{digits}f}"
    return f"{0:.{digits}f}" if float(text) == 0 else text.replace("-", "−")


def format_p(p: float, digits: int = 3) -> str:
    """A p value: "0.025", or "< 0.001"; one near 0.05 has as many digits as it takes to tell the side."""
    while digits < MAX_DIGITS + 2 and (round(p, digits) < LEVEL) != (p < LEVEL):
        digits += 1
    return f"{p:.{digits}f}" if p >= SMALLEST_WRITTEN_P else f"< {SMALLEST_WRITTEN_P}"


def p_is(p: float) -> str:
    """A p value in a sentence: "p = 0.025" or "p < 0.001"."""
    text = format_p(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def pair_name(a: str, b: str) -> str:
    """The difference of two activations as written in prose: "Mish − ReLU"."""
    return f"{display_name(a)}{MINUS}{display_name(b)}"


def display_name(name: str) -> str:
    """The name of an arm as written in prose; of a difference of two in parentheses."""
    if MINUS in name:
        return f"({MINUS.join(map(display_name, arms_in(name)))})"
    first, _, rest = name.partition(" ")
    return f"{JOINT.join(_KNOWN_NAMES.get(each, each) for each in first.split(JOINT))} {rest}".strip()


def listed(parts: Sequence[str]) -> str:
    """Parts of a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
