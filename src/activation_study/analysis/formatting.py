"""How numbers and names are written in tables, figures and sentences."""

from activation_study.analysis.statistics import (
    Interval,
)


def format_interval(interval: Interval, signed: bool = False) -> str:
    """An interval in points of IoU: 1.4 [0.3, 2.5]."""
    value, low, high = (format_points(each, signed) for each in (interval.value, interval.low, interval.high))
    return f"{value} [{low}, {high}]"


def format_points(value: float, signed: bool = False) -> str:
    """An IoU, or a difference of two, in points: 1.4; a zero has no sign."""
    text = f"{100 * value:{'+' if signed else ''}.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def pair_name(a: str, b: str) -> str:
    """The difference of two activations as it is written in prose: "Mish − ReLU"."""
    return f"{display_name(a)} − {display_name(b)}"


def display_name(name: str) -> str:
    """An activation's name as it is written in prose."""
    known = {"relu": "ReLU", "mish": "Mish", "frelu": "FReLU", "silu": "SiLU", "gelu": "GELU", "elu": "ELU"}
    first, _, rest = name.partition(" ")
    return f"{known.get(first, first)} {rest}".strip()
