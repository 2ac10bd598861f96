"""The figures of a report as SVG text in the page's text colour, so that they are legible in light and dark mode."""

from collections.abc import Callable, Sequence
from math import nan
from statistics import median

import numpy as np

from activation_study.analysis.ablation import Ablations
from activation_study.analysis.contrasts import PRIMARY, Contrast, class_ious, differences_of
from activation_study.analysis.formatting import display_name
from activation_study.analysis.ranks import Ranks
from activation_study.analysis.results import Condition
from activation_study.analysis.statistics.crossed import mean_of
from activation_study.analysis.statistics.paired import Interval, mean_over_seeds
from activation_study.config.contrasts import MINUS, simple_effects
from activation_study.config.factor import JOINT, Factor
from activation_study.evaluation.plots import MANY_CLASSES
from activation_study.metrics import Values
from activation_study.palette import activation_colors
from activation_study.records.record import Record
from activation_study.report.drawing import (
    INK,
    as_svg,
    color_axes,
    label_rotation,
    legend,
    new_figure,
    possible,
    style,
    wrapped,
)

COSTS: dict[str, Callable[[Record], float]] = {
    "training, minutes": lambda record: record.training_seconds / 60,
    "images/s in training": lambda record: median(epoch["images_per_second"] for epoch in record.epochs),
    "peak memory, GiB": lambda record: record.results.get("peak_memory_bytes", nan) / 2**30,
    "parameters, millions": lambda record: record.results.get("parameters", nan) / 1e6,
}


def seeds_figure(condition: Condition) -> str:
    """The mean IoU of each run as a dot, and beside it the mean over seeds with its 95 % interval."""
    figure, axes = new_figure(1.4 + 1.1 * len(condition.arms), 3.2)
    for x, arm in enumerate(condition.arms):
        values, color = 100 * arm.metric(PRIMARY), _colors(condition)[arm.name]
        axes.scatter(np.full(len(values), x - 0.12), values, s=22, color=color, alpha=0.75, linewidths=0)
        mean = mean_of(100 * arm.of_folds(PRIMARY))
        axes.errorbar(x + 0.15, mean.value, yerr=mean.high - mean.value, fmt="D", color=color, capsize=4, markersize=6)
    names = [display_name(arm.name) for arm in condition.arms]
    axes.set_xticks(range(len(names)), names, rotation=label_rotation(arm.name for arm in condition.arms))
    axes.set_xlim(-0.6, len(condition.arms) - 0.4)
    axes.set_ylabel("mean IoU, %")
    axes.set_ylim(*possible(axes.get_ylim()))
    return as_svg(figure)


def differences_figure(contrasts: Sequence[Contrast]) -> str:
    """Differences in the primary metric: on this test set (thick line), on new images (thin line)."""
    primary = [contrast for contrast in contrasts if contrast.primary]
    figure, axes = new_figure(6, 0.9 + 0.55 * len(primary))
    for y, contrast in enumerate(reversed(primary)):
        difference = contrast.paired.difference
        ends = [100 * difference.low, 100 * difference.high]
        axes.plot(ends, [y + 0.1] * 2, color="#0072B2", linewidth=4, alpha=0.6)
        axes.plot(100 * difference.value, y + 0.1, "D", color="#0072B2", markersize=7)
        if contrast.new_images is not None:
            new = contrast.new_images.difference
            axes.plot([100 * new.low, 100 * new.high], [y - 0.18] * 2, color="#D55E00", linewidth=1.5)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(primary)), wrapped(contrast.pair for contrast in reversed(primary)))
    axes.set_ylim(-0.6, len(primary) - 0.4)
    axes.set_xlabel("difference of mean IoU, points")
    return as_svg(figure)


