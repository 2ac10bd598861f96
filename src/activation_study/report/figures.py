"""The figures of a report, as SVG text that takes its ink from the page, so that it is legible in light and dark."""

import io
import re
from collections.abc import Callable, Sequence
from math import nan
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from activation_study.analysis.ablation import Ablations
from activation_study.analysis.contrasts import PRIMARY, Contrast, class_ious
from activation_study.analysis.formatting import display_name
from activation_study.analysis.results import Arm, Block
from activation_study.analysis.statistics import mean_over_seeds
from activation_study.palette import activation_colors
from activation_study.records.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COSTS: dict[str, Callable[[Record], float]] = {
    "training, minutes": lambda record: record.training_seconds / 60,
    "images/s in training": lambda record: median(epoch["images_per_second"] for epoch in record.epochs),
    "peak memory, GiB": lambda record: record.results.get("peak_memory_bytes", nan) / 2**30,
    "parameters, millions": lambda record: record.results.get("parameters", nan) / 1e6,
}
INK = "#123456"  # stands for the page's own ink until the SVG is written


def seeds_figure(block: Block) -> str:
    """Each run's mean IoU as a dot, the mean over seeds with its 95 % interval beside it."""
    figure, axes = _figure(1.4 + 1.1 * len(block.arms), 3.2)
    for place, arm in enumerate(block.arms):
        values, color = 100 * arm.metric(PRIMARY), _colors(block)[arm.name]
        axes.scatter(np.full(len(values), place - 0.12), values, s=22, color=color, alpha=0.75, linewidths=0)
        mean = mean_over_seeds(values)
        axes.errorbar(
            place + 0.15, mean.value, yerr=mean.high - mean.value, fmt="D", color=color, capsize=4, markersize=6
        )
    axes.set_xticks(range(len(block.arms)), [display_name(arm.name) for arm in block.arms], rotation=_slant(block.arms))
    axes.set_xlim(-0.6, len(block.arms) - 0.4)
    axes.set_ylabel("mean IoU, %")
    return _svg(figure)


def differences_figure(contrasts: Sequence[Contrast]) -> str:
    """The primary metric's differences: on this test set (thick), on new images (thin)."""
    primary = [contrast for contrast in contrasts if contrast.primary]
    figure, axes = _figure(6, 0.9 + 0.55 * len(primary))
    for place, contrast in enumerate(reversed(primary)):
        found = contrast.paired.difference
        axes.plot([100 * found.low, 100 * found.high], [place + 0.1] * 2, color="#0072B2", linewidth=4, alpha=0.6)
        axes.plot(100 * found.value, place + 0.1, "D", color="#0072B2", markersize=7)
        if contrast.new_images is not None:
            new = contrast.new_images.difference
            axes.plot([100 * new.low, 100 * new.high], [place - 0.18] * 2, color="#D55E00", linewidth=1.5)
    axes.axvline(0, color=INK, linewidth=0.8)
    names = [contrast.pair for contrast in reversed(primary)]
    axes.set_yticks(range(len(primary)), names)
    axes.set_ylim(-0.6, len(primary) - 0.4)
    axes.set_xlabel("difference of mean IoU, points")
    return _svg(figure)


def changes_figure(found: Ablations) -> str:
    """How far each change of the protocol moves each activation: mean and interval over seeds."""
    figure, axes = _figure(7, 1.1 + 0.2 * (1 + len(found.levels)) * len(found.changes))
    width, colors = 0.7 / len(found.levels), _colors(found.base)
    places = np.arange(len(found.changes))[::-1]
    for number, name in enumerate(found.levels):
        for place, change in zip(places, found.changes, strict=True):
            if name in change.arms:
                moved, height = change.arms[name], place + 0.35 - width * (number + 0.5)
                axes.plot([100 * moved.low, 100 * moved.high], [height] * 2, color=colors[name], linewidth=2, alpha=0.6)
                axes.plot(100 * moved.value, height, "o", color=colors[name], markersize=5)
        axes.plot([], [], "o", color=colors[name], markersize=5, label=display_name(name))
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, [change.title for change in found.changes])
    axes.set_xlabel("change of mean IoU, points")
    _legend(figure, len(found.levels))
    return _svg(figure)


