"""`predict.py` and `evaluate.py` as commands: finished runs on other images, parts and data sets."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mlflow import MlflowClient
from PIL import Image

from activation_study.data.labels.class_list import read_classes
from activation_study.data.scenes.generator import draw_scenes
from activation_study.data.splitting.splits import split
from activation_study.metrics import confusion, summary
from cli_runner import TINY, command
from conftest import WriteIccv09

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two tracked runs, and the scenes of the test split as image files."""
    folder = tmp_path_factory.mktemp("project")
    result = command(folder, "train.py", "-m", *TINY, "activation=relu,frelu")
    assert result.returncode == 0, result.stderr
    scenes = draw_scenes(12, 0)
    (folder / "images/some").mkdir(parents=True)
    for index in split(12, "sorted").test:
        cv2.imwrite(str(folder / f"images/some/{scenes.names[index]}.png"), scenes.image(index))
    return folder


def run_of(project: Path, activation: str) -> Path:
    (folder,) = project.glob(f"multirun/tiny/surfaces-{activation}-*")
    return folder


def label_maps(folder: Path) -> dict[str, np.ndarray]:
    return {path.relative_to(folder).as_posix(): np.array(Image.open(path)) for path in folder.rglob("*.png")}


def test_predictions_give_the_scores_of_the_run(project: Path) -> None:
    run = run_of(project, "relu")
    result = command(project, "predict.py", f"run={run}", "images=images", "threads=1")
    assert result.returncode == 0, result.stderr
    output = project / "outputs/images"
    assert f"Predictions: {output.relative_to(project) / run.name} (" in result.stdout
    scenes, confusions = draw_scenes(12, 0), []
    test = split(12, "sorted").test
    for index in test:
        label = np.array(Image.open(output / run.name / f"labels/some/{scenes.names[index]}.png"))
        overlay = cv2.imread(str(output / run.name / f"overlays/some/{scenes.names[index]}.jpg"))
        assert overlay.shape == scenes.image(index).shape
        assert np.abs(overlay.astype(int) - scenes.image(index)).max() > 20
        confusions.append(confusion(scenes.label(index, "surfaces"), label.astype(np.int64), 3))
    scores = summary(np.stack(confusions), ("sky", "horizontal", "vertical"))
    results = json.loads((run / "run.json").read_text())["results"]
    assert {key: results[key] for key in scores} == scores
    rows = list(csv.reader((output / run.name / "class_fractions.csv").open()))
    assert rows[0] == ["image", "sky", "horizontal", "vertical"]
    assert [row[0] for row in rows[1:]] == [f"some/{scenes.names[index]}" for index in test]
    assert all(sum(map(float, row[1:])) == pytest.approx(1, abs=1e-5) for row in rows[1:])
    classes = read_classes(str(output / run.name / "classes.yaml"))["classes"]
    assert [(entry["name"], entry["ids"]) for entry in classes] == [
        ("sky", [0]),
        ("horizontal", [1]),
        ("vertical", [2]),
    ]