def interaction_figure(condition: Condition) -> str:
    """The difference of each value of the first factor to the first one, at each value of the second."""
    effects = simple_effects([arm.name for arm in condition.arms], condition.factor)
    figure, axes = new_figure(2.2 + 1.1 * len(effects), 3.2)
    columns = list(zip(*effects.values(), strict=True))  # of each value of the first factor
    names = [pairs[0][0].partition(JOINT)[0] for pairs in columns]
    reference = display_name(columns[0][0][1].partition(JOINT)[0])
    for number, (pairs, name) in enumerate(zip(columns, names, strict=True)):
        found = [_mean(100 * differences_of(condition, *pair)) for pair in pairs]
        x = np.arange(len(effects)) + 0.12 * (number - (len(names) - 1) / 2)
        values, halves = [each.value for each in found], [each.high - each.value for each in found]
        color, label = activation_colors(names)[name], f"{display_name(name)}{MINUS}{reference}"
        axes.errorbar(x, values, yerr=halves, fmt="D-", color=color, capsize=4, markersize=6, linewidth=1, label=label)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(len(effects)), list(map(display_name, effects)))
    axes.set_xlim(-0.5, len(effects) - 0.5)
    axes.set_xlabel(Factor(condition.factor.keys[1:]).title)
    axes.set_ylabel("difference of mean IoU, points")
    legend(figure, 2)
    return as_svg(figure)


def looks_figure(contrasts: Sequence[Contrast]) -> str:
    """The difference at each planned look with its repeated interval, one panel per contrast."""
    primary = [contrast for contrast in contrasts if contrast.primary and contrast.looks]
    figure, _ = new_figure(1.2 + 2.4 * len(primary), 2.9, axes=False)
    panels = figure.subplots(1, len(primary), sharex=True, squeeze=False)[0]
    for panel, contrast in zip(panels, primary, strict=True):
        seeds = [look.seeds for look in contrast.looks]
        values = [100 * look.difference.value for look in contrast.looks]
        halves = [100 * (look.difference.high - look.difference.value) for look in contrast.looks]
        if contrast.margin is not None:
            panel.axhspan(-100 * contrast.margin, 100 * contrast.margin, color=INK, alpha=0.1, linewidth=0)
        panel.axhline(0, color=INK, linewidth=0.8)
        panel.errorbar(seeds, values, yerr=halves, fmt="D-", color="#0072B2", capsize=4, markersize=5, linewidth=1)
        panel.set_title("\n".join(wrapped([contrast.pair])), fontsize="medium", color=INK)
        panel.set_xticks(seeds)
        panel.set_xlabel("seeds")
        style(panel)
    panels[0].set_ylabel("difference of mean IoU, points")
    return as_svg(figure)


def ranks_figure(ranks: Ranks) -> str:
    """The critical-difference diagram: mean ranks, joined where they are not shown to differ."""
    import pandas
    import scikit_posthocs

    names = [display_name(name) for name in ranks.arms]
    figure, axes = new_figure(7, 1.2 + 0.25 * len(names))
    colors = dict(zip(names, activation_colors(ranks.arms).values(), strict=True))
    scikit_posthocs.critical_difference_diagram(
        dict(zip(names, ranks.ranks.mean(axis=0), strict=True)),
        pandas.DataFrame(ranks.p_pairs, index=names, columns=names),
        ax=axes,
        color_palette=colors,
        crossbar_props={"color": INK},
    )
    color_axes(axes)
    return as_svg(figure)


def changes_figure(ablations: Ablations) -> str:
    """How far each change of the protocol moves each activation: mean and 95 % interval over seeds."""
    levels, changes = ablations.levels, ablations.changes
    figure, axes = new_figure(7, 1.1 + 0.2 * (1 + len(levels)) * len(changes))
    spacing, colors = 0.7 / len(levels), _colors(ablations.base)
    rows = np.arange(len(changes))[::-1]
    for number, name in enumerate(levels):
        for row, change in zip(rows, changes, strict=True):
            if name in change.arms:
                effect, y = change.arms[name], row + 0.35 - spacing * (number + 0.5)
                axes.plot([100 * effect.low, 100 * effect.high], [y] * 2, color=colors[name], linewidth=2, alpha=0.6)
                axes.plot(100 * effect.value, y, "o", color=colors[name], markersize=5)
        axes.plot([], [], "o", color=colors[name], markersize=5, label=display_name(name))
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(rows, wrapped(change.title for change in changes))
    axes.set_xlabel("change of mean IoU, points")
    legend(figure, len(levels))
    return as_svg(figure)


