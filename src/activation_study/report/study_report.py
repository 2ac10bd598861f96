"""The report of a study: reads and compares the runs, writes, prints and mirrors the report."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from activation_study.analysis.contrasts import METRIC_LABELS
from activation_study.analysis.findings import Findings, compare_study
from activation_study.analysis.finished_runs import REPORT_FOLDER, read_kept_looks, read_planned
from activation_study.analysis.formatting import format_interval, format_p
from activation_study.analysis.ranks import rank_arms
from activation_study.analysis.results import read_study
from activation_study.console import table_console
from activation_study.errors import problems_message
from activation_study.outcome import deliver
from activation_study.records.looks import keep_look
from activation_study.records.record import run_folders
from activation_study.report import tables
from activation_study.report.article_table import article_table
from activation_study.report.csv_export import write_tables
from activation_study.report.describe import describe_findings
from activation_study.report.elements import print_table
from activation_study.report.latex_tables import write_latex
from activation_study.report.ranks_section import ranks_table
from activation_study.report.render import write_pages
from activation_study.report.sections import build_sections
from activation_study.tracking.mirror import mirror_report


@dataclass(frozen=True)
class ReportOptions:
    """Options of a report.

    Args:
        contrasts: pairs to compare; if empty, those declared in the runs' configuration.
        allow_incomplete: compare an incomplete study, with a warning.
        pictures: include sample test images if data and weights are available.
        ranks: rank the activations over the data sets.
        tracking_uri: the MLflow store for the report; None: the one that the last run was tracked in.
    """

    contrasts: Sequence[Sequence[str]] = ()
    allow_incomplete: bool = False
    pictures: bool = True
    ranks: bool = False
    tracking_uri: str | None = None


def make_report(study: Path, report_options: ReportOptions) -> Path:
    """Compares the runs of a study, writes the report and prints a summary.

    Args:
        study: folder of the study.
        report_options: options of the report.

    Returns:
        The folder of the report.

    Raises:
        BadInput: see `read_study` and `compare_condition`.
    """
    conditions, problems = read_study(study, report_options.allow_incomplete)
    kept = read_kept_looks(study)["looks"]
    before = [each for look in kept for each in look["contrasts"]]
    planned = read_planned(study)
    findings = compare_study(study.name, conditions, problems, report_options.contrasts, before, planned)
    looks = findings.looked_at if run_folders(study) else findings.asked_at  # a packed study has its own looks
    if looks:
        keep_look(study, {"at": time.time(), "contrasts": list(looks)})
    ranks = rank_arms(findings.main) if report_options.ranks else None
    folder = study / REPORT_FOLDER
    write_tables(folder, findings)
    write_latex(folder, findings)
    contents = build_sections(findings, report_options.pictures, ranks)
    write_pages(folder, contents)
    if problems:
        hint = "Each contrast uses the seeds that both of its arms have."
        print(problems_message("warning: the study is incomplete", problems, hint))
    print_summary(findings)
    if ranks:
        print_table(table_console(), ranks_table(ranks))
    for section in contents.sections:
        if section.no_gallery:
            print(f"No sample images of {section.title}: {section.no_gallery}")
    deliver("comparison", describe_findings(findings, folder, ranks))
    last = max(findings.records, key=lambda record: record.started)
    recorded = last.config.get("tracking", {}).get("uri")
    mirror_report(folder, study.name, report_options.tracking_uri or recorded)
    return folder


def print_summary(findings: Findings) -> None:
    """Prints the article's table, selections, changes of the protocol, differences, and in words what follows."""
    console = table_console()
    console.print(article_table(findings.records))
    for selection in findings.selections:
        print_table(console, tables.selection_table(selection))
    for ablations in findings.ablations:
        print_table(console, tables.changes_table(ablations))
    if any(contrasts for _, contrasts in findings.compared):
        console.print(_differences(findings))
        counts = [contrast.seeds for _, contrasts in findings.compared for contrast in contrasts]
        if warning := tables.few_seeds(min(counts)):
            console.print(f"note: {warning}", highlight=False)
    for paragraph in findings.summary:
        console.print(paragraph, highlight=False, markup=False)
    for sentence in findings.classes:
        console.print(f"note: {sentence}", highlight=False, markup=False)


def _differences(findings: Findings) -> Table:
    metrics = {contrast.metric for _, contrasts in findings.compared for contrast in contrasts}
    which = "; metric: pooled (primary) or the article's" if len(metrics) > 1 else ""
    title = f"Differences of mean IoU in points with 95 % intervals{which}"
    table = Table(title=title)
    for column in ("label type", "contrast", "metric", "seeds"):
        table.add_column(column, overflow="fold")
    for column in ("this test set", "p (Holm)", "new images"):
        table.add_column(column, justify="right", no_wrap=True)
    for condition in findings.main:
        for contrast in findings.contrasts(condition):
            new = contrast.new_images
            table.add_row(
                Text(findings.place(condition)),
                f"{contrast.pair}{' (asked afterwards)' if contrast.afterwards else ''}",
                METRIC_LABELS[contrast.metric],
                str(contrast.seeds),
                format_interval(contrast.paired.difference, signed=True),
                format_p(contrast.p_holm) if contrast.p_holm is not None else "–",
                format_interval(new.difference, signed=True) if new else "",
            )
    return table
