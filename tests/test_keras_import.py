"""Keras is used with this project's settings, whatever keras.json, KERAS_BACKEND or an earlier import say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from activation_study.training.loop import TIMING_METRICS
from cli_runner import TINY, command
from mlflow_runs import trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

HOSTILE = {"floatx": "float16", "epsilon": 0.1, "backend": "torch", "image_data_format": "channels_first"}


def write_settings(folder: Path, settings: dict | list) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "keras.json").write_text(json.dumps(settings))
    return str(folder)


def without_backend() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """KERAS_HOME with Keras' own settings, and with other ones."""
    folder = tmp_path_factory.mktemp("homes")
    return {"plain": write_settings(folder / "plain", {}), "hostile": write_settings(folder / "hostile", HOSTILE)}


@pytest.fixture(scope="module")
def projects(homes: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A project with one trained FReLU run for each KERAS_HOME."""
    folders = {}
    for name, home in homes.items():
        folders[name] = tmp_path_factory.mktemp(name)
        result = command(folders[name], "train.py", *TINY, "activation=frelu", KERAS_HOME=home)
        assert result.returncode == 0, result.stdout + result.stderr
    return folders


def run_folder(project: Path) -> Path:
    (folder,) = project.glob("multirun/tiny/surfaces-frelu-*")
    return folder


def facts(record: dict) -> dict:
    return {
        "epochs": [{k: v for k, v in epoch.items() if k not in TIMING_METRICS} for epoch in record["epochs"]],
        "digests": record["digests"],
        "scores": {key: value for key, value in record["results"].items() if "/" in key},
        "keras": record["environment"]["keras"],
    }


def test_a_run_has_the_same_bits_with_another_keras_json(projects: dict[str, Path]) -> None:
    plain, hostile = (facts(json.loads((run_folder(path) / "run.json").read_text())) for path in projects.values())
    assert plain == hostile
    assert plain["keras"]["floatx"] == "float32"


def test_evaluations_have_the_same_bits_with_another_keras_json(
    projects: dict[str, Path], homes: dict[str, str]
) -> None:
    records = []
    for home in homes.values():
        project = projects["plain"]
        result = command(
            project, "evaluate.py", f"run={run_folder(project)}", "part=all", f"folder={home}", KERAS_HOME=home
        )
        assert result.returncode == 0, result.stderr
        (path,) = Path(home).glob("*/evaluations/*/run.json")
        records.append(facts(json.loads(path.read_text())))
    assert records[0] == records[1]


def test_predictions_and_exports_have_the_same_bits_with_another_keras_json(
    projects: dict[str, Path], homes: dict[str, str], tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    import cv2

    cv2.imwrite(str(pictures / "one.png"), np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    label_maps, exports = [], []
    for name, home in homes.items():
        run = f"run={run_folder(projects['plain'])}"
        predicted = command(
            tmp_path, "predict.py", run, f"images={pictures}", f"output={tmp_path / name}", KERAS_HOME=home
        )
        assert predicted.returncode == 0, predicted.stderr
        label_maps.append([path.read_bytes() for path in sorted((tmp_path / name).rglob("*.png"))])
        exported = command(tmp_path, "export.py", run, f"output={tmp_path / name}.onnx", KERAS_HOME=home)
        assert exported.returncode == 0, exported.stderr
        exports.append(exported.stdout.split("verified")[1].split("\n")[0])
    assert label_maps[0] == label_maps[1]
    assert label_maps[0]
    assert exports[0] == exports[1]


LOAD = """
import sys, numpy as np
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'activation_study': raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
import mlflow
model = mlflow.pyfunc.load_model(sys.argv[1])
images = np.random.default_rng(0).uniform(-0.01, 1.01, (40, 32, 32, 3)).astype(np.float32)
np.save(sys.argv[2], model.predict(images))
for scaled in (255 * images, 2 * images - 1, images * np.nan):
    try:
        model.predict(scaled)
    except mlflow.exceptions.MlflowException as error:
        print(error)
"""


def test_a_logged_model_has_the_same_bits_with_another_keras_json_and_refuses_other_input(
    projects: dict[str, Path], homes: dict[str, str], tmp_path: Path
) -> None:
    uri = f"sqlite:///{projects['plain'] / 'mlflow.db'}"
    (run,) = trained_runs(MlflowClient(uri), "tiny")
    for name, home in homes.items():
        environment = {**without_backend(), "KERAS_HOME": home, "MLFLOW_TRACKING_URI": uri}
        command = [sys.executable, "-c", LOAD, f"runs:/{run.info.run_id}/model", str(tmp_path / name)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("the model expects float32 images with values from 0 to 1") == 3
        assert "with their channels in the order BGR" in done.stdout
        assert "got values from -2.5" in done.stdout
    plain, hostile = (np.load(tmp_path / f"{name}.npy") for name in homes)
    assert plain.dtype == hostile.dtype == np.float32
    np.testing.assert_array_equal(plain, hostile)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"KERAS_BACKEND": "theano"}, "KERAS_BACKEND=theano: expected tensorflow, jax or torch"),
        ({"settings": ["floatx"]}, "correct or delete keras.json"),
    ],
)
def test_settings_that_cannot_be_used_are_named(environment: dict, message: str, tmp_path: Path) -> None:
    settings = environment.pop("settings", {})
    home = write_settings(tmp_path / "home", settings)
    result = command(tmp_path, "train.py", *TINY, "tracking=off", KERAS_HOME=home, **environment)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_keras_that_was_imported_with_another_backend_is_refused_with_the_fix(tmp_path: Path) -> None:
    code = (
        "import keras\nfrom activation_study.errors import BadInput\n"
        "from activation_study.keras_import import import_keras\n"
        "try:\n    import_keras('tensorflow')\nexcept BadInput as error:\n    print(error)\n"
    )
    environment = {**without_backend(), "KERAS_HOME": write_settings(tmp_path / "home", {"backend": "jax"})}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "Keras was already imported with the backend jax, but tensorflow is needed" in done.stdout
    assert 'os.environ["KERAS_BACKEND"] = "tensorflow"' in done.stdout
