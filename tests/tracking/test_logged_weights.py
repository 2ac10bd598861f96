"""The model in a store has the weights that its run was recorded with, and is there as long as the store says so."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from activation_study.config.schema import resolved
from activation_study.model.build import untrained_network
from activation_study.model.network import weights_digest
from activation_study.records.record import Record
from activation_study.tracking.synced import Synced, sync_runs
from activation_study.validation import from_hydra
from cli_runner import TINY
from hydra_compose import composed
from mlflow_runs import trained_runs

CONFIG = from_hydra(composed([*TINY, "study=study", "activation=mish"]))
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::UserWarning"),
]


def write_weights(path: Path, value: float) -> str:
    """Writes the weights of the small U-Net; returns their digest."""
    network = untrained_network(CONFIG, 3)
    network.set_weights([np.full(weight.shape, value, np.float32) for weight in network.get_weights()])
    network.save(path)
    return weights_digest(network.get_weights())


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / "multirun/study" / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir(parents=True)
        digests = {"data": "d" * 64, "weights": write_weights(folder / "best.keras", 1.0)}
        record = Record(folder.name, "study", folder.name, resolved(CONFIG), [], ["x", "y", "z"], {}, digests)
        record.results = {"test/mean_iou": 0.5}
        record.end(folder, "FINISHED")
    return folders


def test_exchanged_weights_are_not_published(
    folders: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)

    def sync() -> Synced:
        return sync_runs(folders, uri, "best")

    def files() -> list[Path]:
        experiment = client.get_experiment_by_name("study").experiment_id
        return [Path(model.artifact_location, "MLmodel") for model in client.search_logged_models([experiment])]

    write_weights(folders[0] / "best.keras", 2.0)
    synced = sync()
    assert (synced.there, synced.refused, synced.failed) == ([folders[1]], [folders[0]], [])
    warning = capsys.readouterr().err
    assert "warning: a is in sqlite:///" in warning
    assert f"mlflow.db without its model. {folders[0]}/best.keras: not the weights that a was recorded with" in warning
    assert {run.info.status for run in trained_runs(client, "study")} == {"FINISHED"}
    assert len(files()) == 1
    (folders[0] / "best.keras").write_bytes(b"PK damaged")
    assert sync().refused == [folders[0]]
    assert "best.keras cannot be read" in capsys.readouterr().err
    write_weights(folders[0] / "best.keras", 1.0)
    assert sync().there == folders
    assert len(files()) == 2
    shutil.rmtree(files()[0].parent)
    assert sync().there == folders
    assert len(files()) == 2
    assert all(path.is_file() for path in files())
