"""The best model of a study is registered once."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow import MlflowClient

from activation_study.records.record import Record
from activation_study.tracking.registry import _validated_on, _version, register_best
from activation_study.tracking.run_page.result_metrics import validation_score
from cli_runner import TINY, command
from fake_runs import write_run
from mlflow_runs import trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

RECORD = Record("r", "s", "0", {}, [], [], {}, {})
RECORD.epochs = [{"time": 1.0, "val/mean_iou": 0.5}, {"time": 2.0, "val/mean_iou": 0.4}]
RECORD.results = {"best_epoch": 1.0, "val/ema/mean_iou": 0.6}
STORE = "tracking.uri=sqlite:///team.db"  # not MLflow's default


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry")
    arguments = ("activation=relu,mish", "seed=0", "tracking.register=segmenter", "tracking.system_metrics=true", STORE)
    result = command(folder, "train.py", "-m", *TINY, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "models:/segmenter@best = version 1" in result.stdout
    assert "the best of 2 runs" in result.stdout
    return folder


def validation_scores(project: Path) -> dict[str, float]:
    records = [json.loads(path.read_text()) for path in project.glob("multirun/tiny/*/run.json")]
    return {
        record["name"]: record["epochs"][int(record["results"]["best_epoch"]) - 1]["val/mean_iou"] for record in records
    }


def test_the_best_on_validation_is_registered_and_repeating_it_adds_nothing(project: Path) -> None:
    client, scores = MlflowClient(f"sqlite:///{project}/team.db"), validation_scores(project)
    for arguments in (("-m", "activation=relu,mish", "seed=0"), ("sync=true",)):
        result = command(project, "train.py", *TINY, *arguments, "tracking.register=segmenter", STORE)
        assert result.returncode == 0, result.stderr
        (version,) = client.search_model_versions("name = 'segmenter'")
        assert client.get_model_version_by_alias("segmenter", "best").version == version.version
        run = client.get_run(version.run_id)
        assert scores[run.info.run_name] == max(scores.values())


def test_the_registered_model_can_be_loaded_by_its_alias(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    uri = f"sqlite:///{project}/team.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    mlflow.set_tracking_uri(uri)
    folder = Path(mlflow.artifacts.download_artifacts("models:/segmenter@best"))
    mlflow.set_tracking_uri(None)
    assert list(folder.rglob("best.keras"))


def test_a_logged_model_has_its_data_metrics_and_parameters(project: Path) -> None:
    client = MlflowClient(f"sqlite:///{project}/team.db")
    for run in trained_runs(client, "tiny"):
        (model,) = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{run.info.run_id}'")
        assert model.name == "model", "runs:/<run id>/model depends on it"
        assert model.params == run.data.params
        assert model.tags["run"] == run.info.run_name
        assert run.data.tags["mlflow.note.content"] == model.tags["mlflow.note.content"]
        metrics = {metric.key: metric for metric in model.metrics}
        assert metrics["test/mean_iou"].value == run.data.metrics["test/mean_iou"]
        assert metrics["test/mean_iou"].dataset_name == "scenes test images"
        assert metrics["val/mean_iou"].value == pytest.approx(validation_scores(project)[run.info.run_name])
        assert len(client.get_metric_history(run.info.run_id, "val/mean_iou")) == 3, "and none of them twice"
        contexts = {each.dataset.name: each.tags[0].value for each in run.inputs.dataset_inputs}
        assert contexts == {"scenes": "training", "scenes test images": "testing"}


def test_a_run_with_system_metrics_has_them_in_its_folder_and_in_mlflow(project: Path) -> None:
    client = MlflowClient(f"sqlite:///{project}/team.db")
    for run in trained_runs(client, "tiny"):
        lines = Path(project, run.data.tags["folder"], "system_metrics.jsonl").read_text().splitlines()
        history = client.get_metric_history(run.info.run_id, "system/cpu_utilization_percentage")
        assert len(history) == len(lines) >= 1


def test_system_metrics_do_not_change_the_weights(project: Path) -> None:
    other = project / "without"
    other.mkdir()
    result = command(other, "train.py", *TINY, "activation=relu", "tracking=off")
    assert result.returncode == 0, result.stderr
    (without,) = other.glob("multirun/tiny/*/run.json")
    sampled = project / "multirun/tiny" / without.parent.name / "run.json"
    assert json.loads(sampled.read_text())["digests"] == json.loads(without.read_text())["digests"]


def test_a_worse_single_run_does_not_become_the_best(project: Path) -> None:
    scores = validation_scores(project)
    worse = min(scores, key=lambda name: scores[name]).split("-")[1]
    result = command(project, "train.py", *TINY, f"activation={worse}", "tracking.register=segmenter", STORE)
    assert result.returncode == 0, result.stderr
    assert f"models:/segmenter@best = version 1, {max(scores, key=lambda name: scores[name])}" in result.stdout


def test_a_version_of_a_model_that_was_deleted_is_not_that_of_the_new_one() -> None:
    there = SimpleNamespace(run_id="r", source="models:/m-1", version="1")
    client = SimpleNamespace(
        search_registered_models=lambda _: [there],
        search_model_versions=lambda _: [there],
        create_model_version=lambda *_, **__: SimpleNamespace(version="2"),
        set_logged_model_tags=lambda *_: None,
    )
    versions = [_version(client, SimpleNamespace(model_id=name, tags={}), "n", "r", RECORD) for name in ("m-1", "m-2")]
    assert versions == ["1", "2"]


def test_a_model_scored_by_averaged_weights_has_no_second_score_of_an_epoch() -> None:
    for weights, step in (("best", 1), ("last", 2)):
        RECORD.config["evaluation"] = {"weights": weights}
        assert validation_score(RECORD, "m").step == step
    RECORD.config["evaluation"] = {"weights": "ema"}
    assert validation_score(RECORD, "m") is None


@pytest.mark.parametrize(
    ("data", "label_type"),
    [
        ({"label_interpolation": "nearest"}, {}),
        ({"classes": ["sky"]}, {}),
        ({}, {"border_width": 2}),
        ({"fold": 1}, {}),
    ],
)
def test_runs_with_other_labels_cannot_be_ranked(data: dict[str, object], label_type: dict[str, object]) -> None:
    configs = [{"data": {}, "label_type": {}}, {"data": data, "label_type": label_type}]
    first, second = (Record("r", "s", "0", config, [], [], {}, {"data": "d"}) for config in configs)
    assert _validated_on(first) != _validated_on(second)


def test_a_deleted_registered_model_is_made_again_and_listed_once(project: Path) -> None:
    uri = f"sqlite:///{project}/team.db"
    client = MlflowClient(uri)
    register_best(project / "multirun/tiny", uri, "deleted")
    client.delete_registered_model("deleted")
    register_best(project / "multirun/tiny", uri, "deleted")
    logged = client.get_model_version_by_alias("deleted", "best").source.removeprefix("models:/")
    listed = json.loads(client.get_logged_model(logged).tags["mlflow.modelVersions"])
    assert [each for each in listed if each["name"] == "deleted"] == [{"name": "deleted", "version": 1}]


def test_runs_with_different_validation_images_are_not_ranked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, split in enumerate(("sorted", "shuffled")):
        write_run(tmp_path / "study", "relu", seed, split=split)
    register_best(tmp_path / "study", f"sqlite:///{tmp_path}/none.db", "segmenter")
    assert "segmenter was not registered" in capsys.readouterr().err
    assert not Path(tmp_path, "none.db").exists()


def test_a_model_that_cannot_be_registered_is_refused_before_training(tmp_path: Path) -> None:
    for arguments in (("tracking=off",), ("tracking.weights=none",), ("tracking.register=a/b",)):
        result = command(tmp_path, "train.py", *TINY, "tracking.register=segmenter", *arguments)
        assert result.returncode == 2
        assert "tracking.register=" in result.stderr
