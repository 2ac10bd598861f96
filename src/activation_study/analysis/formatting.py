"""How numbers and names are written in tables, figures and sentences."""

from activation_study.analysis.statistics import Interval

SMALLEST_WRITTEN_P = 0.001


def format_interval(interval: Interval, signed: bool = False, unit: str = "") -> str:
    """An interval in points of IoU: "1.4 [0.3, 2.5]", or with the unit " points" "1.4 points [0.3, 2.5]"."""
    value, low, high = (format_points(number, signed) for number in (interval.value, interval.low, interval.high))
    return f"{value}{unit} [{low}, {high}]"


def format_points(value: float, signed: bool = False) -> str:
    """An IoU, or a difference of two, in points: "1.4"; a zero has no sign."""
    text = f"{100 * value:{'+' if signed else ''}.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", "−")


def format_p(p: float, digits: int = 3) -> str:
    """A p value: "0.025", or "< 0.001"."""
    return f"{p:.{digits}f}" if p >= SMALLEST_WRITTEN_P else f"< {SMALLEST_WRITTEN_P}"


def pair_name(a: str, b: str) -> str:
    """The difference of two activations as written in prose: "Mish − ReLU"."""
    return f"{display_name(a)} − {display_name(b)}"


def display_name(name: str) -> str:
    """An activation's name as written in prose."""
    known = {"relu": "ReLU", "mish": "Mish", "frelu": "FReLU", "silu": "SiLU", "gelu": "GELU", "elu": "ELU"}
    first, _, rest = name.partition(" ")
    return f"{known.get(first, first)} {rest}".strip()
