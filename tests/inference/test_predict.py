"""`predict.py` and `evaluate.py` as commands: what tracked runs say about other pictures, parts and data sets."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from activation_study.data.class_list import read_classes
from activation_study.data.scenes.generator import draw_scenes
from activation_study.data.splits import split
from activation_study.metrics import confusion, summary
from cli_runner import TINY, command

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two tracked runs, and the test split's scenes as pictures in a folder."""
    folder = tmp_path_factory.mktemp("asking")
    result = command(folder, "train.py", "-m", *TINY, "activation=relu,frelu")
    assert result.returncode == 0, result.stderr
    scenes = draw_scenes(12, 0)
    (folder / "pictures/some").mkdir(parents=True)
    for index in split(12, "sorted").test:
        cv2.imwrite(str(folder / f"pictures/some/{scenes.names[index]}.png"), scenes.image(index))
    return folder


def run_of(home: Path, activation: str) -> Path:
    (folder,) = home.glob(f"multirun/tiny/surfaces-{activation}-*")
    return folder


def maps(folder: Path) -> dict[str, np.ndarray]:
    return {path.relative_to(folder).as_posix(): np.array(Image.open(path)) for path in folder.rglob("*.png")}


def test_predictions_are_those_that_the_run_was_scored_by(home: Path) -> None:
    run = run_of(home, "relu")
    result = command(home, "predict.py", f"run={run}", "images=pictures", "threads=1")
    assert result.returncode == 0, result.stderr
    output = home / "outputs/pictures"
    assert f"Predictions: {output.relative_to(home)}" in result.stdout
    scenes, confusions = draw_scenes(12, 0), []
    test = split(12, "sorted").test
    for index in test:
        label = np.array(Image.open(output / run.name / f"labels/some/{scenes.names[index]}.png"))
        overlay = cv2.imread(str(output / run.name / f"overlays/some/{scenes.names[index]}.jpg"))
        assert overlay.shape == scenes.image(index).shape
        assert np.abs(overlay.astype(int) - scenes.image(index)).max() > 20
        confusions.append(confusion(scenes.label(index, "surfaces"), label.astype(np.int64), 3))
    found = summary(np.stack(confusions), ("sky", "horizontal", "vertical"))
    results = json.loads((run / "run.json").read_text())["results"]
    assert {key: results[key] for key in found} == found
    rows = list(csv.reader((output / run.name / "shares.csv").open()))
    assert rows[0] == ["picture", "sky", "horizontal", "vertical"]
    assert [row[0] for row in rows[1:]] == [f"some/{scenes.names[index]}" for index in test]
    assert all(sum(map(float, row[1:])) == pytest.approx(1, abs=1e-5) for row in rows[1:])
    classes = read_classes(str(output / run.name / "classes.yaml"))["classes"]
    assert [(each["name"], each["ids"]) for each in classes] == [("sky", [0]), ("horizontal", [1]), ("vertical", [2])]


