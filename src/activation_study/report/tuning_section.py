"""The section of a report about the searches for each arm's best values: their effort and what they found."""

from collections.abc import Callable, Sequence
from statistics import mean, stdev

from activation_study.analysis.formatting import display_name
from activation_study.analysis.results import Condition
from activation_study.analysis.tuning_sentences import ranges_in_words
from activation_study.config.search_space import value_text
from activation_study.report.elements import Figure, Table
from activation_study.report.tuning_figures import compared_records, sensitivity_figure, trials_figure
from activation_study.tuning.importance import importances
from activation_study.tuning.searches import Search

FEWEST_FOR_IMPORTANCE = 8  # finished trials


def tuning_tables(condition: Condition) -> list[Table]:
    """What each search took and found, and which of its keys mattered."""
    searches = condition.searches
    tables = [effort_table(condition)]
    if len(searches[0].space) > 1 and all(search.count("finished") >= FEWEST_FOR_IMPORTANCE for search in searches):
        tables.append(importance_table(searches, condition.factor.title))
    return tables


def tuning_figures(condition: Condition, configured: Condition | None) -> list[Figure]:
    """The scores of all trials by their values, and for several keys their parallel coordinates.

    Args:
        condition: of the tuned arms.
        configured: the same arms as configured, if they were trained too.
    """
    searches = condition.searches
    if not any(search.count("finished") for search in searches):
        return []
    others = "; the other keys vary too" if len(searches[0].space) > 1 else ""
    squares = ", squares are those as configured" if configured else ""
    sensitivity = (
        f"Each dot is a trial on {condition.subject}: its mean IoU on validation by its value{others}. Diamonds are "
        f"the runs with the best values{squares}: mean over their seeds, and standard deviation as line. It is the "
        "noise of seeds, which differences between trials contain as well. Since the best of several trials is "
        "chosen, its score is on average higher than that of other runs with the same values."
    )
    figures = [Figure("Sensitivity", sensitivity_figure(condition, configured), sensitivity)]
    if len(searches[0].space) > 1:
        trials = (
            "Each line is a trial, from its values to its score; thick: the best of its search. Each axis goes from "
            "one end of its range to the other."
        )
        figures.append(Figure("Trials", trials_figure(searches), trials))
    return figures


def effort_table(condition: Condition) -> Table:
    """The trials, epochs and hours of each search, and the values it found."""
    searches, keys = condition.searches, list(condition.searches[0].space)
    head = [condition.factor.title, *_parts(searches), "trials", "pruned", "failed", "epochs", "hours"]
    head += [*keys, "validation, %", "other seeds, %"]
    rows = []
    for search in searches:
        row = [display_name(search.arm), *(str(value(search)) for value in _parts(searches).values())]
        row += [str(len(search.trials)), str(search.count("pruned")), str(search.count("failed"))]
        row += [f"{search.epochs:,}", f"{search.seconds / 3600:.2f}", *(_value(search, key) for key in keys)]
        best = f"{100 * (search.best.score or 0):.1f}" if search.best else "–"
        rows.append((*row, best, _other_seeds(condition, search)))
    tuning = searches[0].tuning
    caption = (
        f"The search for the best values of each {condition.factor.title} on {condition.subject}: all of its trials, "
        "with those that were pruned (ended early) or failed, their epochs and hours of training; the values of the "
        f"best one, and its mean IoU on validation{_over_seeds(tuning['seeds'])}; that of the compared runs with these "
        "values, mean ± standard deviation over their seeds, which shows how lucky the best trial was. The test split "
        f"has no part in a search. Sampler: {tuning['sampler']}; pruner: {tuning['pruner']}. Ranges: "
        f"{ranges_in_words(searches)}."
    )
    if any(search.at_edge for search in searches):
        caption += " At the edge: a better value may lie beyond the range."
    return Table(tuple(head), tuple(rows), caption)


def importance_table(searches: Sequence[Search], factor: str) -> Table:
    """How much of the difference between good trials and all of them each key makes."""
    keys = list(searches[0].space)
    rows = []
    for search in searches:
        found = importances(search)
        parts = (str(value(search)) for value in _parts(searches).values())
        rows.append((display_name(search.arm), *parts, *(f"{100 * found[key]:.0f} %" for key in keys)))
    caption = (
        "Importance of each key by PED-ANOVA (Watanabe, Bansal and Hutter 2023), as Optuna computes it: how far the "
        "values of the better trials differ from those of all trials, as a share of all keys. With few trials it is a "
        "rough guide."
    )
    return Table((factor, *_parts(searches), *keys), tuple(rows), caption)


def _parts(searches: Sequence[Search]) -> dict[str, Callable[[Search], int | None]]:
    """What tells the searches of one arm apart: heading → value."""
    every: dict[str, Callable[[Search], int | None]] = {
        "fold": lambda search: search.fold,
        "seed": lambda search: search.of_seed,
    }
    return {name: value for name, value in every.items() if len({value(search) for search in searches}) > 1}


def _other_seeds(condition: Condition, search: Search) -> str:
    """Mean and standard deviation on validation of the compared runs with the values that a search found."""
    runs = [100 * record.validation_mean_iou for record in compared_records(condition, search)]
    if not runs:
        return "–"
    return f"{mean(runs):.1f} ± {stdev(runs):.1f}" if len(runs) > 1 else f"{runs[0]:.1f}"


def _value(search: Search, key: str) -> str:
    if search.best is None:
        return "–"
    edge = " (at the edge)" if key in search.at_edge else ""
    return f"{value_text(search.best.values[key])}{edge}"


def _over_seeds(seeds: int) -> str:
    return f", mean over {seeds} seeds" if seeds > 1 else ""
