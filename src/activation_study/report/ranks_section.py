"""The ranks of the activations over many data sets in a report: critical-difference diagram and table."""

import numpy as np

from activation_study.analysis.formatting import display_name, p_is
from activation_study.analysis.ranks import Ranks
from activation_study.analysis.statistics.paired import SIGNIFICANCE_LEVEL
from activation_study.palette import activation_colors
from activation_study.report.elements import Figure, Section, Table
from activation_study.report.figures import ranks_figure


def ranks_section(ranks: Ranks) -> Section:
    """The section, which precedes those of the conditions."""
    colors = activation_colors(ranks.arms)
    caption = (
        f"Critical-difference diagram: mean ranks over {len(ranks.data)} data sets, 1 is the best. A bar joins "
        "arms whose ranks are not shown to differ (Nemenyi's test at 5 %, corrected for the number of pairs)."
    )
    return Section(
        slug="ranks",
        title="Ranks over data sets",
        data="",
        conclusion=ranks_sentence(ranks),
        tables=(),
        colors={display_name(name): color for name, color in colors.items()},
        figures=(Figure("Ranks", ranks_figure(ranks), caption, (ranks_table(ranks),)),),
        gallery=None,
        no_gallery="",
        main=True,
    )


def ranks_sentence(ranks: Ranks) -> str:
    """What the ranks say, in words."""
    means = ranks.ranks.mean(axis=0)
    order = np.argsort(means, kind="stable")
    listed = ", ".join(f"{display_name(ranks.arms[index])} {means[index]:.2f}" for index in order)
    differ = "differ" if ranks.p < SIGNIFICANCE_LEVEL else "are not shown to differ"
    return f"Mean ranks over {len(ranks.data)} data sets: {listed}. They {differ} (Friedman, {p_is(ranks.p)})."


def ranks_table(ranks: Ranks) -> Table:
    """Mean IoU and rank of each activation on each data set."""
    rows = [
        (name, *(f"{100 * score:.1f} ({rank:g})" for score, rank in zip(scores, of_data, strict=True)))
        for name, scores, of_data in zip(ranks.data, ranks.scores, ranks.ranks, strict=True)
    ]
    rows.append(("mean rank", *(f"{rank:.2f}" for rank in ranks.ranks.mean(axis=0))))
    caption = (
        "Mean IoU in percent, mean over seeds and label types, and its rank on each data set, which counts once "
        f"whatever its noise. {ranks_sentence(ranks)}"
    )
    return Table(("data set", *map(display_name, ranks.arms)), tuple(rows), caption)
