"""A packed study becomes run folders again: with the same results, and its command goes on from them."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import json_reference
from activation_study.analysis.finished_runs import read_runs, read_trials
from activation_study.analysis.pack import pack_study
from activation_study.analysis.packed_file import write_packed
from activation_study.analysis.unpack import unpack_study
from activation_study.errors import BadInput
from activation_study.records.looks import keep_look, keep_plan, read_looks
from activation_study.records.record import read_record, run_folders
from activation_study.report.study_report import ReportOptions, make_report
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
    path, runs, unfinished = pack_study(study, tmp_path / "packed")
    assert (len(runs), len(unfinished)) == (4, 1)
    return path.parent


def test_the_folders_have_what_was_packed(packed: Path, tmp_path: Path) -> None:
    there, here = tmp_path / "there" / "study", tmp_path / "here" / "study"
    written, already = unpack_study(packed, here)
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
    before = (interrupted / "run.json").read_bytes()
    written, already = unpack_study(packed, here)
    assert (interrupted / "run.json").read_bytes() == before
    assert (len(written), already) == (3, [interrupted.name])
    assert unpack_study(packed, here)[0] == []


def test_looks_of_both_are_kept_and_another_plan_is_refused(packed: Path, tmp_path: Path) -> None:
    here = tmp_path / "here" / "study"
    keep_plan(here, {**PLAN, "at": 7.0})
    keep_look(here, {"at": 9.0, "contrasts": [{"a": "mish", "b": "relu", "seeds": 3}]})
    unpack_study(packed, here)
    assert [look["at"] for look in read_looks(here)["looks"]] == [2.0, 9.0]
    keep_plan(other := tmp_path / "other" / "study", {**PLAN, "looks": [3, 4]})
    with pytest.raises(BadInput, match="have different plans of looks"):
        unpack_study(packed, other)
    assert run_folders(other) == []


def test_trials_of_a_search_are_unpacked_too(tmp_path: Path) -> None:
    write_tuned(tmp_path / "there" / "s")
    pack_study(tmp_path / "there" / "s", tmp_path / "packed")
    unpack_study(tmp_path / "packed", tmp_path / "here" / "s")
    names = [sorted(trial.name for trial in read_trials(tmp_path / place / "s")) for place in ("here", "there")]
    assert names[0] == names[1] != []


def test_what_cannot_be_unpacked_is_refused_before_anything_is_written(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no runs\.npz"):
        unpack_study(tmp_path, tmp_path / "here" / "study")
    with pytest.raises(BadInput, match="has the study study; expected study=study"):
        unpack_study(packed, tmp_path / "here" / "another")
    (run, *_), _ = read_runs(packed)
    hostile = replace(run, record=replace(run.record, name="../outside"))
    write_packed(tmp_path / "bad" / "runs.npz", [hostile], [], {"plan": None, "looks": []}, [])
    with pytest.raises(BadInput, match="cannot be the name of a folder"):
        unpack_study(tmp_path / "bad", tmp_path / "here" / "study")
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
    predicted = command(second, "predict.py", f"run={run}", "images=images")
    assert predicted.returncode == 2
    assert "its weights are not in" in predicted.stderr
