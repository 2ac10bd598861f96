"""Complete runs and sweeps on drawn scenes, as commands in new processes; their folders and MLflow are checked."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.data.preprocessing import preprocess
from activation_study.data.scenes.generator import draw_scenes
from activation_study.data.splitting.splits import split
from activation_study.evaluation.evaluate import resize_and_argmax
from activation_study.metrics import confusion, summary
from activation_study.records.lock import run_lock
from cli_runner import command
from mlflow_runs import study_runs, trained_runs

# MLflow 3.17 triggers them with SQLAlchemy 2.1.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

ROOT = Path(__file__).parents[1]
TINY = (
    "data=scenes", "data.count=12", "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]",
    "model.decoder_blocks=[1]", "training.epochs=2", "training.batch_size=3", "study=tiny", "threads=1",
)  # fmt: skip
ARTIFACTS = {
    "run.json", "config.yaml", "overrides.yaml", "environment.json", "evaluation/confusions.npz", "evaluation/iou.csv",
    "pictures/predictions.png", "pictures/learning_curves.png", "pictures/confusion.png",
}  # fmt: skip


def train(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command(folder, "train.py", *arguments)


def records(folder: Path) -> dict[str, dict]:
    contents = [json.loads(path.read_text()) for path in folder.glob("multirun/*/*/run.json")]
    return {record["name"].rsplit("-", 1)[0]: record for record in contents}


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Two activations × two seeds in one process: the project folder and what the sweep printed."""
    folder = tmp_path_factory.mktemp("sweep")
    result = train(folder, "-m", *TINY, "activation=relu,frelu", "seed=0,1")
    assert result.returncode == 0, result.stderr + result.stdout
    return folder, result.stdout


