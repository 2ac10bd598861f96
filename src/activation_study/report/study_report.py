"""The report of a study: read, compared, written, shown, mirrored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from activation_study.analysis.contrasts import SHORT
from activation_study.analysis.findings import Findings, findings
from activation_study.analysis.finished_runs import REPORT_FOLDER
from activation_study.analysis.formatting import format_interval
from activation_study.analysis.results import read_study
from activation_study.console import table_console
from activation_study.errors import problems_message
from activation_study.report import tables
from activation_study.report.article_table import article_table
from activation_study.report.csv_export import write_tables
from activation_study.report.elements import to_rich
from activation_study.report.render import write_pages
from activation_study.report.sections import build_sections
from activation_study.tracking.mirror import mirror_report


@dataclass(frozen=True)
class ReportOptions:
    """How a report is to be made.

    Args:
        contrasts: pairs to compare; empty for those that the runs' configuration declares.
        seed: of the bootstrap's draws.
        allow_incomplete: compare what there is, with a warning.
        pictures: with test images side by side, where data and weights are here.
    """

    contrasts: Sequence[Sequence[str]] = ()
    seed: int = 0
    allow_incomplete: bool = False
    pictures: bool = True


def make_report(study: Path, report_options: ReportOptions) -> Path:
    """Compares a study's runs, prints the answer, and writes the report.

    Args:
        study: its folder.
        report_options: how.

    Returns:
        The report's folder.

    Raises:
        BadInput: see `read_study` and `compare_block`.
    """
    blocks, problems = read_study(study, report_options.allow_incomplete)
    found = findings(study.name, blocks, problems, report_options.contrasts, report_options.seed)
    folder = study / REPORT_FOLDER
    write_tables(folder, found)
    whole = build_sections(found, report_options.pictures)
    write_pages(folder, whole)
    if problems:
        print(problems_message("Compared although incomplete", problems, "Only the seeds that all arms have count."))
    show(found)
    for section in whole.sections:
        if section.no_pictures:
            print(f"No pictures of {section.title}: {section.no_pictures}")
    last = max(found.records, key=lambda record: record.started)
    mirror_report(folder, study.name, last.config.get("tracking", {}).get("uri"))
    return folder


def show(found: Findings) -> None:
    """Prints the article's table, what changes of the protocol do, the differences, and the answer in sentences."""
    console = table_console()
    console.print(article_table(found.records))
    made = [tables.choice_table(choice) for choice in found.choices]
    made += [tables.changes_table(changes) for changes in found.changes]
    for table in made:
        console.print(to_rich(table))
    if any(contrasts for _, contrasts in found.answered):
        console.print(_differences(found))
    for lead in found.summary:
        console.print(lead, highlight=False)


def _differences(found: Findings) -> Table:
    table = Table(
        title="Differences in points of mean IoU, with 95 % intervals; pooled (primary) and article's protocol"
    )
    for column in ("label type", "contrast", "metric", "seeds"):
        table.add_column(column, overflow="fold")
    for column in ("on this test set", "p, Holm", "on new images"):
        table.add_column(column, justify="right", no_wrap=True)
    for block in found.main:
        for each in found.contrasts(block):
            new = format_interval(each.new_images.difference, signed=True) if each.new_images else ""
            numbers = [f"{each.p_holm:.3f}", new]
            about = [block.title, f"{each.a} − {each.b}", SHORT[each.metric], str(each.seeds)]
            table.add_row(*about, format_interval(each.paired.difference, signed=True), *numbers)
    return table
