"""Tables and figures say what their numbers cannot tell."""

from pathlib import Path

import pytest

from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run


@pytest.mark.parametrize(("seeds", "warned"), [(2, True), (3, False)])
def test_two_seeds_are_warned_of(seeds: int, warned: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(seeds):
        for activation, accuracy in (("relu", 0.7), ("mish", 0.8)):
            write_run(tmp_path / "few", activation, seed, accuracy)
    report = make_report(tmp_path / "few", ReportOptions(pictures=False))
    text = (report / "report.md").read_text()
    assert ("With two seeds, an interval over seeds" in text) == warned
    assert text.count("each dot is a run. Peak memory is that of the process so far") == 2  # caption, description
    assert ("note: With two seeds" in capsys.readouterr().out) == warned


def test_packages_that_are_not_installed_are_not_listed() -> None:
    from activation_study.report.sections import _environment

    rows = dict(_environment([{"versions": {"keras": "3.15.1", "jax": None}}]))
    assert rows["versions"] == "keras 3.15.1"