def store(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def tracked(folder: Path, study: str = "tiny") -> list:
    """The trained runs of a study in MLflow."""
    return trained_runs(store(folder), study)


def test_a_sweep_ends_with_the_table_and_the_next_steps(sweep: tuple[Path, str]) -> None:
    _, output = sweep
    assert "4 runs of multirun/tiny: 4 new" in output
    assert "(4 of 4)" in output
    for text in ("relu", "frelu", "article's protocol", "mlflow ui"):
        assert text in output


def test_a_run_has_all_its_artifacts(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    for run in folder.glob("multirun/tiny/*-seed*"):
        files = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
        assert files - {"changes.patch"} == ARTIFACTS | {"best.keras", "last.keras", "ema.keras", ".mirrored"}


def test_mlflow_has_everything_in_the_folder_once(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    client = store(folder)
    assert len(tracked(folder)) == 4
    for run in tracked(folder):
        record = records(folder)[run.info.run_name.rsplit("-", 1)[0]]
        assert run.info.status == record["status"] == "FINISHED"
        assert run.data.params["activation"] == record["config"]["activation"]["name"]
        assert run.data.params["seed"] == str(record["config"]["seed"])
        assert run.data.params["optimizer.learning_rate"] == "0.001"
        for key in record["epochs"][0].keys() - {"time"}:
            history = client.get_metric_history(run.info.run_id, key)
            assert [point.step for point in history] == [1, 2], key
            assert [point.value for point in history] == [epoch[key] for epoch in record["epochs"]]
        for key, value in record["results"].items():
            assert run.data.metrics[key] == value
        for name in ("data", "code", "initial_weights", "order", "weights"):
            assert run.data.tags[f"digest.{name}"] == record["digests"][name]
        assert run.inputs.dataset_inputs[0].dataset.name == "scenes"
        logged = [path.path for path in _artifacts(client, run.info.run_id)]
        assert set(logged) >= ARTIFACTS


def _artifacts(client: MlflowClient, run_id: str, path: str = "") -> list:
    """All files below a path."""
    files = []
    for item in client.list_artifacts(run_id, path):
        files += _artifacts(client, run_id, item.path) if item.is_dir else [item]
    return files


def test_results_are_computed_from_the_stored_confusions(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    for path in folder.glob("multirun/tiny/*/run.json"):
        record = json.loads(path.read_text())
        stored = np.load(path.parent / "evaluation" / "confusions.npz")
        assert stored["confusions"].dtype == np.int64
        assert stored["confusions"].shape == (len(stored["names"]), 4, 3)
        assert len(set(stored["photographs"])) == len(stored["photographs"]) == len(stored["names"])
        for key, value in summary(stored["confusions"], tuple(record["classes"])).items():
            assert record["results"][key] == value


def test_activations_share_initial_weights_and_order_for_one_seed(sweep: tuple[Path, str]) -> None:
    digests = {name: record["digests"] for name, record in records(sweep[0]).items()}
    for key in ("initial_weights", "order", "data"):
        assert digests["surfaces-relu-seed0"][key] == digests["surfaces-frelu-seed0"][key]
    for key in ("initial_weights", "order", "weights"):
        assert digests["surfaces-relu-seed0"][key] != digests["surfaces-relu-seed1"][key]


def test_a_run_alone_gives_the_same_bits_as_the_last_run_of_a_sweep(sweep: tuple[Path, str], tmp_path: Path) -> None:
    result = train(tmp_path, *TINY, "activation=frelu", "seed=1", "tracking=off")
    assert result.returncode == 0, result.stderr
    alone, last = (records(folder)["surfaces-frelu-seed1"] for folder in (tmp_path, sweep[0]))
    assert alone["digests"] == last["digests"]
    confusions = [
        np.load(next(folder.glob("multirun/tiny/surfaces-frelu-seed1-*")) / "evaluation/confusions.npz")["confusions"]
        for folder in (tmp_path, sweep[0])
    ]
    np.testing.assert_array_equal(*confusions)
    assert not (tmp_path / "mlflow.db").exists()


def test_finished_runs_are_skipped(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    before = {path: path.read_bytes() for path in folder.glob("multirun/tiny/*/run.json")}
    result = train(folder, "-m", *TINY, "activation=relu,frelu", "seed=0,1")
    assert result.returncode == 0, result.stderr
    assert "4 runs of multirun/tiny: 4 done" in result.stdout
    assert before == {path: path.read_bytes() for path in folder.glob("multirun/tiny/*/run.json")}
    assert len(tracked(folder)) == 4


def test_a_sweep_with_nothing_to_do_imports_no_heavy_package(sweep: tuple[Path, str]) -> None:
    code = (
        "import sys, runpy; sys.argv = sys.argv[1:]\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "print([name for name in ('tensorflow', 'keras', 'mlflow', 'cv2', 'matplotlib') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(ROOT / "train.py"), "-m", *TINY, "activation=relu,frelu", "seed=0,1"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=sweep[0], timeout=60, check=True)
    assert "4 done" in result.stdout
    assert "Mean IoU" in result.stdout, "the results are printed again"
    assert result.stdout.splitlines()[-1] == "[]"


def test_a_dry_run_only_prints_the_plan(sweep: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = sweep
    result = train(folder, "-m", *TINY, "activation=relu,mish", "seed=0,1", "dry_run=true")
    assert result.returncode == 0, result.stderr
    assert "4 runs of multirun/tiny: 2 done, 2 new" in result.stdout
    assert "Plan" in result.stdout
    assert len(records(folder)) == 4
    assert train(tmp_path, *TINY, "dry_run=true").returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_another_process_is_skipped(tmp_path: Path) -> None:
    arguments = ("-m", *TINY, "seed=0,1", "tracking=off")
    trained = train(tmp_path, *arguments, "rerun=none")
    assert trained.returncode == 0, trained.stderr
    first = next(tmp_path.glob("multirun/tiny/*-seed0-*"))
    with run_lock(first):
        result = train(tmp_path, *arguments, "rerun=all")
        assert result.returncode == 0, result.stderr
        assert "2 done" in result.stdout
        assert f"{first.name}: another process is already running this run; skipping it" in result.stdout
        assert len(result.stdout.split("test mean IoU")) == 2, "the other run was trained"
        alone = train(tmp_path, *TINY, "seed=0", "tracking=off")
        assert alone.returncode == 2
        assert "another process is already running this run" in alone.stderr


def test_a_study_is_synced_to_another_store(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    for _ in range(2):
        result = train(folder, "sync=true", "study=tiny", "tracking.uri=sqlite:///team.db")
        assert result.returncode == 0, result.stderr
        assert "4 of 4 runs of tiny are in sqlite:///team.db" in result.stdout
        client = MlflowClient(f"sqlite:///{folder / 'team.db'}")
        runs, (report,) = trained_runs(client, "tiny"), study_runs(client, "tiny")
        assert "index.html" in [item.path for item in client.list_artifacts(report.info.run_id)]
        assert sorted(run.info.run_name for run in runs) == sorted(run.info.run_name for run in tracked(folder))
        assert [len(client.get_metric_history(run.info.run_id, "val/loss")) for run in runs] == [2, 2, 2, 2]
        assert len(client.search_logged_models([client.get_experiment_by_name("tiny").experiment_id])) == 4
    assert len(tracked(folder)) == 4


def test_a_study_is_compared_and_invalid_options_are_rejected(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    result = command(folder, "compare.py", "study=tiny")
    assert result.returncode == 0, result.stderr
    assert "On surfaces (scenes, 2 seeds)" in result.stdout
    assert "FReLU − ReLU" in result.stdout
    with open(folder / "multirun/tiny/report/runs.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    ids = {run.info.run_id: run.data.metrics["test/mean_iou"] for run in tracked(folder)}
    assert {line["run_id"]: float(line["mean_iou"]) for line in lines} == ids
    page = (folder / "multirun/tiny/report/index.html").read_text()
    assert page.count("data:image/png;base64,") >= 3 * 3, "truth and two predictions of at least three images"
    (report,) = study_runs(store(folder), "tiny")
    assert "On surfaces (scenes, 2 seeds)" in report.data.tags["mlflow.note.content"]
    artifacts = [item.path for item in _artifacts(store(folder), report.info.run_id)]
    assert {"index.html", "report.md", "runs.csv", "figures/scenes-surfaces-seeds.svg"} <= set(artifacts)
    for arguments, message in (
        ([], "study=NAME is needed"),
        (["study=tinny"], "study=tinny: there is no such folder"),
        (["study=tiny", "contrasts=[[relu]]"], "expected two different names"),
        (["study=tiny", "contrasts=[[gelu,relu]]"], "no runs of gelu on surfaces"),
    ):
        rejected = command(folder, "compare.py", *arguments)
        assert rejected.returncode == 2
        assert message in rejected.stderr
        assert "Traceback" not in rejected.stderr


def test_a_failing_run_does_not_stop_the_others(tmp_path: Path) -> None:
    result = train(tmp_path, "-m", *TINY, "training.learning_rate=1e38,1e-3", "tracking.weights=none")
    assert result.returncode == 1, result.stderr
    assert "1 of 2 runs failed" in result.stdout
    assert "NonFiniteLoss" in result.stdout
    statuses = sorted(json.loads(path.read_text())["status"] for path in tmp_path.glob("multirun/tiny/*/run.json"))
    assert statuses == ["FAILED", "FINISHED"]
    runs = {run.info.status: run for run in tracked(tmp_path)}
    assert set(runs) == {"FAILED", "FINISHED"}
    assert "epoch" in runs["FAILED"].data.tags["error"]
    assert "traceback.txt" in [item.path for item in store(tmp_path).list_artifacts(runs["FAILED"].info.run_id)]
    experiment = store(tmp_path).get_experiment_by_name("tiny").experiment_id
    assert not store(tmp_path).search_logged_models([experiment])  # tracking.weights=none


def test_the_logged_model_gives_the_logged_iou_without_this_project(sweep: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = sweep
    run = next(run for run in tracked(folder) if run.data.params["activation"] == "frelu")
    scenes, surfaces = draw_scenes(12, 0), LABEL_TYPES["surfaces"]
    test = split(12, "sorted").test
    images = preprocess(scenes, surfaces, (32, 32), "bgr", "bilinear", tmp_path).images[test]
    np.save(tmp_path / "images.npy", images.astype(np.float32) / np.float32(255))
    code = (
        "import sys, numpy as np\n"
        "class Blocker:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'activation_study': raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Blocker())\n"
        "import mlflow\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "np.save('out.npy', model.predict(np.load('images.npy')))\n"
    )
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    line = [sys.executable, "-c", code, f"runs:/{run.info.run_id}/model"]
    subprocess.run(line, check=True, cwd=tmp_path, env=environment, timeout=300, capture_output=True)
    probabilities = np.load(tmp_path / "out.npy")
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (len(test), 32, 32, 3)
    truths = [scenes.label(index, "surfaces") for index in test]
    confusions = np.stack(
        [
            confusion(truth, resize_and_argmax(image_probabilities, truth.shape, "lanczos4"), 3)
            for image_probabilities, truth in zip(probabilities, truths, strict=True)
        ]
    )
    metrics = summary(confusions, surfaces.classes)
    for key in ("test/article/mean_iou", "test/mean_iou"):
        assert metrics[key] == pytest.approx(run.data.metrics[key], abs=1e-3)


def test_an_unreachable_store_does_not_end_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    result = train(tmp_path, *TINY, f"tracking.uri=sqlite:///{tmp_path}/file/mlflow.db")
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("could not be tracked in") == 1
    assert "No data is lost" in result.stderr
    assert records(tmp_path)["surfaces-relu-seed0"]["status"] == "FINISHED"
    again = train(tmp_path, *TINY)  # with a store that works
    assert "already finished" in again.stdout
    (run,) = tracked(tmp_path)
    assert run.info.status == "FINISHED"
    assert len(store(tmp_path).get_metric_history(run.info.run_id, "train/loss")) == 2


def test_all_weights_are_scored_by_every_run_and_none_is_trained_twice(tmp_path: Path) -> None:
    arguments = (*TINY, "training.epochs=3", "tracking=off")
    assert train(tmp_path, *arguments).returncode == 0
    (trained,) = (path.parent for path in tmp_path.glob("multirun/tiny/*/run.json"))
    first = json.loads((trained / "run.json").read_text())
    assert len({first["digests"][f"{name}_weights"] for name in ("last", "ema")}) == 2
    assert first["digests"]["weights"] == first["digests"]["best_weights"]
    for name in ("last", "ema"):
        other = train(tmp_path, *arguments, f"evaluation.weights={name}")
        assert "not trained: uses the weights of surfaces-relu-" in other.stdout, other.stderr
        found = {path: json.loads(path.read_text()) for path in tmp_path.glob("multirun/tiny/*/run.json")}
        ((path, record),) = (item for item in found.items() if item[1]["config"]["evaluation"]["weights"] == name)
        assert record["results"]["test/mean_iou"] == first["results"][f"test/{name}/mean_iou"]
        assert record["results"]["test/best/mean_iou"] == first["results"]["test/mean_iou"]
        assert (
            record["digests"]["weights"] == first["digests"][f"{name}_weights"] == record["digests"][f"{name}_weights"]
        )
        arrays, trained_arrays = (np.load(run / "evaluation/confusions.npz") for run in (path.parent, trained))
        np.testing.assert_array_equal(arrays["confusions"], trained_arrays[f"confusions_{name}"])
        np.testing.assert_array_equal(arrays["confusions_best"], trained_arrays["confusions"])


def test_a_run_that_differs_only_in_its_evaluation_is_not_trained(tmp_path: Path) -> None:
    arguments = ("-m", *TINY, "evaluation.interpolation=lanczos4,bilinear", "tracking=off")
    plan = train(tmp_path, *arguments, "dry_run=true")
    assert "2 new" in plan.stdout
    result = train(tmp_path, *arguments)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("not trained: uses the weights of surfaces-relu-") == 1
    runs = {path.parent: json.loads(path.read_text()) for path in tmp_path.glob("multirun/tiny/*/run.json")}
    (trained, first), (scored, second) = sorted(runs.items(), key=lambda item: bool(item[1]["links"]))
    assert second["links"] == {"weights_of": first["name"]}
    assert first["epochs"] == second["epochs"]
    assert first["digests"] == second["digests"]
    assert (scored / "best.keras").is_file()
    again = train(tmp_path, *TINY, "evaluation.interpolation=bilinear", "tracking=off", "study=alone")
    assert again.returncode == 0, again.stderr
    assert "not trained" not in again.stdout
    alone = next(tmp_path.glob("multirun/alone/*/run.json")).parent
    confusions = [np.load(run / "evaluation/confusions.npz")["confusions"] for run in (trained, scored, alone)]
    np.testing.assert_array_equal(confusions[1], confusions[2])
    assert (confusions[0] != confusions[1]).any()
    # Damaged weights are not used: the run trains.
    (trained / "best.keras").write_bytes(b"damaged")
    (scored / "run.json").unlink()
    retrained = train(tmp_path, *TINY, "evaluation.interpolation=bilinear", "tracking=off")
    assert retrained.returncode == 0, retrained.stderr
    assert "not trained" not in retrained.stdout
    assert json.loads((scored / "run.json").read_text())["digests"] == second["digests"]
