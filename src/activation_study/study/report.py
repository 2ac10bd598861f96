"""The answer of a study: its tables, and what they say, from the runs' folders."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from activation_study.errors import faults_message
from activation_study.files import write_text
from activation_study.output import table_console
from activation_study.study.answer import SHORT, compare_block, headline, in_points
from activation_study.study.page import page
from activation_study.study.results import Block, read_study
from activation_study.study.table import article_table
from activation_study.study.tables import Answered, write_tables

FOLDER = "report"


def make_report(study: Path, declared: Sequence[Sequence[str]], seed: int, allow_incomplete: bool) -> Path:
    """Compares a study's runs, prints the answer, and writes its tables.

    Args:
        study: its folder.
        declared: contrasts; empty for those that the runs' configuration declares.
        seed: of the bootstrap's draws.
        allow_incomplete: compare what there is, with a warning.

    Returns:
        The report's folder.

    Raises:
        BadInput: see `read_study` and `compare_block`.
    """
    blocks, faults = read_study(study, allow_incomplete)
    answered = [(block, compare_block(block, declared or _declared(block), seed)) for block in blocks]
    folder = study / FOLDER
    write_tables(folder, answered)
    write_text(folder / "index.html", page(study.name, answered, faults))
    if faults:
        print(faults_message("Compared although incomplete", faults, "Only the seeds that all arms have count."))
    show(answered)
    return folder


def _declared(block: Block) -> list[list[str]]:
    """The contrasts that the runs' configuration declares, as the last run has them."""
    last = max((record for arm in block.arms for record in arm.records), key=lambda record: record.started)
    contrasts: list[list[str]] = last.config.get("comparison", {}).get("contrasts", [])
    return contrasts


def show(answered: Answered) -> None:
    """Prints the article's table, the differences, and the answer in sentences."""
    console = table_console()
    console.print(article_table([record for block, _ in answered for arm in block.arms for record in arm.records]))
    if any(contrasts for _, contrasts in answered):
        console.print(_differences(answered))
    for block, contrasts in answered:
        console.print(headline(block, contrasts), highlight=False)


def _differences(answered: Answered) -> Table:
    table = Table(
        title="Differences in points of mean IoU, with 95 % intervals; pooled (primary) and article's protocol"
    )
    for column in ("label type", "contrast", "metric", "seeds"):
        table.add_column(column)
    for column in ("on this test set", "p, Holm", "p, sign flip", "P(a above b)", "on new images"):
        table.add_column(column, justify="right")
    for block, contrasts in answered:
        for each in contrasts:
            new = in_points(each.new_images.difference, signed=True) if each.new_images else ""
            numbers = [f"{each.p_holm:.3f}", f"{each.paired.p_sign_flip:.3f}", f"{each.paired.probability:.2f}", new]
            about = [block.title, f"{each.a} − {each.b}", SHORT[each.metric], str(each.seeds)]
            table.add_row(*about, in_points(each.paired.difference, signed=True), *numbers)
    return table