def classes_figure(block: Block) -> str:
    """IoU of each class: mean over seeds as a dot, smallest to largest as a line."""
    figure, axes = _figure(6, 1.2 + 0.42 * len(block.classes))
    width = 0.7 / len(block.arms)
    for number, arm in enumerate(block.arms):
        values = 100 * class_ious(arm)
        places = np.arange(len(block.classes))[::-1] + 0.35 - width * (number + 0.5)
        color = _colors(block)[arm.name]
        axes.hlines(places, values.min(axis=0), values.max(axis=0), color=color, linewidth=2, alpha=0.6)
        axes.plot(values.mean(axis=0), places, "o", color=color, markersize=5, label=display_name(arm.name))
    axes.set_yticks(np.arange(len(block.classes))[::-1], list(block.classes))
    axes.set_xlabel("IoU, %")
    axes.margins(y=0.08)
    _legend(figure, len(block.arms))
    return _svg(figure)


def curves_figure(block: Block) -> str:
    """Validation's mean IoU over the epochs: median over the seeds that still train, and their range."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(6, 3.2)
    for arm in block.arms:
        longest = max(len(record.epochs) for record in arm.records)
        values = np.full((len(arm.records), longest), np.nan)
        for row, record in enumerate(arm.records):
            values[row, : len(record.epochs)] = [100 * epoch["val/mean_iou"] for epoch in record.epochs]
        numbers, color = np.arange(1, longest + 1), _colors(block)[arm.name]
        axes.fill_between(numbers, np.nanmin(values, axis=0), np.nanmax(values, axis=0), color=color, alpha=0.18, lw=0)
        axes.plot(numbers, np.nanmedian(values, axis=0), color=color, linewidth=2, label=display_name(arm.name))
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean IoU on validation, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(figure, len(block.arms))
    return _svg(figure)


def cost_figure(block: Block) -> str:
    """What a run cost, in four ways, against what it reached: one dot a run."""
    figure, _ = _figure(7, 5, axes=False)
    panels = figure.subplots(2, 2, sharey=True).ravel()
    for panel, (name, cost) in zip(panels, COSTS.items(), strict=True):
        _styled(panel)
        panel.set_xlabel(name)
        for arm in block.arms:
            costs, values = [cost(record) for record in arm.records], 100 * arm.metric(PRIMARY)
            label = display_name(arm.name) if panel is panels[0] else None
            panel.scatter(costs, values, s=24, color=_colors(block)[arm.name], alpha=0.8, linewidths=0, label=label)
    figure.supylabel("mean IoU, %", color=INK, fontsize=10)
    _legend(figure, len(block.arms))
    return _svg(figure)


def confusion_figure(block: Block) -> str:
    """Pooled confusion over all seeds as shares of each true class, one panel an activation."""
    columns = min(len(block.arms), 3)
    rows = -(-len(block.arms) // columns)
    side = 1.2 + 0.36 * len(block.classes)
    figure, _ = _figure(columns * side + 1, rows * side + 0.4, axes=False)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(block.arms) :]:
        panel.set_axis_off()
    for panel, arm in zip(panels, block.arms, strict=False):
        pooled = arm.confusions.sum(axis=(0, 1))[:-1]
        shares = pooled / np.maximum(pooled.sum(axis=1, keepdims=True), 1)
        panel.imshow(shares, cmap="cividis", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            ink = "white" if share < 0.5 else "black"
            panel.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=ink)
        panel.set_title(display_name(arm.name), fontsize=9, color=INK)
        panel.set_xticks(range(len(block.classes)), list(block.classes), rotation=90, fontsize=7)
        panel.set_yticks(range(len(block.classes)), list(block.classes), fontsize=7)
        _inked(panel)
    return _svg(figure)


def _colors(block: Block) -> dict[str, str]:
    return activation_colors(tuple(arm.name for arm in block.arms))


def _slant(arms: Sequence[Arm]) -> int:
    return 30 if max(len(arm.name) for arm in arms) > 8 else 0


def _figure(width: float, height: float, axes: bool = True) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    panel = figure.subplots() if axes else None
    if panel is not None:
        _styled(panel)
    return figure, panel  # type: ignore[return-value]


def _styled(axes: "Axes") -> None:
    axes.patch.set_alpha(0)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    _inked(axes)


def _inked(axes: "Axes") -> None:
    for spine in axes.spines.values():
        spine.set_color(INK)
    axes.tick_params(colors=INK)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(INK)


def _legend(figure: "Figure", entries: int) -> None:
    figure.legend(loc="outside upper center", ncols=min(entries, 4), frameon=False, labelcolor=INK, fontsize=9)


def _svg(figure: "Figure") -> str:
    """The figure as an <svg> element that scales with the page; equal input gives equal text."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=nothing, bbox_inches="tight", pad_inches=0.1)
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 system-ui, sans-serif", svg.replace(INK, "currentColor"))
    return re.sub(r'width="([\d.]+)pt" height="[\d.]+pt"', r'role="img" style="width: \1pt"', svg, count=1)
