"""The figures of a report about the searches for each arm's best values."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from activation_study.analysis.formatting import display_name
from activation_study.analysis.results import Condition
from activation_study.config.search_space import Choices, Range, values_in
from activation_study.palette import activation_colors
from activation_study.report.drawing import INK, as_svg, color_axes, legend, new_figure, style
from activation_study.tuning.searches import Search
from activation_study.tuning.trials import Trial

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 1.15  # beyond the ends of a logarithmic range
SCORE = "mean IoU on validation, %"


def sensitivity_figure(condition: Condition, configured: Condition | None) -> str:
    """The score of each trial against each tuned key, with the noise of seeds.

    Args:
        condition: of the tuned arms.
        configured: the same arms as configured, if they were trained too.
    """
    searches, colors = condition.searches, activation_colors(tuple(arm.name for arm in condition.arms))
    keys = list(searches[0].space)
    figure, _ = new_figure(1 + 4.2 * len(keys), 3.6, axes=False)
    panels = figure.subplots(1, len(keys), sharey=True, squeeze=False)[0]
    for panel, key in zip(panels, keys, strict=True):
        place = _axis(panel, key, searches)
        for search in searches:
            trials = sorted(_scored(search), key=lambda trial: place(trial.values[key]))
            x, y = [place(trial.values[key]) for trial in trials], [100 * (trial.score or 0) for trial in trials]
            lines = "-" if len(keys) == 1 else ""
            panel.plot(x, y, f"o{lines}", color=colors[search.arm], alpha=0.6, markersize=4, linewidth=1)
        for group, marker in ((condition, "D"), (configured, "s")):
            for arm in group.arms if group else ():
                scores = 100 * np.array([record.validation_mean_iou for record in arm.records])
                values = place(values_in(arm.records[0].config, searches[0].space)[key])
                noise = scores.std(ddof=1) if len(scores) > 1 else 0.0
                panel.errorbar(values, scores.mean(), yerr=noise, fmt=marker, color=colors[arm.name], capsize=4)
        color_axes(panel)
    for name, color in colors.items():
        panels[0].plot([], [], "o", color=color, label=display_name(name))
    panels[0].set_ylabel(SCORE, color=INK)
    legend(figure, len(colors))
    return as_svg(figure)


def trials_figure(searches: Sequence[Search]) -> str:
    """Parallel coordinates: each trial is a line through its values of the tuned keys and its score."""
    colors = activation_colors(tuple(dict.fromkeys(search.arm for search in searches)))
    keys = list(searches[0].space)
    figure, axes = new_figure(2 + 1.8 * len(keys), 3.6)
    scores = [100 * (trial.score or 0) for search in searches for trial in _scored(search)]
    low, high = min(scores), max(scores)
    for search in searches:
        for trial in _scored(search):
            score = 100 * (trial.score or 0)
            heights = [_height(search.space[key], trial.values[key]) for key in keys]
            heights.append((score - low) / (high - low) if high > low else 0.5)
            best = trial is search.best
            axes.plot(heights, "-", color=colors[search.arm], alpha=1.0 if best else 0.35, linewidth=2.5 if best else 1)
    for index, ends in enumerate([*(_ends(searches[0].space[key]) for key in keys), (f"{low:.1f}", f"{high:.1f}")]):
        for y, text, side in ((-0.04, ends[0], "top"), (1.04, ends[1], "bottom")):
            axes.text(index, y, text, ha="center", va=side, fontsize=8, color=INK)
    axes.set_xticks(range(len(keys) + 1), [*(key.rpartition(".")[2] for key in keys), SCORE])
    axes.tick_params(axis="x", pad=14)
    axes.set_yticks([])
    axes.set_ylim(-0.12, 1.12)
    for name, color in colors.items():
        axes.plot([], [], color=color, label=display_name(name))
    legend(figure, len(colors))
    return as_svg(figure)


def _scored(search: Search) -> list[Trial]:
    return [trial for trial in search.trials if trial.score is not None]


def _axis(panel: "Axes", key: str, searches: Sequence[Search]) -> "_Place":
    style(panel)
    panel.set_xlabel(key)
    parameter = searches[0].space[key]
    if isinstance(parameter, Choices) and not _are_numbers(parameter):
        panel.set_xticks(range(len(parameter.values)), list(map(str, parameter.values)))
        return _Place({value: index for index, value in enumerate(parameter.values)})
    if isinstance(parameter, Range) and parameter.log:
        from matplotlib.ticker import NullFormatter

        panel.set_xscale("log")
        panel.set_xlim(parameter.low / MARGIN, parameter.high * MARGIN)
        panel.xaxis.set_minor_formatter(NullFormatter())
    return _Place({})


class _Place:
    """The place of a value on an axis: the value itself, or its number among words."""

    def __init__(self, places: Mapping[Any, int]) -> None:
        self._places = places

    def __call__(self, value: Any) -> float:
        return float(self._places.get(value, value) if self._places else value)


def _are_numbers(parameter: Choices) -> bool:
    return all(isinstance(each, int | float) and not isinstance(each, bool) for each in parameter.values)


def _height(parameter: Range | Choices, value: Any) -> float:
    """The place of a value in its range or among its choices, from 0 to 1."""
    if isinstance(parameter, Choices):
        return parameter.values.index(value) / (len(parameter.values) - 1)
    low, high, at = (np.log(each) if parameter.log else each for each in (parameter.low, parameter.high, value))
    return float((at - low) / (high - low))


def _ends(parameter: Range | Choices) -> tuple[str, str]:
    if isinstance(parameter, Choices):
        return str(parameter.values[0]), str(parameter.values[-1])
    return f"{parameter.low:g}", f"{parameter.high:g}"
