"""The tables of a report, as text."""

from collections.abc import Sequence

import numpy as np

from activation_study.analysis.ablation import Ablations
from activation_study.analysis.contrasts import METRICS, PRIMARY, Contrast, class_ious, metrics_of
from activation_study.analysis.fairness import fairness
from activation_study.analysis.formatting import display_name, format_interval, format_level, listed, pair_name
from activation_study.analysis.results import Condition
from activation_study.analysis.selection import Selection
from activation_study.analysis.statistics.crossed import mean_of
from activation_study.analysis.statistics.paired import Interval
from activation_study.data.splitting.groups import describe_groups
from activation_study.report.article_table import published
from activation_study.report.elements import Table

PEAK_MEMORY = "Peak memory is that of the process so far, including all runs that it trained before."


def arms_table(condition: Condition, reduced: bool) -> Table:
    """Mean IoU of each activation, with the article's published numbers if there are any."""
    published_numbers = [published(arm.records[0]) for arm in condition.arms]
    any_published = any(published_numbers)
    article = "article_mean_iou" in metrics_of(condition)
    head = [condition.factor.title, "pooled", "SD", "min", "max", *(["article's protocol"] if article else [])]
    head += ["published"] if any_published else []
    rows = []
    for arm, numbers in zip(condition.arms, published_numbers, strict=True):
        values = 100 * arm.metric(PRIMARY)
        row = [display_name(arm.name), format_level(mean_of(arm.of_folds(PRIMARY)))]
        row += [f"{values.std(ddof=1):.2f}" if len(values) > 1 else "–", f"{values.min():.1f}", f"{values.max():.1f}"]
        row += [format_level(mean_of(arm.of_folds(METRICS["article_mean_iou"])))] if article else []
        row += [f"{numbers[0]:.1f}, {numbers[1]:.1f}" if numbers else "–"] if any_published else []
        rows.append(tuple(row))
    caption = (
        f"Mean IoU in percent on the test split of {condition.title}, {condition.seeds}. Pooled: "
        "mean with its 95 % interval, standard deviation (SD), minimum and maximum."
    )
    if article:
        caption += " Article's protocol: mean with its 95 % interval."
    if common := fairness(condition):
        caption += f" {common}"
    if groups := condition.arms[0].records[0].groups:
        caption += f" {describe_groups(groups)}; no group is in two parts of the split."
    if any_published:
        caption += " Published: the 2021 article's mean and maximum of five unseeded runs at full size, by its protocol"
        caption += "; this study is reduced and must not be compared with them." if reduced else "."
    return Table(tuple(head), tuple(rows), caption)


def few_seeds(seeds: int) -> str:
    """A warning of what few seeds cannot tell; empty with three or more."""
    if seeds > 2:
        return ""
    return (
        "With two seeds, an interval over seeds reaches 13 standard errors to each side, and a correlation would "
        "always be 1 or −1: train more seeds before you draw a conclusion."
    )


def class_table(condition: Condition, contrasts: Sequence[Contrast]) -> Table:
    """The IoU of each class with each activation, and the differences."""
    primary = [contrast for contrast in contrasts if contrast.primary and condition.folds == 1]
    means = [class_ious(arm).mean(axis=0) for arm in condition.arms]
    rows = [
        (
            name,
            *("–" if np.isnan(values[index]) else f"{100 * values[index]:.1f}" for values in means),
            *(signed(contrast.class_differences.get(name)) or "–" for contrast in primary),
        )
        for index, name in enumerate(condition.classes)
    ]
    caption = f"IoU of each class on this test set in percent, mean over {condition.seeds}"
    if primary:
        caption += "; and differences in points, with 95 % intervals over seeds, not corrected for their number"
    if any(np.isnan(values).any() for values in means):
        caption += "; –: not in the test images"
    head = ("class", *(display_name(arm.name) for arm in condition.arms), *(contrast.pair for contrast in primary))
    return Table(head, tuple(rows), f"{caption}.")


