"""The figures of a report about the searches for each arm's best values."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from activation_study.analysis.formatting import display_name
from activation_study.analysis.results import Condition
from activation_study.config.fields import is_number
from activation_study.config.schema import fold_of
from activation_study.config.search_space import Range, values_in
from activation_study.palette import activation_colors
from activation_study.records.record import Record
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
        axis = _Axis(key, searches, [record for arm in (configured or condition).arms for record in arm.records])
        style(panel)
        axis.set_up(panel)
        for search in searches:
            trials = sorted(_scored(search), key=lambda trial: axis.place(trial.values[key]))
            x, y = [axis.place(trial.values[key]) for trial in trials], [100 * (trial.score or 0) for trial in trials]
            lines = "-" if len(keys) == 1 else ""
            panel.plot(x, y, f"o{lines}", color=colors[search.arm], alpha=0.6, markersize=4, linewidth=1)
            records = compared_records(condition, search)
            if records and search.best:
                _with_noise(panel, axis.place(search.best.values[key]), records, "D", colors[search.arm])
        for arm in configured.arms if configured else ():
            if arm.name in colors:
                value = values_in(arm.records[0].config, searches[0].space)[key]
                _with_noise(panel, axis.place(value), arm.records, "s", colors[arm.name])
        color_axes(panel)
    for name, color in colors.items():
        panels[0].plot([], [], "o", color=color, label=display_name(name))
    panels[0].set_ylabel(SCORE, color=INK)
    legend(figure, len(colors))
    return as_svg(figure)


def compared_records(condition: Condition, search: Search) -> list[Record]:
    """The records of a condition's runs with the values that one of its searches found."""
    return [
        record
        for arm in condition.arms
        for seed, record, _ in arm.runs
        if arm.name == search.arm and search.of_seed in (None, seed) and search.fold in (None, fold_of(record.config))
    ]


def _with_noise(panel: "Axes", x: float, records: Sequence[Record], marker: str, color: str) -> None:
    """Mean of the scores of runs, and their standard deviation as a line."""
    scores = 100 * np.array([record.validation_mean_iou for record in records])
    noise = scores.std(ddof=1) if len(scores) > 1 else 0.0
    panel.errorbar(x, scores.mean(), yerr=noise, fmt=marker, color=color, capsize=4)


def trials_figure(searches: Sequence[Search]) -> str:
    """Parallel coordinates: each trial is a line through its values of the tuned keys and its score."""
    colors = activation_colors(tuple(dict.fromkeys(search.arm for search in searches)))
    keys = list(searches[0].space)
    axis = {key: _Axis(key, searches) for key in keys}
    figure, axes = new_figure(2 + 1.8 * len(keys), 3.6)
    scores = [100 * (trial.score or 0) for search in searches for trial in _scored(search)]
    low, high = min(scores), max(scores)
    for search in searches:
        for trial in _scored(search):
            score = 100 * (trial.score or 0)
            heights = [axis[key].height(trial.values[key]) for key in keys]
            heights.append((score - low) / (high - low) if high > low else 0.5)
            best = trial is search.best
            axes.plot(heights, "-", color=colors[search.arm], alpha=1.0 if best else 0.35, linewidth=2.5 if best else 1)
    for index, ends in enumerate([*(axis[key].ends for key in keys), (f"{low:.1f}", f"{high:.1f}")]):
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


class _Axis:
    """The axis of a tuned key: numbers, or words at equal distances.

    Args:
        key: the key.
        searches: whose ranges, choices and trials it holds.
        records: of runs whose values it holds as well.
    """

    def __init__(self, key: str, searches: Sequence[Search], records: Sequence[Record] = ()) -> None:
        self._key = key
        parameters = [search.space[key] for search in searches]
        ends = [value for each in parameters for value in each.ends]
        others = [values_in(record.config, {key: None})[key] for record in records]
        numbers = all(map(is_number, (*ends, *others)))
        self._words: list[Any] = [] if numbers else list(dict.fromkeys([*ends, *others]))
        self._log = numbers and all(isinstance(each, Range) and each.log for each in parameters)
        self._low: float = min(ends) if numbers else 0.0
        self._high: float = max(ends) if numbers else max(len(self._words) - 1.0, 1.0)

    def set_up(self, panel: "Axes") -> None:
        """Scale, limits and ticks."""
        from matplotlib.ticker import NullFormatter

        panel.set_xlabel(self._key)
        if self._words:
            panel.set_xticks(range(len(self._words)), list(map(str, self._words)))
        if self._log:
            panel.set_xscale("log")
            panel.set_xlim(self._low / MARGIN, self._high * MARGIN)
            panel.xaxis.set_minor_formatter(NullFormatter())

    def place(self, value: Any) -> float:
        """The place of a value: the value itself, or its number among words."""
        return float(self._words.index(value) if self._words else value)

    def height(self, value: Any) -> float:
        """The place of a value from one end of the axis, 0, to the other, 1."""
        low, high, at = (np.log(each) if self._log else each for each in (self._low, self._high, self.place(value)))
        return float((at - low) / (high - low))

    @property
    def ends(self) -> tuple[str, str]:
        """Both ends as text."""
        return (str(self._words[0]), str(self._words[-1])) if self._words else (f"{self._low:g}", f"{self._high:g}")
