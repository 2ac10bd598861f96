"""`export.py`: the ONNX file predicts the same as the run."""

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from mlflow import MlflowClient

from activation_study.config.command_options import Export
from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.data.scenes.generator import draw_scenes
from activation_study.data.splitting.splits import split
from activation_study.errors import BadInput
from activation_study.evaluation.evaluate import resize_and_argmax
from activation_study.inference import export_onnx
from activation_study.metrics import confusion, summary
from cli_runner import TINY, command

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
CELU = "activation.name=celu", "activation.layer.activation=celu"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    for arguments in (
        ["-m", "activation=mish,frelu,gelu,prelu"],
        ["activation=relu", "data.channel_order=rgb", "training.precision=mixed_bfloat16"],
        ["activation=silu", *CELU],
    ):
        result = command(folder, "train.py", *TINY, *arguments)
        assert result.returncode == 0, result.stderr
    return folder


@pytest.mark.parametrize("activation", ["mish", "frelu", "gelu", "prelu", "relu"])
def test_the_exported_network_scores_as_the_run(project: Path, activation: str) -> None:
    (run,) = project.glob(f"multirun/tiny/surfaces-{activation}-*")
    result = command(project, "export.py", f"run={run}")
    assert result.returncode == 0, result.stderr
    file = project / "outputs" / f"{run.name}.onnx"
    assert f"Exported: {file.relative_to(project)}" in result.stdout
    metadata = {entry.key: entry.value for entry in onnx.load(file).metadata_props}
    record = json.loads((run / "run.json").read_text())
    assert metadata["run"] == run.name
    assert json.loads(metadata["classes"]) == record["classes"]
    assert metadata["weights"] == record["digests"]["weights"]
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    scenes, confusions = draw_scenes(12, 0), []
    for index in split(12, "sorted").test:
        image = cv2.resize(scenes.image(index), (32, 32))[..., ::-1]  # RGB, as in any other program
        (probabilities,) = session.run(["probabilities"], {"images": image[None]})
        truth = scenes.label(index, "surfaces")
        confusions.append(confusion(truth, resize_and_argmax(probabilities[0], truth.shape, "lanczos4"), 3))
    scores = summary(np.stack(confusions), LABEL_TYPES["surfaces"].classes)
    for key, value in scores.items():
        assert record["results"][key] == pytest.approx(value, abs=2e-3), key


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "run=RUN is needed"),
        (["run={celu}"], "surfaces-celu-seed0{rest} cannot be exported: ONNX has no operation Expm1"),
        (["run={mish}", "output=mish.pb"], "output=mish.pb: expected a file name that ends in .onnx"),
        (["run={mish}", "output=folder.onnx"], "output=folder.onnx: expected a file name that ends in .onnx"),
        (["run=none"], "run=none: neither a run folder nor an MLflow run ID"),
    ],
)
def test_a_failed_export_gives_one_message_and_no_files(project: Path, arguments: list[str], message: str) -> None:
    for folder in ("folder.onnx", "outputs"):
        (project / folder).mkdir(exist_ok=True)
    runs = {name: next(project.glob(f"multirun/tiny/surfaces-{name}-*")) for name in ("celu", "mish")}
    before = sorted(project.rglob("*"))
    result = command(project, "export.py", *(argument.format(**runs) for argument in arguments))
    rest = runs["celu"].name.removeprefix("surfaces-celu-seed0")
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {message.format(rest=rest)}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(project.rglob("*")) == before


def test_a_run_is_exported_whatever_the_backend_of_keras(project: Path) -> None:
    (run,) = project.glob("multirun/tiny/surfaces-frelu-*")
    for backend in ("jax", "torch"):
        result = command(project, "export.py", f"run={run}", f"output={backend}.onnx", KERAS_BACKEND=backend)
        assert result.returncode == 0, result.stderr
        assert (project / f"{backend}.onnx").exists()


def test_an_export_that_predicts_other_classes_is_rejected_and_not_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(export_onnx, "MIN_AGREEMENT", 1.01)
    (run,) = project.glob("multirun/tiny/surfaces-mish-*")
    message = "cannot be exported: in onnxruntime only 32,768 of 32,768 pixels of 32 drawn scenes get the same class"
    with pytest.raises(BadInput, match=message):
        export_onnx.export_onnx(Export(str(run), str(tmp_path / "mish.onnx")))
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_exported_from_the_mlflow_store_alone(project: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{project}/mlflow.db"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("tiny").experiment_id
    (run,) = client.search_runs([experiment], "params.activation = 'mish'")
    result = command(tmp_path, "export.py", f"run={run.info.run_id[:12]}", f"tracking.uri={uri}", "output=a.onnx")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "a.onnx").is_file()
