"""The tables of a study's answer for a paper: LaTeX with booktabs."""

from pathlib import Path

from activation_study.analysis.contrasts import PRIMARY
from activation_study.analysis.findings import Findings
from activation_study.analysis.formatting import display_name, format_interval, format_level, format_p, format_points
from activation_study.analysis.statistics.crossed import mean_of
from activation_study.files import write_text
from activation_study.report.contrast_tables import deciding_test
from activation_study.report.elements import Table
from activation_study.report.render import render

LATEX_FILE = "tables.tex"


def write_latex(folder: Path, findings: Findings) -> None:
    """Writes `tables.tex`: scores and differences of the conditions that decide.

    Args:
        folder: folder of the report.
        findings: results of the study.
    """
    tables = [_scores(findings), _differences(findings)]
    text = render("tables.tex.j2", False, study=findings.study, tables=[each for each in tables if each.rows])
    write_text(folder / LATEX_FILE, text)


def _scores(findings: Findings) -> Table:
    rows = []
    for condition in findings.main:
        for arm in condition.arms:
            values = arm.metric(PRIMARY)
            deviation = format_points(float(values.std(ddof=1)), digits=2) if len(values) > 1 else "–"
            level = format_level(mean_of(arm.of_folds(PRIMARY)))
            rows.append((findings.place(condition), display_name(arm.name), str(len(arm.seeds)), level, deviation))
    caption = "Pooled mean IoU on the test images in percent: mean over seeds with 95 % interval, standard deviation."
    return Table(("labels", findings.main[0].factor.title, "seeds", "mean IoU", "SD"), tuple(rows), caption)


def _differences(findings: Findings) -> Table:
    rows = []
    for condition in findings.main:
        for contrast in findings.contrasts(condition):
            if contrast.primary and contrast.p_holm is not None:
                pair = f"{contrast.pair} (asked afterwards)" if contrast.afterwards else contrast.pair
                new = format_interval(contrast.new_images.difference, signed=True) if contrast.new_images else "–"
                here, p = format_interval(contrast.paired.difference, signed=True), format_p(contrast.p_holm)
                rows.append((findings.place(condition), pair, here, new, p, contrast.answer or ""))
    contrasts = [contrast for condition in findings.main for contrast in findings.contrasts(condition)]
    test = f"p: {deciding_test(contrasts)}, with Holm's correction for all contrasts" if contrasts else ""
    caption = f"Differences of pooled mean IoU in points with 95 % intervals, paired by seed. {test}."
    return Table(("labels", "contrast", "this test set", "new images", "p", "answer"), tuple(rows), caption)
