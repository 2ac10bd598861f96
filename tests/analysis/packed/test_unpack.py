"""A packed study becomes run folders again: with the same results, and its command goes on from them."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

import json_reference
from activation_study.analysis.finished_runs import read_planned, read_runs, read_trials
from activation_study.analysis.packed.pack import pack_study
from activation_study.analysis.packed.packed_file import PACKED_FILE, PackedStudy, write_packed
from activation_study.analysis.packed.unpack import unpack_study
from activation_study.errors import BadInput
from activation_study.records.looks import keep_look, keep_plan, read_looks
from activation_study.records.planned_runs import PlannedRun, keep_planned
from activation_study.records.record import read_record, read_records, run_folders
from activation_study.report.study_report import ReportOptions, make_report
from activation_study.sweep.sweep_report import show_existing_report
from cli_runner import TINY, command
from fake_runs import drawn_image_counts, write_run
from tuned_study import write_tuned

PLAN = {"contrasts": [], "looks": [5, 8], "margin": 1.0, "futility": 0.3, "at": 1.0}


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    study = tmp_path / "there" / "study"
    for seed in range(2):
        for name in ("relu", "mish"):
            write_run(study, name, seed, groups=["a"] * 4 + ["b"] * 6, image_counts=drawn_image_counts(seed))
    write_run(study, "frelu", 0, status="FAILED")
    keep_plan(study, PLAN)
    keep_look(study, {"at": 2.0, "contrasts": [{"a": "mish", "b": "relu", "seeds": 2}]})
    path, content = pack_study(study, tmp_path / "packed")
    assert (len(content.runs), len(content.unfinished)) == (4, 1)
    return path.parent


def test_the_folders_have_what_was_packed(packed: Path, tmp_path: Path) -> None:
    there, here = tmp_path / "there" / "study", tmp_path / "here" / "study"
    written, already = unpack_study(packed, here.parent, "study")
    assert sorted(written) == sorted(folder.name for folder in run_folders(here))
    assert (len(written), already) == (4, [])
    for run, original in zip(read_runs(here)[0], read_runs(there)[0], strict=True):
        np.testing.assert_array_equal(run.confusions, original.confusions)
        assert run.groups == original.groups
        assert run.image_counts.keys() == original.image_counts.keys()
        assert run.record.config["folder"] == str(here.parent)
        assert replace(run.record, config={}, overrides=[], process={}) == replace(
            original.record, config={}, overrides=[], process={}
        )
        table = "evaluation/iou.csv"
        assert (run.folder / table).read_text() == (there / run.folder.name / table).read_text()
    assert read_looks(here) == read_looks(there)
    tables = [(make_report(study, ReportOptions(allow_incomplete=True)) / "differences.csv") for study in (here, there)]
    assert tables[0].read_text() == tables[1].read_text()


def test_runs_that_are_there_stay_as_they_are(packed: Path, tmp_path: Path) -> None:
    here = tmp_path / "here" / "study"
    interrupted = write_run(here, "relu", 0, status="KILLED")
    keep_plan(here, PLAN)
    before = (interrupted / "run.json").read_bytes()
    written, already = unpack_study(packed, here.parent, "study")
    assert (interrupted / "run.json").read_bytes() == before
    assert (len(written), already) == (3, [interrupted.name])
    assert unpack_study(packed, here.parent, "study")[0] == []


def test_looks_of_both_are_kept_and_another_plan_is_refused(packed: Path, tmp_path: Path) -> None:
    here = tmp_path / "here" / "study"
    keep_plan(here, {**PLAN, "at": 7.0})
    write_run(here, "frelu", 3)
    keep_look(here, {"at": 9.0, "contrasts": [{"a": "mish", "b": "relu", "seeds": 3}]})
    unpack_study(packed, here.parent, "study")
    assert [look["at"] for look in read_looks(here)["looks"]] == [2.0, 9.0]


@pytest.mark.parametrize("where", ["packed", "here"])
def test_questions_asked_of_the_packed_study_are_kept(where: str, packed: Path, tmp_path: Path) -> None:
    place = tmp_path / where / "study"
    shutil.move(packed, tmp_path / "moved")
    shutil.move(tmp_path / "moved", tmp_path / "packed" / "study")
    asked = {"at": 9.0, "contrasts": [{"a": "frelu", "b": "mish", "seeds": 2}]}
    keep_look(tmp_path / "packed" / "study", asked)
    unpack_study(tmp_path / "packed" / "study", place.parent, "study")
    kept = read_looks(place)
    assert (kept["plan"], [look["at"] for look in kept["looks"]]) == (PLAN, [2.0, 9.0])


@pytest.mark.parametrize("looks", [[3, 4], None])
def test_runs_of_another_plan_are_kept_apart(looks: list[int] | None, packed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "study"
    write_run(other, "frelu", 3)
    if looks:
        keep_plan(other, {**PLAN, "looks": looks})
    found = "different plans of looks" if looks else "runs with planned looks .* and runs without"
    with pytest.raises(BadInput, match=f"have {found}"):
        unpack_study(packed, other.parent, "study")
    assert len(run_folders(other)) == 1
    with pytest.raises(BadInput, match=f"have {found}"):
        pack_study(other, packed)
    assert len(read_runs(packed)[0]) == 4


def test_planned_seeds_that_have_not_finished_are_told_after_packing_and_unpacking(tmp_path: Path) -> None:
    there = tmp_path / "there" / "study"
    for name in ("relu", "mish"):
        for seed in range(3):
            write_run(there, name, seed)
    arms = {record.arm_identity for record in read_records(there)}
    planned = {f"{arm}{seed}": PlannedRun(f"{arm}-{seed}", 1.0, arm, seed, 10) for arm in arms for seed in range(6)}
    keep_planned(there, planned)
    pack_study(there, tmp_path / "packed")
    unpack_study(tmp_path / "packed", tmp_path / "here", "study")
    for study in (there, tmp_path / "packed", tmp_path / "here" / "study"):
        assert read_planned(study) == planned
        report = make_report(study, ReportOptions(pictures=False)) / "report.md"
        assert "3 of 6 planned seeds" in report.read_text()


def test_only_trials_that_have_ended_are_packed_and_none_is_replaced_by_an_unfinished_one(tmp_path: Path) -> None:
    study = tmp_path / "s"
    write_tuned(study)
    trial = next(folder for folder in run_folders(study) if "seed1000" in folder.name)
    packed = tmp_path / "packed"
    count = len(pack_study(study, packed)[1].trials)
    record = read_record(trial)
    assert record is not None
    record.end(trial, "KILLED")
    assert {each.status for each in pack_study(study, packed)[1].trials} == {"FINISHED"}
    assert len(pack_study(study, packed)[1].trials) == count
    assert len(pack_study(study, tmp_path / "fresh")[1].trials) == count - 1


def test_the_table_of_images_counts_unlabeled_pixels_as_that_of_the_run_does(tmp_path: Path) -> None:
    counts = np.arange(1, 121, dtype=np.int64).reshape(10, 4, 3)
    folders = [write_run(tmp_path / "there" / "s", "relu", seed, counts=counts) for seed in (0, 1)]
    pack_study(tmp_path / "there" / "s", tmp_path / "packed")
    unpack_study(tmp_path / "packed", tmp_path / "here", "s")
    for folder in folders:
        table = Path("evaluation/iou.csv")
        assert (tmp_path / "here" / "s" / folder.name / table).read_text() == (folder / table).read_text()


def test_a_metric_of_a_plug_in_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path / "there" / "s", "relu", 0, config={"evaluation": {"metrics": ["mine.MINE"]}})
    runs, unfinished = read_runs(tmp_path / "there" / "s")
    packed = PackedStudy(runs, unfinished, [], {"plan": None, "looks": []}, {})
    write_packed(tmp_path / "packed" / PACKED_FILE, packed)
    with pytest.raises(BadInput, match=r"uses plugins=\[mine\]"):
        unpack_study(tmp_path / "packed", tmp_path / "here", "s")
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize("damage", ["empty", "changed"])
def test_a_damaged_file_is_named(damage: str, packed: Path, tmp_path: Path) -> None:
    content = bytearray((packed / PACKED_FILE).read_bytes())
    for place in range(300, len(content) - 3000, 100):
        content[place] ^= 0xFF
    (packed / PACKED_FILE).write_bytes(b"" if damage == "empty" else bytes(content))
    with pytest.raises(BadInput, match=r"runs\.npz cannot be read"):
        unpack_study(packed, tmp_path / "here", "study")


def test_a_committed_study_is_unpacked_with_the_default_places_of_its_data(tmp_path: Path) -> None:
    studies = Path(__file__).parents[3] / "docs" / "studies"
    unpack_study(studies / "2026-11-24-small", tmp_path, "small")
    record = read_record(run_folders(tmp_path / "small")[0])
    assert record is not None
    config = record.configuration()
    assert (config.data.root, config.data.cache) == ("data/iccv09Data", "data/prepared")
    assert config.run_folder.parent == tmp_path / "small"


def test_an_outdated_report_is_made_again_after_unpacking(
    packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here" / "study"
    keep_plan(here, PLAN)
    own = write_run(here, "frelu", 3)
    page = here / "report" / "index.html"
    page.parent.mkdir()
    page.write_text("old")
    os.utime(own / "evaluation" / "confusions.npz", (1.0, 1.0))
    job = Mock(before=Mock(ended=0.0), study_dir=here)
    job.config.run_folder = own
    made = list[Path]()
    monkeypatch.setattr(
        "activation_study.sweep.sweep_report._report_study", lambda study_dir, _: made.append(study_dir)
    )
    monkeypatch.setattr("activation_study.sweep.sweep_report._print_article_table", lambda jobs: None)
    show_existing_report([job])
    assert made == []
    unpack_study(packed, here.parent, "study")
    show_existing_report([job])
    assert made == [here]


def test_trials_of_a_search_are_unpacked_too(tmp_path: Path) -> None:
    write_tuned(tmp_path / "there" / "s")
    pack_study(tmp_path / "there" / "s", tmp_path / "packed")
    unpack_study(tmp_path / "packed", tmp_path / "here", "s")
    names = [sorted(trial.name for trial in read_trials(tmp_path / place / "s")) for place in ("here", "there")]
    assert names[0] == names[1] != []


def test_what_cannot_be_unpacked_is_refused_before_anything_is_written(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no runs\.npz"):
        unpack_study(tmp_path, tmp_path / "here", "study")
    with pytest.raises(BadInput, match="has the study study; expected study=study"):
        unpack_study(packed, tmp_path / "here", "multirun/study")
    (run, *_), _ = read_runs(packed)
    hostile = replace(run, record=replace(run.record, name="../outside"))
    write_packed(tmp_path / "bad" / "runs.npz", PackedStudy([hostile], [], [], {"plan": None, "looks": []}, {}))
    with pytest.raises(BadInput, match="cannot be the name of a folder"):
        unpack_study(tmp_path / "bad", tmp_path / "here", "study")
    assert not (tmp_path / "here").exists()


@pytest.mark.integration
def test_a_sweep_goes_on_from_unpacked_runs_on_another_machine(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    sweep = (*TINY, "-m", "activation=relu,mish", "tracking=off")
    assert command(first, "train.py", *sweep, "seed=0").returncode == 0
    packed = command(first, "compare.py", "study=tiny", "pack=packed", "--json")
    assert packed.returncode == 0, packed.stderr
    json_reference.check(json.loads(packed.stdout))
    shutil.move(first / "packed", second / "packed")
    unpacked = command(second, "compare.py", "study=tiny", "unpack=packed", "--json")
    assert unpacked.returncode == 0, unpacked.stderr
    json_reference.check(json.loads(unpacked.stdout))
    assert len(json.loads(unpacked.stdout)["runs"]) == 2
    went_on = command(second, "train.py", *sweep, "seed=0,1")
    assert went_on.returncode == 0, went_on.stderr
    assert "4 runs of multirun/tiny: 2 done, 2 new" in " ".join(went_on.stdout.split())
    compared = command(second, "compare.py", "study=tiny")
    assert compared.returncode == 0, compared.stderr
    (run,) = (second / "multirun" / "tiny").glob("*-relu-seed0-*")
    assert (record := read_record(run)) is not None
    assert record.status == "FINISHED"
    repeated = command(second, "reproduce.py", f"run={run}", "tracking.uri=null")
    assert repeated.returncode == 0, repeated.stdout + repeated.stderr
    (second / "images").mkdir()
    Image.new("RGB", (32, 32)).save(second / "images" / "a.png")
    other_weights = command(
        second, "train.py", *sweep, "seed=0", "evaluation.weights=best,last", "dry_run=true", "--json"
    )
    left = [run["estimated_seconds"] for run in json.loads(other_weights.stdout)["runs"] if run["to_do"]]
    assert len(left) == 2
    assert min(left) > 0, "there are no weights to reuse"
    predicted = command(second, "predict.py", f"run={run}", "images=images")
    assert predicted.returncode == 2
    assert "its weights are not in" in predicted.stderr