def test_the_store_alone_is_enough_and_batches_change_nothing(home: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(home, moved)
    uri = f"sqlite:///{moved / 'mlflow.db'}"
    client = MlflowClient(uri)
    (experiment,) = (each for each in client.search_experiments() if each.name == "tiny")
    runs = client.search_runs([experiment.experiment_id], "params.activation = 'frelu'")
    run_id = runs[0].info.run_id
    run = run_of(home, "frelu")
    hidden = run.with_name("away")
    run.rename(hidden)  # the store's tag names this folder
    try:
        given = ("images=pictures", "sliding_window=true", "flip_tta=true", "threads=1")
        result = command(moved, "predict.py", f"run={run_id}", *given, "output=one", "batch_size=1")
        assert result.returncode == 0, result.stderr
    finally:
        hidden.rename(run)
    result = command(moved, "predict.py", f"run={run}", *given, "output=eight")
    assert result.returncode == 0, result.stderr
    one, eight = maps(moved / "one"), maps(moved / "eight")
    assert len(one) == 3
    assert one.keys() == eight.keys()
    for name, found in one.items():
        np.testing.assert_array_equal(found, eight[name])


def test_several_runs_stand_side_by_side(home: Path) -> None:
    runs = f"runs=[{run_of(home, 'relu')},{run_of(home, 'frelu')}]"
    picture = next((home / "pictures/some").iterdir())
    before = picture.read_bytes()
    result = command(home, "predict.py", runs, f"images={picture}", "output=side")
    assert result.returncode == 0, result.stderr
    assert cv2.imread(str(home / f"side/side_by_side/{picture.stem}.png")).shape[1] > 900
    assert len(list((home / "side").glob("surfaces-*/labels/*.png"))) == 2
    assert picture.read_bytes() == before


REFUSED = [
    ("predict.py", ["run={run}"], "images=FOLDER_OR_FILE is needed"),
    ("predict.py", ["images=pictures"], "run=RUN is needed, or runs=[A,B,C]"),
    ("predict.py", ["run={run}", "images=none"], "images=none: there is no such file or folder"),
    ("predict.py", ["run={run}", "images=empty"], "images=empty: no pictures in it; expected files that end in"),
    ("predict.py", ["run={run}", "images=bad"], "bad/1.png: cannot be decoded: image file is truncated"),
    ("predict.py", ["run={run}", "images=alike"], "alike cannot be told apart"),
    ("predict.py", ["run={run}", "images=pictures", "output=pictures"], "are in one another; expected output=FOLDER"),
    ("predict.py", ["run={run}", "images=pictures", "output=pictures/some/new"], "are in one another"),
    ("predict.py", ["run={run}", "images=pictures/some", "output=pictures"], "are in one another"),
    ("predict.py", ["run={run}", "images=pictures", "output=mlflow.db"], "output=mlflow.db: it is a file"),
    ("predict.py", ["run=multirun", "images=pictures"], "multirun is not a run folder"),
    ("predict.py", ["run=0000", "images=pictures"], "no run ID in sqlite:///mlflow.db starts with it"),
    ("predict.py", ["runs=[{run},{run}]", "images=pictures"], "given twice"),
    ("predict.py", ["run={run}", "images=pictures", "batch_size=0"], "batch_size=0: expected 1 or more"),
    ("predict.py", ["run={damaged}", "images=pictures"], "best.keras cannot be read"),
    ("predict.py", ["run={without}", "images=pictures"], "its best weights are not in"),
    ("evaluate.py", [], "run=RUN is needed"),
    ("evaluate.py", ["run={run}", "part=most"], "part=most: expected test or validation or train or all"),
    ("evaluate.py", ["run={run}", "label_type=regions"], "seed0{rest} knows sky, horizontal, vertical"),
    ("evaluate.py", ["run={run}", "evaluation.interpolation=cubic"], "=cubic: expected lanczos4 or bilinear"),
    ("evaluate.py", ["run={swapped}"], "not the weights that the run ended with"),
    ("evaluate.py", ["run={outside}"], "are not valid folder names"),
]  # fmt: skip


@pytest.fixture(scope="module")
def harmed(home: Path) -> dict[str, str]:
    (home / "empty").mkdir()
    (home / "bad").mkdir()
    (home / "alike").mkdir()
    whole = next((home / "pictures/some").iterdir()).read_bytes()
    (home / "bad/1.png").write_bytes(whole[: len(whole) // 2])
    for name in ("1.png", "1.jpg"):
        (home / "alike" / name).write_bytes(whole)
    run = run_of(home, "relu")
    names = {"run": str(run), "rest": run.name.removeprefix("surfaces-relu-seed0")}
    for harm in ("damaged", "without", "swapped", "outside"):
        copy = home / harm / run.name
        shutil.copytree(run, copy)
        (copy / ".mirrored").unlink()
        names[harm] = str(copy)
    weights = {harm: Path(names[harm]) / "best.keras" for harm in ("damaged", "without", "swapped")}
    weights["damaged"].write_bytes(weights["damaged"].read_bytes()[:-500])
    weights["without"].unlink()
    generator = np.random.default_rng(0)
    record = json.loads((Path(names["swapped"]) / "run.json").read_text())
    record["digests"]["weights"] = generator.bytes(32).hex()
    (Path(names["swapped"]) / "run.json").write_text(json.dumps(record))
    record["study"] = "../../outside"
    (Path(names["outside"]) / "run.json").write_text(json.dumps(record))
    return names


@pytest.mark.parametrize(("script", "arguments", "told"), REFUSED, ids=[f"{s} {' '.join(a)}" for s, a, _ in REFUSED])
def test_what_cannot_be_asked_is_refused_in_one_message(
    script: str, arguments: list[str], told: str, home: Path, harmed: dict[str, str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    result = command(home, script, *(argument.format(**harmed) for argument in arguments))
    assert result.returncode == 2, result.stdout + result.stderr
    assert told.format(**harmed) in result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    after = {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file()}
    assert before.items() <= after.items()
    assert all("data/prepared" in str(path) or path.suffix == ".lock" for path in after.keys() - before.keys())


def test_a_run_is_scored_elsewhere_and_tracked_beside_it(home: Path) -> None:
    run = run_of(home, "frelu")
    tracked = json.loads((run / "run.json").read_text())
    again = command(home, "evaluate.py", f"run={run}", "threads=1")
    assert again.returncode == 0, again.stderr
    (same,) = home.glob("multirun/tiny/evaluations/*/run.json")
    results = json.loads(same.read_text())["results"]
    for key, value in tracked["results"].items():
        if key.startswith("test/"):
            assert results[key] == value
    other = command(home, "evaluate.py", f"run={run}", "data.scenes_seed=5", "data.count=20", "part=all")
    assert other.returncode == 0, other.stderr
    assert f"{run.name} on all pictures of scenes:" in other.stdout
    (path,) = home.glob("multirun/tiny/evaluations/*-all/run.json")
    found = json.loads(path.read_text())
    assert found["links"]["evaluates"] == str(run)
    assert len(np.load(path.parent / "evaluation/confusions.npz")["names"]) == 20
    assert found["results"]["all/mean_iou"] != tracked["results"]["test/mean_iou"]
    assert (run / "run.json").read_text() == json.dumps(tracked, indent=1, ensure_ascii=False) + "\n"
    client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("tiny/evaluations")
    entries = client.search_runs([experiment.experiment_id])
    assert {entry.data.tags["evaluates"] for entry in entries} == {str(run)}
    assert sorted("all/mean_iou" in entry.data.metrics for entry in entries) == [False, True]
    repeated = command(home, "evaluate.py", f"run={run}", "threads=1")
    assert repeated.returncode == 0
    assert len(client.search_runs([experiment.experiment_id])) == 2, "an entry for each question, not for each asking"
