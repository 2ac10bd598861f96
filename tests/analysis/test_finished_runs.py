"""A study in one file says what its folders say, and nothing about the machine's."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from activation_study.analysis.finished_runs import PACKED_FILE, export_study, read_runs
from activation_study.errors import BadInput
from activation_study.records.record import read_record
from activation_study.records.run import Run
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import write_run

STUDIES = Path(__file__).parents[2] / "docs" / "studies"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for seed in range(3):
        for place, name in enumerate(("relu", "mish")):
            write_run(folder, name, seed, 0.8 + 0.03 * place, started=float(place))
            write_run(folder, name, seed, 0.6, started=2.0 + place, label_type="regions")
    return folder


def in_order(study: Path) -> list[Run]:
    return sorted(read_runs(study)[0], key=lambda run: run.record.name)


def test_the_packed_study_gives_the_same_tables_without_the_folders(study: Path, tmp_path: Path) -> None:
    first = make_report(study, ReportOptions())
    packed = tmp_path / "docs" / "study"
    export_study(study, packed)
    kept = {name: (first / f"{name}.csv").read_text() for name in ("differences", "per_class")}
    runs = (first / "runs.csv").read_text().replace(f"{study.as_posix()}/", "")
    shutil.rmtree(study)
    again = make_report(packed, ReportOptions())
    assert {name: (again / f"{name}.csv").read_text() for name in kept} == kept
    assert (again / "runs.csv").read_text() == runs
    text = (again / "report.md").read_text()
    for name in ("seeds", "differences", "classes", "learning", "cost", "confusion"):
        assert f"figures/scenes-surfaces-{name}.svg" in text
        assert (again / "figures" / f"scenes-surfaces-{name}.svg").read_text().startswith("<svg ")


def test_no_path_of_the_machine_is_packed(study: Path, tmp_path: Path) -> None:
    path = export_study(study, tmp_path / "packed")
    with np.load(path) as arrays:
        said = " ".join(str(arrays[name]) for name in arrays if name.startswith(("record", "folder")))
    assert "seed=2" in said
    for place in ("/somewhere/on/this/machine", str(study)):
        assert place not in said


def test_a_damaged_file_is_named(study: Path, tmp_path: Path) -> None:
    path = export_study(study, tmp_path / "packed")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadInput, match=PACKED_FILE):
        read_runs(tmp_path / "packed")


def test_a_folder_that_has_runs_is_no_place_for_the_file_and_runs_count_before_it(study: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there are runs in it"):
        export_study(study, study)
    shutil.copy(export_study(study, tmp_path / "packed"), study / PACKED_FILE)
    write_run(study, "frelu", 0)
    assert "frelu" in {run.record.config["activation"]["name"] for run in read_runs(study)[0]}


def test_what_did_not_finish_is_packed_too(study: Path, tmp_path: Path) -> None:
    failed = write_run(study, "frelu", 0, status="FAILED")
    export_study(study, tmp_path / "packed")
    assert read_runs(tmp_path / "packed")[1] == [f"{failed.name}: FAILED"]


def test_the_file_grows_from_machine_to_machine(study: Path, tmp_path: Path) -> None:
    whole = in_order(study)
    elsewhere = tmp_path / "elsewhere" / study.name
    for run in whole[::2]:
        shutil.move(run.folder, elsewhere / run.folder.name)
    failed = write_run(study, "frelu", 7, status="FAILED")
    packed = tmp_path / "packed"
    export_study(elsewhere, packed)
    export_study(study, packed)
    export_study(study, packed)
    for run, original in zip(in_order(packed), whole, strict=True):
        assert run.record.name == original.record.name
        np.testing.assert_array_equal(run.confusions, original.confusions)
    assert read_runs(packed)[1] == [f"{failed.name}: FAILED"]


def test_a_run_that_finished_later_takes_the_place_of_what_was_packed(study: Path, tmp_path: Path) -> None:
    run = write_run(study, "frelu", 0, status="FAILED")
    path = export_study(study, tmp_path / "packed")
    record = read_record(run)
    assert record is not None
    record.end(run, "FINISHED")
    export_study(study, path.parent)
    runs, unfinished = read_runs(path.parent)
    assert unfinished == []
    assert [each.record.name for each in runs].count(run.name) == 1
    record.results["test/mean_iou"] = 0.125
    record.write(run)
    export_study(study, path.parent)
    assert 0.125 in {each.record.results["test/mean_iou"] for each in read_runs(path.parent)[0]}


def test_one_file_is_of_one_study(study: Path, tmp_path: Path) -> None:
    path = export_study(study, tmp_path / "packed")
    write_run(tmp_path / "other", "relu", 0)
    content = path.read_bytes()
    with pytest.raises(BadInput, match="holds runs of the study study; expected one file for each study"):
        export_study(tmp_path / "other", path.parent)
    assert path.read_bytes() == content


@pytest.mark.parametrize("packed", sorted(STUDIES.glob(f"*/{PACKED_FILE}")), ids=lambda path: path.parent.name)
def test_the_tables_of_a_study_in_the_documents_follow_from_its_confusions(packed: Path, tmp_path: Path) -> None:
    shutil.copy(packed, tmp_path)
    made = make_report(tmp_path, ReportOptions())
    for name in ("runs", "differences", "per_class", "changes"):
        tables = []
        for path in (made, packed.parent / "report"):
            with open(path / f"{name}.csv", newline="") as file:
                tables.append(list(csv.reader(file)))
        assert len(tables[0]) == len(tables[1])
        for line, kept in zip(*tables, strict=True):
            assert [_same(*cells) for cells in zip(line, kept, strict=True)] == [True] * len(kept), (line, kept)


def _same(cell: str, kept: str) -> bool:
    try:
        return float(cell) == pytest.approx(float(kept), rel=1e-9, abs=1e-12)
    except ValueError:
        return cell == kept


def test_no_photograph_is_in_the_documents() -> None:
    assert STUDIES.is_dir()
    for path in STUDIES.rglob("*"):
        assert path.suffix in ("", ".md", ".csv", ".svg", ".npz", ".html"), path
        if path.suffix in (".md", ".svg", ".html"):
            assert "data:image/jpeg" not in path.read_text(encoding="utf-8")
