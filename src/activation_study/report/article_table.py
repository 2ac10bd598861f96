"""The article's table: for each label type and activation, mean and maximum of mean IoU over the seeds."""

from collections.abc import Sequence
from statistics import fmean

from rich.table import Table

from activation_study.analysis.grouping import arm, rows
from activation_study.config.factor import Factor
from activation_study.config.identity import INTRODUCED, flatten
from activation_study.records.record import Record

# Mean and maximum over five unseeded runs, as published in 2021, in percent.
PUBLISHED = {
    ("surfaces", "relu"): (76.8, 77.3),
    ("surfaces", "mish"): (78.2, 78.8),
    ("surfaces", "frelu"): (77.8, 78.4),
    ("regions", "relu"): (27.3, 32.1),
    ("regions", "mish"): (33.1, 34.1),
    ("regions", "frelu"): (32.9, 33.9),
}
ARTICLES_PARTS = {
    **{key: value for key, value in INTRODUCED.items() if key.endswith(".name")},
    "optimizer.learning_rate": 1e-3,
}


def article_table(records: Sequence[Record]) -> Table:
    """A table to print, one row per data set, label type and activation, in the order of their first runs.

    Runs that differ in more than the seed get separate rows.

    Args:
        records: records of finished runs.
    """
    headings, groups = rows(records, lambda record: record.config)
    has_article = any(record.has_article_score for record in records)
    any_published = any(published(group[0]) for group in groups.values())
    table = Table(title="Mean IoU on the test split in percent: mean and maximum over seeds")
    for column in headings:
        table.add_column(column, overflow="fold")
    columns = ["article's protocol"] if has_article else []
    for column in ("seeds", *columns, "pooled", *(["published, full size"] if any_published else [])):
        table.add_column(column, justify="right")
    for key, group in groups.items():
        scored = all(record.has_article_score for record in group)
        article = _mean_and_maximum(group, "test/article/mean_iou") if scored else "–"
        cells = [*([article] if has_article else []), _mean_and_maximum(group, "test/mean_iou")]
        numbers = published(group[0])
        table.add_row(*key, str(len(group)), *cells, *([f"{numbers[0]:.1f}  {numbers[1]:.1f}"] if numbers else []))
    return table


def published(record: Record) -> tuple[float, float] | None:
    """The article's mean and maximum in percent for the run's label type and activation.

    None for other data, and for runs by another protocol, with other parts or another learning rate.
    """
    data, label_type, activation = arm(record.config, Factor())
    values = flatten(record.config)
    same_parts = all(values.get(key, value) == value for key, value in ARTICLES_PARTS.items())
    comparable = data == "stanford_background" and record.has_article_score and same_parts
    return PUBLISHED.get((label_type, activation)) if comparable else None


def _mean_and_maximum(records: Sequence[Record], key: str) -> str:
    values = [100 * record.results[key] for record in records]
    return f"{fmean(values):.1f}  {max(values):.1f}"
