"""A packed study has the same runs as its folders, and no paths of the machine."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from activation_study.analysis.finished_runs import read_runs
from activation_study.analysis.packed.pack import pack_study
from activation_study.analysis.packed.packed_file import PACKED_FILE
from activation_study.analysis.results import read_study
from activation_study.errors import BadInput
from activation_study.records.artifacts import CONFUSIONS_FILE
from activation_study.records.record import read_record
from activation_study.records.run import Run
from activation_study.report.study_report import ReportOptions, make_report
from fake_runs import drawn_image_counts, write_run

STUDIES = Path(__file__).parents[3] / "docs" / "studies"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    for seed in range(3):
        for index, name in enumerate(("relu", "mish")):
            write_run(folder, name, seed, 0.8 + 0.03 * index, started=float(index))
            write_run(folder, name, seed, 0.6, started=2.0 + index, label_type="regions")
    return folder


def runs_by_name(study: Path) -> list[Run]:
    return sorted(read_runs(study)[0], key=lambda run: run.record.name)


def test_the_packed_study_gives_the_same_tables_without_the_folders(study: Path, tmp_path: Path) -> None:
    first = make_report(study, ReportOptions())
    packed = tmp_path / "docs" / "study"
    pack_study(study, packed)
    expected = {name: (first / f"{name}.csv").read_text() for name in ("differences", "per_class")}
    runs = (first / "runs.csv").read_text().replace(f"{study.as_posix()}/", "")
    shutil.rmtree(study)
    again = make_report(packed, ReportOptions())
    assert {name: (again / f"{name}.csv").read_text() for name in expected} == expected
    assert (again / "runs.csv").read_text() == runs
    text = (again / "report.md").read_text()
    for name in ("seeds", "differences", "classes", "learning", "cost", "confusion"):
        assert f"figures/scenes-surfaces-{name}.svg" in text
        assert (again / "figures" / f"scenes-surfaces-{name}.svg").read_text().startswith("<svg ")


def test_a_packed_study_has_no_paths_of_the_machine(study: Path, tmp_path: Path) -> None:
    path = pack_study(study, tmp_path / "packed")[0]
    with np.load(path) as arrays:
        text = " ".join(str(arrays[name]) for name in arrays if name.startswith(("record", "folder")))
    assert "seed=2" in text
    for folder in ("/somewhere/on/this/machine", str(study)):
        assert folder not in text


def test_an_unreadable_packed_file_is_named_in_the_error(study: Path, tmp_path: Path) -> None:
    path = pack_study(study, tmp_path / "packed")[0]
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadInput, match=PACKED_FILE):
        read_runs(tmp_path / "packed")


def test_runs_are_not_packed_into_a_folder_with_runs_which_would_take_precedence(study: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"the folder contains runs; expected another folder for runs\.npz"):
        pack_study(study, study)
    shutil.copy(pack_study(study, tmp_path / "packed")[0], study / PACKED_FILE)
    write_run(study, "frelu", 0)
    assert "frelu" in {run.record.config["activation"]["name"] for run in read_runs(study)[0]}


def test_unfinished_runs_are_packed_too(study: Path, tmp_path: Path) -> None:
    failed = write_run(study, "frelu", 0, status="FAILED")
    pack_study(study, tmp_path / "packed")
    assert read_runs(tmp_path / "packed")[1] == [f"{failed.name}: FAILED"]


def test_runs_of_other_machines_are_added_to_a_packed_file(study: Path, tmp_path: Path) -> None:
    all_runs = runs_by_name(study)
    other_machine = tmp_path / "other_machine" / study.name
    for run in all_runs[::2]:
        shutil.move(run.folder, other_machine / run.folder.name)
    failed = write_run(study, "frelu", 7, status="FAILED")
    packed = tmp_path / "packed"
    pack_study(other_machine, packed)
    pack_study(study, packed)
    pack_study(study, packed)
    for run, original in zip(runs_by_name(packed), all_runs, strict=True):
        assert run.record.name == original.record.name
        np.testing.assert_array_equal(run.confusions, original.confusions)
    assert read_runs(packed)[1] == [f"{failed.name}: FAILED"]


def test_a_run_that_finished_under_another_name_replaces_the_packed_one(study: Path, tmp_path: Path) -> None:
    failed = write_run(study, "frelu", 0, status="FAILED")
    named = [study / f"frelu{option}-seed0-0123abcd" for option in ("-lr0.001", "")]
    record = read_record(failed)
    assert record is not None
    for folder, status in zip(named, ("FAILED", "FINISHED"), strict=True):
        failed = failed.rename(folder)
        replace(record, name=folder.name).end(folder, status)
        pack_study(study, tmp_path / "packed")
    runs, unfinished = read_runs(tmp_path / "packed")
    assert unfinished == []
    assert [run.record.name for run in runs if "frelu" in run.record.name] == [named[1].name]


def test_a_run_that_finished_after_packing_replaces_the_packed_one(study: Path, tmp_path: Path) -> None:
    run = write_run(study, "frelu", 0, status="FAILED")
    path = pack_study(study, tmp_path / "packed")[0]
    record = read_record(run)
    assert record is not None
    record.end(run, "FINISHED")
    pack_study(study, path.parent)
    runs, unfinished = read_runs(path.parent)
    assert unfinished == []
    assert [packed_run.record.name for packed_run in runs].count(run.name) == 1
    record.results["evaluation_seconds"] = 0.125
    record.write(run)
    pack_study(study, path.parent)
    assert 0.125 in {packed_run.record.results["evaluation_seconds"] for packed_run in read_runs(path.parent)[0]}


def test_a_packed_file_contains_one_study_only(study: Path, tmp_path: Path) -> None:
    path = pack_study(study, tmp_path / "packed")[0]
    write_run(tmp_path / "other", "relu", 0)
    content = path.read_bytes()
    with pytest.raises(BadInput, match="contains the study study; expected a file of its own per study"):
        pack_study(tmp_path / "other", path.parent)
    assert path.read_bytes() == content


@pytest.mark.integration
@pytest.mark.parametrize("packed", sorted(STUDIES.glob(f"*/{PACKED_FILE}")), ids=lambda path: path.parent.name)
def test_the_committed_tables_of_a_study_follow_from_its_confusion_matrices(packed: Path, tmp_path: Path) -> None:
    shutil.copy(packed, tmp_path)
    computed = make_report(tmp_path, ReportOptions())
    for name in ("runs", "differences", "per_class", "changes"):
        tables = []
        for folder in (computed, packed.parent / "report"):
            with open(folder / f"{name}.csv", newline="") as file:
                tables.append(list(csv.reader(file)))
        assert len(tables[0]) == len(tables[1])
        for row, committed in zip(*tables, strict=True):
            assert all(_equal(*cells) for cells in zip(row, committed, strict=True)), (row, committed)


def _equal(cell: str, committed: str) -> bool:
    try:
        return float(cell) == pytest.approx(float(committed), rel=1e-9, abs=1e-12)
    except ValueError:
        return cell == committed


def test_no_image_of_a_data_set_is_in_the_documentation() -> None:
    assert STUDIES.is_dir()
    for path in STUDIES.rglob("*"):
        assert path.suffix in ("", ".md", ".csv", ".tex", ".svg", ".npz", ".html"), path
        if path.suffix in (".md", ".svg", ".html"):
            assert "data:image/jpeg" not in path.read_text(encoding="utf-8")


def test_the_groups_of_the_scored_images_are_read_from_folders_and_packed_files(tmp_path: Path) -> None:
    groups = ["film1"] * 4 + ["film2"] * 6
    arms = [("relu", 0), ("relu", 1), ("mish", 0), ("mish", 1)]
    folders = [write_run(tmp_path / "study", name, seed, groups=groups) for name, seed in arms]
    (condition,), _ = read_study(tmp_path / "study")
    assert condition.groups == tuple(groups)
    report = (make_report(tmp_path / "study", ReportOptions()) / "report.md").read_text()
    assert "7 groups: 3 train, 2 validation, 2 test; no group is in two parts of the split." in report
    pack_study(tmp_path / "study", tmp_path / "packed")
    assert [run.groups for run in read_runs(tmp_path / "packed")[0]] == [tuple(groups)] * 4
    with np.load(folders[0] / CONFUSIONS_FILE) as file:
        arrays = dict(file)
    np.savez(folders[0] / CONFUSIONS_FILE, **{**arrays, "groups": arrays["groups"][1:]})
    with pytest.raises(BadInput, match="has 10 names of images and 9 groups of them"):
        read_runs(tmp_path / "study")


def test_the_counts_of_metrics_of_images_are_packed_and_compared(tmp_path: Path) -> None:
    drawn = {(name, seed): drawn_image_counts(seed + len(name)) for name in ("relu", "mish") for seed in (0, 1, 2)}
    for (name, seed), image_counts in drawn.items():
        write_run(tmp_path / "study", name, seed, image_counts=image_counts)
    pack_study(tmp_path / "study", tmp_path / "packed")
    for study in ("study", "packed"):
        ((relu, mish),) = (condition.arms for condition in read_study(tmp_path / study)[0])
        for seed in (0, 1, 2):
            for metric, counts in drawn["mish", seed].items():
                np.testing.assert_array_equal(mish.at([seed]).image_counts[metric][0], counts)
    report = (make_report(tmp_path / "packed", ReportOptions()) / "report.md").read_text()
    assert "| ReLU − Mish | boundary IoU |" in report
    assert "| ReLU − Mish | calibration error |" in report
    write_run(tmp_path / "study", "mish", 3)
    write_run(tmp_path / "study", "relu", 3)
    ((relu, mish),) = (condition.arms for condition in read_study(tmp_path / "study")[0])
    assert relu.image_counts == mish.image_counts == {}, "one run has none"


def test_without_groups_there_are_none(study: Path) -> None:
    assert {run.groups for run in runs_by_name(study)} == {()}
    assert all(condition.groups == () for condition in read_study(study)[0])


def test_a_packed_study_has_the_pattern_of_its_groups_and_no_path_of_their_file(tmp_path: Path) -> None:
    for seed, (given, file) in enumerate((("data.groups=^a", None), ("data.groups=/home/me/g.csv", "/home/me/g.csv"))):
        folder = write_run(tmp_path / "study", "relu", seed)
        record = read_record(folder)
        assert record is not None
        record.overrides.append(given)
        record.config["data"]["groups_file"] = file
        record.write(folder)
    pack_study(tmp_path / "study", tmp_path / "packed")
    runs = sorted(read_runs(tmp_path / "packed")[0], key=lambda run: run.record.overrides)
    assert [run.record.overrides for run in runs] == [["seed=0", "data.groups=^a"], ["seed=1"]]
    assert {run.record.config["data"]["groups_file"] for run in runs} == {None}