def classes_figure(condition: Condition) -> str:
    """IoU of each class: the mean over seeds as a dot, the range as a line."""
    figure, axes = new_figure(6, 1.2 + 0.42 * len(condition.classes))
    spacing = 0.7 / len(condition.arms)
    for number, arm in enumerate(condition.arms):
        values = 100 * class_ious(arm)
        y = np.arange(len(condition.classes))[::-1] + 0.35 - spacing * (number + 0.5)
        color = _colors(condition)[arm.name]
        axes.hlines(y, values.min(axis=0), values.max(axis=0), color=color, linewidth=2, alpha=0.6)
        axes.plot(values.mean(axis=0), y, "o", color=color, markersize=5, label=display_name(arm.name))
    axes.set_yticks(np.arange(len(condition.classes))[::-1], wrapped(condition.classes))
    axes.set_xlabel("IoU, %")
    axes.margins(y=0.08)
    axes.set_xlim(*possible(axes.get_xlim()))
    legend(figure, len(condition.arms))
    return as_svg(figure)


def curves_figure(condition: Condition) -> str:
    """Mean IoU on validation over the epochs: median and range of the seeds that are still training."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_figure(6, 3.2)
    for arm in condition.arms:
        longest = max(len(record.epochs) for record in arm.records)
        values = np.full((len(arm.records), longest), np.nan)
        for row, record in enumerate(arm.records):
            values[row, : len(record.epochs)] = [100 * epoch["val/mean_iou"] for epoch in record.epochs]
        epochs, color = np.arange(1, longest + 1), _colors(condition)[arm.name]
        axes.fill_between(epochs, np.nanmin(values, axis=0), np.nanmax(values, axis=0), color=color, alpha=0.18, lw=0)
        axes.plot(epochs, np.nanmedian(values, axis=0), color=color, linewidth=2, label=display_name(arm.name))
    axes.set_xlabel("epoch")
    axes.set_ylabel("mean IoU on validation, %")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(figure, len(condition.arms))
    return as_svg(figure)


def cost_figure(condition: Condition) -> str:
    """Four measures of cost against mean IoU, one dot per run."""
    figure, _ = new_figure(7, 5, axes=False)
    panels = figure.subplots(2, 2, sharey=True).ravel()
    for panel, (name, cost) in zip(panels, COSTS.items(), strict=True):
        style(panel)
        panel.set_xlabel(name)
        for arm in condition.arms:
            costs = [cost(record) for record in arm.records]
            values = [100 * record.results[PRIMARY] for record in arm.records]
            label = display_name(arm.name) if panel is panels[0] else None
            panel.scatter(costs, values, s=24, color=_colors(condition)[arm.name], alpha=0.8, linewidths=0, label=label)
    figure.supylabel("mean IoU, %", color=INK, fontsize=10)
    legend(figure, len(condition.arms))
    return as_svg(figure)


def confusion_figure(condition: Condition) -> str:
    """Pooled confusion matrices over all seeds, as fractions of each true class; one panel per activation."""
    columns = min(len(condition.arms), 3)
    rows = -(-len(condition.arms) // columns)
    many = len(condition.classes) > MANY_CLASSES
    side = 1.2 + (0.1 if many else 0.36) * len(condition.classes)
    figure, _ = new_figure(columns * side + 1, rows * side + 0.4, axes=False)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(condition.arms) :]:
        panel.set_axis_off()
    for panel, arm in zip(panels, condition.arms, strict=False):
        pooled = arm.confusions.sum(axis=(0, 1))[:-1]
        fractions = pooled / np.maximum(pooled.sum(axis=1, keepdims=True), 1)
        panel.imshow(fractions, cmap="cividis", vmin=0, vmax=1)
        for (row, column), fraction in [] if many else np.ndenumerate(fractions):
            color = "white" if fraction < 0.5 else "black"
            text = f"{100 * fraction:.0f}" if pooled[row].any() else "–"
            panel.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
        panel.set_title(display_name(arm.name), fontsize=9, color=INK)
        size = 4 if many else 7
        panel.set_xticks(range(len(condition.classes)), list(condition.classes), rotation=90, fontsize=size)
        panel.set_yticks(range(len(condition.classes)), list(condition.classes), fontsize=size)
        color_axes(panel)
    return as_svg(figure)


def _mean(values: Values) -> Interval:
    """The mean over seeds with its interval; NaN without seeds, which draws nothing."""
    return mean_over_seeds(values) if len(values) else Interval(nan, nan, nan)


def _colors(condition: Condition) -> dict[str, str]:
    return activation_colors(tuple(arm.name for arm in condition.arms))
