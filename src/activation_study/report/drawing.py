"""How the figures of a report are drawn and written: axes, labels, legend, SVG."""

import io
import re
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING

from activation_study.evaluation.plots import without_math

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_WIDTH = 36  # characters
LONG_NAME = 8  # characters, above which names below an axis are turned
INK = "#123456"  # placeholder for the page's text colour, replaced when the SVG is written


def possible(limits: tuple[float, float]) -> tuple[float, float]:
    """The limits of an axis of IoU in percent, without what no IoU can be."""
    return max(limits[0], 0.0), min(limits[1], 100.0)


def wrapped(labels: Iterable[str]) -> list[str]:
    """Labels of rows in lines short enough to leave room for the values."""
    return [textwrap.fill(label, LABEL_WIDTH, break_on_hyphens=False) for label in labels]


def label_rotation(names: Iterable[str]) -> int:
    """Degrees by which names below an axis are turned, so that long ones do not overlap."""
    return 30 if max(map(len, names)) > LONG_NAME else 0


def new_figure(width: float, height: float, axes: bool = True) -> "tuple[Figure, Axes]":
    """A figure of this size in inches, with its axes unless it gets panels of its own."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    panel = figure.subplots() if axes else None
    if panel is not None:
        style(panel)
    return figure, panel  # type: ignore[return-value]


def style(axes: "Axes") -> None:
    """The look of all axes: a faint grid, two spines, the page's text colour."""
    axes.patch.set_alpha(0)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    color_axes(axes)


def color_axes(axes: "Axes") -> None:
    """Gives spines, ticks and labels the page's text colour; again after labels were set."""
    for spine in axes.spines.values():
        spine.set_color(INK)
    axes.tick_params(colors=INK)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(INK)


def legend(figure: "Figure", entries: int) -> None:
    """A legend above the axes."""
    figure.legend(loc="outside upper center", ncols=min(entries, 4), frameon=False, labelcolor=INK, fontsize=9)


def as_svg(figure: "Figure") -> str:
    """The figure as an <svg> element that scales with the page. The same input gives the same text."""
    import matplotlib

    without_math(figure)
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=no_metadata, bbox_inches="tight", pad_inches=0.1)
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", svg.replace(INK, "currentColor"))
    return re.sub(r'width="([\d.]+)pt" height="[\d.]+pt"', r'role="img" style="width: \1pt"', svg, count=1)