def test_the_mlflow_store_alone_is_enough_and_the_batch_size_changes_nothing(project: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(project, moved)
    uri = f"sqlite:///{moved / 'mlflow.db'}"
    client = MlflowClient(uri)
    (experiment,) = (found for found in client.search_experiments() if found.name == "tiny")
    runs = client.search_runs([experiment.experiment_id], "params.activation = 'frelu'")
    run_id = runs[0].info.run_id
    run = run_of(project, "frelu")
    hidden = run.with_name("away")
    run.rename(hidden)  # the tag in MLflow names this folder
    try:
        options = ("images=images", "sliding_window=true", "flip_tta=true", "threads=1")
        result = command(moved, "predict.py", f"run={run_id}", *options, "output=one", "batch_size=1")
        assert result.returncode == 0, result.stderr
    finally:
        hidden.rename(run)
    result = command(moved, "predict.py", f"run={run}", *options, "output=eight")
    assert result.returncode == 0, result.stderr
    one, eight = label_maps(moved / "one"), label_maps(moved / "eight")
    assert len(one) == 3
    assert one.keys() == eight.keys()
    for name, label_map in one.items():
        np.testing.assert_array_equal(label_map, eight[name])


def test_several_runs_are_drawn_side_by_side(project: Path) -> None:
    runs = f"runs=[{run_of(project, 'relu')},{run_of(project, 'frelu')}]"
    image = next((project / "images/some").iterdir())
    before = image.read_bytes()
    result = command(project, "predict.py", runs, f"images={image}", "output=side")
    assert result.returncode == 0, result.stderr
    assert cv2.imread(str(project / f"side/side_by_side/{image.stem}.png")).shape[1] > 900
    assert len(list((project / "side").glob("surfaces-*/labels/*.png"))) == 2
    assert image.read_bytes() == before


REJECTED = [
    ("predict.py", ["run={run}"], "images=FOLDER_OR_FILE is needed"),
    ("predict.py", ["images=images"], "run=RUN is required, or runs=[A,B,C]"),
    ("predict.py", ["run={run}", "images=none"], "images=none: no such file or folder"),
    ("predict.py", ["run={run}", "images=empty"], "images=empty: no images found; expected files that end in"),
    ("predict.py", ["run={run}", "images=bad"], "bad/1.png: cannot be decoded: image file is truncated"),
    ("predict.py", ["run={run}", "images=alike"], "Images in alike cannot be told apart"),
    ("predict.py", ["run={run}", "images=images", "output=images"], "contain each other; choose another output="),
    ("predict.py", ["run={run}", "images=images", "output=images/some/new"], "must not contain each other"),
    ("predict.py", ["run={run}", "images=images/some", "output=images"], "must not contain each other"),
    ("predict.py", ["run={run}", "images=images", "output=mlflow.db"], "output=mlflow.db: this is a file"),
    ("predict.py", ["run=multirun", "images=images"], "multirun is not a run folder"),
    ("predict.py", ["run=0000", "images=images"], "no run ID in sqlite:///mlflow.db starts with it"),
    ("predict.py", ["runs=[{run},{run}]", "images=images"], "given more than once"),
    ("predict.py", ["run={run}", "images=images", "batch_size=0"], "batch_size=0: expected 1 or more"),
    ("predict.py", ["run={damaged}", "images=images"], "best.keras cannot be read"),
    ("predict.py", ["run={without}", "images=images", "tracking.uri=null"], "and no MLflow store is configured; set"),
    ("evaluate.py", [], "run=RUN is needed"),
    ("evaluate.py", ["run={run}", "part=most"], "part=most: expected test, validation, train or all"),
    ("evaluate.py", ["run={run}", "label_type=regions"], "seed0{rest} was trained on sky, horizontal, vertical"),
    ("evaluate.py", ["run={run}", "evaluation.interpolation=cubic"], "=cubic: expected lanczos4 or bilinear"),
    ("evaluate.py", ["run={swapped}"], "not the weights that surfaces-relu-seed0{rest} was recorded with"),
    ("predict.py", ["run={swapped}", "images=images"], "not the weights that surfaces-relu-seed0{rest} was"),
    ("export.py", ["run={swapped}"], "not the weights that surfaces-relu-seed0{rest} was recorded with"),
    ("evaluate.py", ["run={edited}"], "run.json: results.test/mean_iou: recorded 0.99, "),
    ("predict.py", ["run={edited}", "images=images"], "run.json: results.test/mean_iou: recorded 0.99, "),
    ("reproduce.py", ["run={edited}"], "run.json: results.test/mean_iou: recorded 0.99, "),
    ("evaluate.py", ["run={outside}"], "are not valid folder names"),
]  # fmt: skip


@pytest.fixture(scope="module")
def damaged_runs(project: Path) -> dict[str, str]:
    (project / "empty").mkdir()
    (project / "bad").mkdir()
    (project / "alike").mkdir()
    whole = next((project / "images/some").iterdir()).read_bytes()
    (project / "bad/1.png").write_bytes(whole[: len(whole) // 2])
    for name in ("1.png", "1.jpg"):
        (project / "alike" / name).write_bytes(whole)
    run = run_of(project, "relu")
    names = {"run": str(run), "rest": run.name.removeprefix("surfaces-relu-seed0")}
    for damage in ("damaged", "without", "swapped", "outside", "edited"):
        copy = project / damage / run.name
        shutil.copytree(run, copy)
        (copy / ".mirrored").unlink()
        names[damage] = str(copy)
    weights = {damage: Path(names[damage]) / "best.keras" for damage in ("damaged", "without", "swapped")}
    weights["damaged"].write_bytes(weights["damaged"].read_bytes()[:-500])
    weights["without"].unlink()
    generator = np.random.default_rng(0)
    record = json.loads((Path(names["swapped"]) / "run.json").read_text())
    record["digests"]["weights"] = generator.bytes(32).hex()
    (Path(names["swapped"]) / "run.json").write_text(json.dumps(record))
    edited = json.loads((run / "run.json").read_text())
    edited["results"]["test/mean_iou"] = 0.99
    (Path(names["edited"]) / "run.json").write_text(json.dumps(edited))
    record["study"] = "../../outside"
    (Path(names["outside"]) / "run.json").write_text(json.dumps(record))
    return names


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    REJECTED,
    ids=[f"{script} {' '.join(arguments)}" for script, arguments, _ in REJECTED],
)
def test_bad_input_gives_one_message_and_changes_nothing(
    script: str, arguments: list[str], message: str, project: Path, damaged_runs: dict[str, str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file()}
    result = command(project, script, *(argument.format(**damaged_runs) for argument in arguments))
    assert result.returncode == 2, result.stdout + result.stderr
    assert message.format(**damaged_runs) in result.stderr
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    after = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file()}
    assert before.items() <= after.items()
    assert all("data/prepared" in str(path) or path.suffix == ".lock" for path in after.keys() - before.keys())


def test_a_run_is_evaluated_on_other_data_and_tracked_separately(project: Path) -> None:
    run = run_of(project, "frelu")
    tracked = json.loads((run / "run.json").read_text())
    again = command(project, "evaluate.py", f"run={run}", "threads=1")
    assert again.returncode == 0, again.stderr
    (same,) = project.glob("multirun/tiny/evaluations/*/run.json")
    results = json.loads(same.read_text())["results"]
    for key, value in tracked["results"].items():
        if key.startswith("test/") and not key.startswith(("test/last/", "test/ema/")):
            assert results[key] == value
    for name in ("last", "ema"):
        other = command(
            project, "evaluate.py", f"run={run}", "threads=1", f"evaluation.weights={name}", "tracking.uri=null"
        )
        assert other.returncode == 0, other.stderr
        found = [json.loads(path.read_text()) for path in project.glob("multirun/tiny/evaluations/*/run.json")]
        (scored,) = (record for record in found if record["config"]["evaluation"]["weights"] == name)
        assert scored["results"]["test/mean_iou"] == tracked["results"][f"test/{name}/mean_iou"]
        shutil.rmtree(project / "multirun/tiny/evaluations" / scored["name"])
    other = command(project, "evaluate.py", f"run={run}", "data.scenes_seed=5", "data.count=20", "part=all")
    assert other.returncode == 0, other.stderr
    assert f"{run.name} on all images of scenes:" in other.stdout
    (path,) = project.glob("multirun/tiny/evaluations/*-all/run.json")
    evaluation = json.loads(path.read_text())
    assert evaluation["links"]["evaluates"] == str(run)
    assert len(np.load(path.parent / "evaluation/confusions.npz")["names"]) == 20
    assert evaluation["results"]["all/mean_iou"] != tracked["results"]["test/mean_iou"]
    assert (run / "run.json").read_text() == json.dumps(tracked, indent=1, ensure_ascii=False) + "\n"
    client = MlflowClient(f"sqlite:///{project / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("tiny/evaluations")
    entries = client.search_runs([experiment.experiment_id])
    assert {entry.data.tags["evaluates"] for entry in entries} == {str(run)}
    assert sorted("all/mean_iou" in entry.data.metrics for entry in entries) == [False, True]
    repeated = command(project, "evaluate.py", f"run={run}", "threads=1")
    assert repeated.returncode == 0
    assert len(client.search_runs([experiment.experiment_id])) == 2, "repeating an evaluation adds no entry"


def test_images_that_the_run_was_trained_on_are_counted_in_a_warning(project: Path) -> None:
    run = run_of(project, "relu")
    result = command(project, "evaluate.py", f"run={run}", "data.split=shuffled", "data.split_seed=1", "threads=1")
    assert result.returncode == 0, result.stderr
    assert "warning: 3 of the 3 test images of this split were in the training part of surfaces" in result.stderr
    assert "warning" not in command(project, "evaluate.py", f"run={run}", "threads=1").stderr


def test_wrong_metrics_leave_earlier_scores_and_evaluations_are_told_from_runs(project: Path) -> None:
    run = run_of(project, "relu")
    arguments = ("evaluate.py", f"run={run}", "part=validation", "threads=1")
    assert command(project, *arguments).returncode == 0
    (record,) = project.glob("multirun/tiny/evaluations/*-validation/run.json")
    scores = record.read_text()
    refused = command(project, *arguments, "evaluation.metrics=[boundry]")
    assert refused.returncode == 2
    assert record.read_text() == scores
    for script, further in (("predict.py", "images=images"), ("evaluate.py", "part=all")):
        answer = command(project, script, f"run={record.parent}", further)
        assert answer.returncode == 2
        assert f"this is an evaluation; expected the run that it scored, run={run}" in answer.stderr


def test_names_that_no_text_file_can_have_are_refused_and_formulas_are_drawn_as_they_are(project: Path) -> None:
    runs = f"runs=[{run_of(project, 'relu')},{run_of(project, 'frelu')}]"
    image = next((project / "images/some").iterdir())
    for name in ("$5_or_$6.png", b"caf\xe9.png".decode(errors="surrogateescape")):
        folder = project / ("dollars" if "$" in name else "latin")
        folder.mkdir()
        shutil.copy(image, folder / name)
    assert command(project, "predict.py", runs, "images=dollars").returncode == 0
    refused = command(project, "predict.py", runs, "images=latin")
    assert refused.returncode == 2
    assert "its name is not UTF-8" in refused.stderr
    assert not (project / "outputs/latin").exists()


def test_two_images_are_scored_without_a_split(project: Path, write_iccv09: WriteIccv09) -> None:
    run = run_of(project, "relu")
    root = write_iccv09(project / "two")
    arguments = ("evaluate.py", f"run={run}", "data=camvid", f"data.root={root}", "threads=1")
    scored = command(project, *arguments, "part=all", "--json")
    assert scored.returncode == 0, scored.stderr
    assert f"{run.name} on all images of camvid:" in scored.stderr
    result = json.loads(scored.stdout)
    confusions = np.load(project / result["folder"] / "evaluation/confusions.npz")
    assert list(confusions["names"]) == ["1", "2"]
    predicted = confusions["confusions"].sum(axis=(0, 1))
    expected = [name for name, pixels in zip(confusions["classes"], predicted, strict=True) if not pixels]
    assert result["findings"]["never_predicted"] == expected
    assert "order" not in json.loads((project / result["folder"] / "run.json").read_text())["digests"]
    refused = command(project, *arguments, "part=test")
    assert refused.returncode == 2
    assert "expected 5 or more; part=all scores all images, and needs no split" in refused.stderr
