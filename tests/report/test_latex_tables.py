"""The tables for a paper are valid LaTeX, whatever the names are."""

import re
from pathlib import Path

from activation_study.report.render import tex
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run


def test_special_characters_are_escaped() -> None:
    assert tex("a_b & 50 % of #1 {x} ~^ \\ −1 ±2 < 0.001") == (
        r"a\_b \& 50 \% of \#1 \{x\} \textasciitilde{}\textasciicircum{} \textbackslash{} $-$1 $\pm$2 $<$ 0.001"
    )


def test_each_main_condition_has_its_scores_and_differences(tmp_path: Path) -> None:
    for seed in range(3):
        for index, (name, accuracy) in enumerate((("relu", 0.7), ("my_own", 0.8))):
            write_run(tmp_path / "a_study", name, seed, accuracy, started=float(index))
    text = (make_report(tmp_path / "a_study", ReportOptions(pictures=False)) / "tables.tex").read_text()
    assert text.startswith("% a_study: made by activation-study. Needs \\usepackage{booktabs}.\n")
    rows = [line.strip() for line in text.splitlines() if line.strip().endswith(r"\\")]
    assert [row.count("&") for row in rows] == [4, 4, 4, 5, 5]
    assert rows[2].startswith(r"surfaces & my\_own & 3 & ")
    assert re.match(r"surfaces & my\\_own \$-\$ ReLU & \+[\d.]+ \[\+[\d.]+, \+[\d.]+\] & .* & above \\\\", rows[4])
    for kind in ("table", "tabular"):
        assert text.count(f"\\begin{{{kind}}}") == text.count(f"\\end{{{kind}}}") == 2
    assert text.count("{") == text.count("}")