def cost_table(condition: Condition) -> Table:
    """The cost of a run with each activation, with its energy if that was measured for all."""
    rows: list[tuple[str, ...]] = []
    measured = _measured(condition)
    for arm in condition.arms:
        results = [record.results for record in arm.records]
        speed = np.median([epoch["images_per_second"] for record in arm.records for epoch in record.epochs])
        minutes = np.median([record.training_seconds / 60 for record in arm.records])
        memory = np.median([result.get("peak_memory_bytes", np.nan) for result in results]) / 2**30
        epochs = np.median([len(record.epochs) for record in arm.records])
        parameters = f"{results[0].get('parameters', np.nan):,.0f}"
        capped = sum(record.ended_at_cap for record in arm.records)
        count = f"{epochs:.0f}" + (f" ({capped} of {len(arm.records)} at the cap)" if capped else "")
        row = [display_name(arm.name), parameters, count, f"{minutes:.1f}", f"{speed:.1f}", f"{memory:.2f}"]
        if measured:
            watt_hours = np.median([1000 * result["energy_kwh"] for result in results])
            row += [f"{watt_hours:.3g}", f"{100 * arm.metric(PRIMARY).mean():.1f}"]
        rows.append(tuple(row))
    head = [condition.factor.title, "parameters", "epochs", "minutes", "images/s", "peak memory, GiB"]
    caption = f"Cost of training, medians over the runs of each {condition.factor.title}. {PEAK_MEMORY}"
    if any(record.ended_at_cap for arm in condition.arms for record in arm.records):
        caption += " At the cap: training.epochs ended the training, so it might have gone on to improve."
    if measured:
        head += ["energy, Wh", "mean IoU, %"]
        caption += (
            f" Energy is that of training and validation, measured by the counters of the {measured}; whatever else "
            f"ran on these devices is included. Mean IoU is the mean over the runs."
        )
    return Table(tuple(head), tuple(rows), caption)


def _measured(condition: Condition) -> str:
    """What the energy of all runs was measured of; empty if it was not measured alike for all."""
    records = [record for arm in condition.arms for record in arm.records]
    sources = {record.environment.get("energy") for record in records if "energy_kwh" in record.results}
    alike = len(sources) == 1 and all("energy_kwh" in record.results for record in records)
    return str(*sources) if alike else ""


def changes_table(ablations: Ablations) -> Table:
    """What each change of the protocol does to each activation and to their difference."""
    names, pairs = list(ablations.levels), list(ablations.differences)
    titles = [pair_name(*pair) for pair in pairs]
    head = ("protocol", *map(display_name, names), *(each for pair in titles for each in (pair, f"change of {pair}")))
    levels = (format_level(ablations.levels[name]) for name in names)
    rows = [
        (
            ablations.base.title,
            *levels,
            *(each for pair in pairs for each in (signed(ablations.differences[pair]), "")),
        )
    ]
    for change in ablations.changes:
        effects = (signed(change.arms.get(name)) for name in names)
        of_pairs = ((signed(change.differences.get(pair)), signed(change.changes.get(pair))) for pair in pairs)
        rows.append((change.title, *effects, *(cell for cells in of_pairs for cell in cells)))
    caption = (
        "First row: mean IoU in percent under the usual protocol. Other rows, one for each change of the protocol, "
        f"in points: how far it moves the mean IoU of each {ablations.base.factor.title}; {listed(titles)} under it, "
        "and how far it moves each of them. Paired by seed, with 95 % intervals over seeds, not corrected for their "
        "number."
    )
    return Table(head, tuple(rows), caption + ablations.note)


def selection_table(selection: Selection) -> Table:
    """Mean IoU on validation for each value that could be selected."""
    values = list(dict.fromkeys(value for scores in selection.scores.values() for value in scores))
    rows = []
    for name, scores in selection.scores.items():
        best, mark = selection.best(name), " ← at the edge" if selection.at_edge(name) else " ←"
        cells = (
            f"{100 * scores[value]:.1f}{mark if value == best else ''}" if value in scores else "" for value in values
        )
        rows.append((display_name(name), *cells))
    caption = (
        f"Mean IoU on the validation split for each {selection.key}, in percent, of the scored weights, mean over "
        "seeds. The arrow marks the selected value. The test split has no part in the selection. "
        f"{' '.join(selection.notes)}"
    )
    return Table((selection.condition.factor.title, *values), tuple(rows), caption.rstrip())


def signed(interval: Interval | None) -> str:
    """A difference with its interval in points; empty without."""
    return format_interval(interval, signed=True) if interval else ""
