"""Names are drawn as they are, whatever characters they have."""

from pathlib import Path

import numpy as np
from matplotlib.text import Text

from activation_study.evaluation import plots
from activation_study.report.drawing import as_svg, new_figure


def test_names_with_two_dollars_are_no_formula(tmp_path: Path) -> None:
    names = ("a $5_or_$6", "b $\\frac$")
    image = np.zeros((8, 8, 3), np.uint8)
    plots.draw_panels(tmp_path / "panels.png", [(names[0], image)], [(names[1], "#ff0000")], names[0])
    plots.draw_confusion(tmp_path / "confusion.png", np.ones((3, 2), np.int64), names, names[0])
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["confusion.png", "panels.png"]


def test_a_report_shows_such_names_on_its_axes() -> None:
    figure, axes = new_figure(4, 2)
    axes.set_xticks([1, 2], ["$5_or_$6", "b"])
    assert "$5_or_$6" in as_svg(figure)


def test_numbers_on_axes_stay_as_matplotlib_writes_them() -> None:
    figure, axes = new_figure(4, 2)
    axes.plot([1, 2], [1e-5, 1e-2])
    axes.set_yscale("log")
    svg = as_svg(figure)
    assert ">$\\mathdefault" not in svg
    assert any(text.get_text() for text in figure.findobj(Text))
