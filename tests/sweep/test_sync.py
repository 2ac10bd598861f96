"""A study is copied into an MLflow store, repeatedly and into another store."""

import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from activation_study.config.identity import identity
from activation_study.errors import BadInput
from activation_study.records.lock import run_lock
from activation_study.records.record import Record, read_record
from activation_study.sweep.sync import sync_study
from mlflow_runs import trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two finished runs, one of a dead process, and a reproduction."""
    folder = tmp_path / "multirun" / "study"
    for number, status in enumerate(("FINISHED", "FINISHED", "RUNNING")):
        write_run(folder / f"run{number}", "study", status)
    write_run(folder / "reproductions" / "run0-again1", "study/reproductions", "FINISHED")
    return folder


def write_run(folder: Path, study: str, status: str) -> None:
    config = {
        "activation": {"name": "mish"}, "label_type": {"name": "surfaces"}, "seed": 3,
        "data": {"name": "scenes", "root": None, "format": "scenes", "image_size": 32}, "model": {"name": "unet"},
    }  # fmt: skip
    record = Record(folder.name, study, identity(config), config, [], ["sky"], {}, {"data": "d" * 64})
    record.epochs = [{"train/loss": 1 / n, "time": time.time()} for n in (1, 2, 3)]
    record.results = {"test/mean_iou": 0.5, "best_epoch": 1.0}
    record.write(folder)
    if status != "RUNNING":
        record.end(folder, "FINISHED")


def contents(uri: str) -> dict[str, tuple[str, list[int]]]:
    client = MlflowClient(uri)
    names = [experiment.name for experiment in client.search_experiments()]
    assert sorted(names) == ["Default", "study", "study/reproductions"]
    runs = [run for name in names if name != "Default" for run in trained_runs(client, name)]
    steps = {
        run.info.run_name: [point.step for point in client.get_metric_history(run.info.run_id, "train/loss")]
        for run in runs
    }
    return {run.info.run_name: (run.info.status, steps[run.info.run_name]) for run in runs}


def test_all_runs_are_copied_once_into_any_store(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    expected = {name: ("FINISHED", [1, 2, 3]) for name in ("run0", "run1", "run0-again1")} | {
        "run2": ("KILLED", [1, 2, 3])
    }
    for uri in (f"sqlite:///{tmp_path}/one.db", f"sqlite:///{tmp_path}/two.db"):
        for _ in range(2):
            assert sync_study(study, uri, "none") == 0
            assert contents(uri) == expected
    record = read_record(study / "run2")
    assert record is not None
    assert record.status == "KILLED"


def test_a_running_run_is_left_to_its_own_process(study: Path, tmp_path: Path) -> None:
    with run_lock(study / "run2"):
        assert sync_study(study, f"sqlite:///{tmp_path}/one.db", "none") == 0
    record = read_record(study / "run2")
    assert record is not None
    assert record.status == "RUNNING"
    assert "run2" not in contents(f"sqlite:///{tmp_path}/one.db")


def test_runs_that_could_not_be_copied_are_counted(study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert sync_study(study, f"sqlite:///{tmp_path}/file/one.db", "none") == 4


def test_a_missing_store_or_study_is_rejected(study: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sync=true needs an MLflow store"):
        sync_study(study, None, "none")
    with pytest.raises(BadInput, match="no runs; expected study=NAME with NAME one of: study"):
        sync_study(study.parent / "stuby", f"sqlite:///{tmp_path}/one.db", "none")
