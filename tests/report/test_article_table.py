"""The article's table, from records."""

import io
from typing import Any

from rich.console import Console

from activation_study.records.record import Record
from activation_study.report.article_table import article_table


def record(activation: str, article: float, pooled: float, data: str = "stanford_background", **config: Any) -> Record:
    values = {"data": {"name": data}, "label_type": {"name": "surfaces"}, "activation": {"name": activation}}
    results = {"test/article/mean_iou": article, "test/mean_iou": pooled}
    return Record("run", "study", "0" * 8, {**values, **config}, [], ["sky"], {}, {}, results=results)


def printed(*records: Record) -> list[list[str]]:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(article_table(records))
    lines = console.export_text().splitlines()
    return [[cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")] for line in lines if "│" in line]


def test_mean_and_maximum_over_seeds_are_shown_beside_the_published_numbers() -> None:
    rows = printed(record("mish", 0.70, 0.80, seed=0), record("mish", 0.74, 0.81, seed=1))
    assert rows == [["stanford_background", "surfaces", "mish", "2", "72.0  74.0", "80.5  81.0", "78.2  78.8"]]


def test_another_data_set_has_no_published_numbers() -> None:
    assert printed(record("mish", 0.7, 0.8, data="scenes")) == [
        ["scenes", "surfaces", "mish", "1", "70.0  70.0", "80.0  80.0"]
    ]


def test_runs_that_differ_in_more_than_the_seed_get_separate_rows() -> None:
    rows = printed(
        record("relu", 0.7, 0.8, seed=0, optimizer={"learning_rate": 1e-3}),
        record("relu", 0.6, 0.7, seed=0, optimizer={"learning_rate": 1e-2}),
        record("relu", 0.8, 0.9, seed=1, optimizer={"learning_rate": 1e-3}),
    )
    assert [row[3:6] for row in rows] == [["", "2", "75.0  80.0"], ["optimizer.learning_rate=0.01", "1", "60.0  60.0"]]


def test_other_parts_than_the_articles_have_no_published_numbers() -> None:
    rows = printed(
        record("relu", 0.7, 0.8, optimizer={"name": "adam_amsgrad", "learning_rate": 1e-3}),
        record("relu", 0.6, 0.7, optimizer={"name": "sgd", "learning_rate": 1e-3}),
    )
    assert [row[-1] for row in rows] == ["76.8  77.3", ""]
