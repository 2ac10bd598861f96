"""The article's table: for each label type and activation, mean and maximum of mean IoU over the seeds."""

from collections.abc import Sequence
from statistics import fmean

from rich.table import Table

from activation_study.run.record import Record

# Mean and maximum over five unseeded runs, as published in 2021, in percent.
PUBLISHED = {
    ("surfaces", "relu"): (76.8, 77.3),
    ("surfaces", "mish"): (78.2, 78.8),
    ("surfaces", "frelu"): (77.8, 78.4),
    ("regions", "relu"): (27.3, 32.1),
    ("regions", "mish"): (33.1, 34.1),
    ("regions", "frelu"): (32.9, 33.9),
}


def article_table(records: Sequence[Record]) -> Table:
    """A table to print, one row per data set, label type and activation in the order of their first run.

    Args:
        records: of finished runs.
    """
    groups: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        config = record.config
        key = (config["data"]["name"], config["label_type"]["name"], config["activation"]["name"])
        groups.setdefault(key, []).append(record)
    table = Table(title="Mean IoU on the test split, mean and maximum over seeds, in percent")
    published = any(data == "stanford_background" and (kind, name) in PUBLISHED for data, kind, name in groups)
    for column in ("data", "label type", "activation"):
        table.add_column(column)
    for column in ("seeds", "article's protocol", "pooled"):
        table.add_column(column, justify="right")
    if published:
        table.add_column("published (full size)", justify="right")
    for (data, label_type, activation), group in groups.items():
        row = [data, label_type, activation, str(len(group))]
        row += [_mean_and_maximum(group, key) for key in ("test/article/mean_iou", "test/mean_iou")]
        known = PUBLISHED.get((label_type, activation)) if data == "stanford_background" else None
        table.add_row(*row, *([f"{known[0]:.1f}  {known[1]:.1f}"] if known else []))
    return table


def _mean_and_maximum(records: Sequence[Record], key: str) -> str:
    values = [100 * record.results[key] for record in records]
    return f"{fmean(values):.1f}  {max(values):.1f}"
