"""The tables of a report, as text ready to be shown."""

from collections.abc import Sequence

import numpy as np

from activation_study.analysis.ablation import Ablations
from activation_study.analysis.contrasts import METRICS, PRIMARY, SHORT, Contrast
from activation_study.analysis.formatting import display_name, format_interval, pair_name
from activation_study.analysis.results import Block
from activation_study.analysis.selection import Selection
from activation_study.analysis.statistics import PLANNED, Interval, mean_over_seeds
from activation_study.report.article_table import published
from activation_study.report.elements import Table


def arms_table(block: Block, reduced: bool) -> Table:
    """Mean IoU of each activation, the article's numbers beside it where there are any."""
    known = [published(arm.records[0]) for arm in block.arms]
    head = ["activation", "pooled", "s.d.", "min", "max", "article's protocol", *(["published"] if any(known) else [])]
    rows = []
    for arm, numbers in zip(block.arms, known, strict=True):
        values = 100 * arm.metric(PRIMARY)
        row = [display_name(arm.name), format_interval(mean_over_seeds(arm.metric(PRIMARY)))]
        row += [f"{values.std(ddof=1):.2f}" if len(values) > 1 else "–", f"{values.min():.1f}", f"{values.max():.1f}"]
        row += [format_interval(mean_over_seeds(arm.metric(METRICS["article_mean_iou"])))]
        row += [f"{numbers[0]:.1f}, {numbers[1]:.1f}" if numbers else "–"] if any(known) else []
        rows.append(tuple(row))
    caption = (
        f"Mean IoU over {len(block.arms[0].seeds)} seeds in percent: mean with the 95 % interval of the mean over "
        "seeds, standard deviation, smallest and largest."
    )
    if any(known):
        caption += " Published: the 2021 article's mean and maximum of five unseeded runs at full size, by its protocol"
        caption += "; this is a reduced study, not to be compared with them." if reduced else "."
    return Table(tuple(head), tuple(rows), caption)


def difference_table(contrasts: Sequence[Contrast]) -> Table:
    """All that is known about each contrast."""
    rows = []
    for each in contrasts:
        found, new = each.paired, each.new_images
        numbers = [f"{each.p_holm:.3f}", f"{found.p:.3f}", f"{found.p_sign_flip:.3f}", f"{found.probability:.2f}"]
        correlation = "–" if np.isnan(found.correlation) else f"{found.correlation:.2f}".replace("-", "−")
        smallest = ", ".join(f"{100 * each.smallest[seeds]:.1f}" for seeds in PLANNED)
        images = format_interval(new.difference, signed=True) if new else ""
        points = format_interval(found.difference, signed=True)
        rows.append((each.pair, SHORT[each.metric], points, images, *numbers, correlation, smallest))
    seeds, smallest_p = contrasts[0].seeds, contrasts[0].paired.smallest_p
    head = (
        "contrast", "metric", "this test set", "new images", "p (Holm)", "p", "p (sign flip)", "P(a above b)",
        "correlation", f"found with {', '.join(map(str, PLANNED))} seeds",
    )  # fmt: skip
    caption = (
        f"Differences in points with 95 % intervals, {seeds} seeds. The sign-flip p cannot be below {smallest_p:.4f} "
        "with so many. Correlation: of paired seeds; pairing helps where it is above 0. Last column: the difference "
        "in points that so many seeds would find with 80 % power."
    )
    return Table(head, tuple(rows), caption)


def class_table(contrasts: Sequence[Contrast]) -> Table | None:
    """Differences of each class's IoU."""
    primary = [contrast for contrast in contrasts if contrast.primary]
    if not primary:
        return None
    rows = [
        (name, *(format_interval(contrast.classes[name], signed=True) for contrast in primary))
        for name in primary[0].classes
    ]
    caption = (
        "Differences of each class's IoU in points with 95 % intervals over seeds, not corrected for their number."
    )
    head = ("class", *(contrast.pair for contrast in primary))
    return Table(head, tuple(rows), caption)


def cost_table(block: Block) -> Table:
    """What a run of each activation costs."""
    rows = []
    for arm in block.arms:
        results = [record.results for record in arm.records]
        speed = np.median([epoch["images_per_second"] for record in arm.records for epoch in record.epochs])
        minutes = np.median([record.training_seconds / 60 for record in arm.records])
        memory = np.median([each.get("peak_memory_bytes", np.nan) for each in results]) / 2**30
        epochs = np.median([len(record.epochs) for record in arm.records])
        parameters = f"{results[0].get('parameters', np.nan):,.0f}"
        rows.append(
            (display_name(arm.name), parameters, f"{epochs:.0f}", f"{minutes:.1f}", f"{speed:.1f}", f"{memory:.2f}")
        )
    head = ("activation", "parameters", "epochs", "minutes", "images/s", "peak memory, GiB")
    caption = "Medians over the runs. Memory is the process's largest so far: in one process, that of all runs before."
    return Table(head, tuple(rows), caption)


def changes_table(found: Ablations) -> Table:
    """What each change of the protocol changes."""
    names, pair = list(found.levels), pair_name(*found.pair)
    head = ("protocol", *map(display_name, names), pair, f"change of {pair}")
    levels = (format_interval(found.levels[name]) for name in names)
    rows = [(found.base.title, *levels, format_interval(found.difference, signed=True), "")]
    for change in found.changes:
        moved = [_points(change.arms.get(name)) for name in names]
        rows.append((change.title, *moved, _points(change.difference), _points(change.change)))
    caption = (
        "First row: mean IoU in percent. Below it, for each change of the protocol: how far it moves each activation's "
        f"mean IoU, {pair} under it, and how far that is moved; in points, paired by seed, 95 % intervals over seeds, "
        "not corrected for their number."
    )
    return Table(head, tuple(rows), caption + found.note)


def choice_table(choice: Selection) -> Table:
    """Validation's mean IoU for each value that could be chosen."""
    values = list(dict.fromkeys(value for scores in choice.scores.values() for value in scores))
    rows = []
    for name, scores in choice.scores.items():
        best = max(scores, key=lambda value: scores[value])
        cells = (
            f"{100 * scores[value]:.1f}{' ←' if value == best else ''}" if value in scores else "" for value in values
        )
        rows.append((display_name(name), *cells))
    caption = (
        f"Mean IoU on the validation split in percent at the best weights, mean over seeds, for each {choice.key}; the "
        "arrow marks what was chosen. The test split has no part in the choice."
    )
    return Table(("activation", *values), tuple(rows), caption)


def _points(interval: Interval | None) -> str:
    return format_interval(interval, signed=True) if interval else ""
