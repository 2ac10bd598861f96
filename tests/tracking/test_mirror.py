"""Any number of updates at any time log each step once."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric

from activation_study.records.record import Record
from activation_study.tracking import mirror as mirror_module
from activation_study.tracking.mirror import Mirror
from activation_study.tracking.store import mlflow_store
from mlflow_runs import CONFIG, trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


@pytest.fixture
def run(tmp_path: Path) -> tuple[Record, Path, str]:
    record = Record("surfaces-mish-seed3-0", "study", "0", CONFIG, [], ["sky"], {}, {"data": "d" * 64})
    folder = tmp_path / "run"
    record.write(folder)
    return record, folder, f"sqlite:///{tmp_path}/mlflow.db"


def epoch(number: int) -> dict[str, float]:
    return {"train/loss": 1 / number, "val/loss": 2 / number, "time": time.time()}


def losses(uri: str, run_id: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in MlflowClient(uri).get_metric_history(run_id, "train/loss")]


def test_updates_of_many_mirrors_log_each_step_once(run: tuple[Record, Path, str]) -> None:
    record, folder, uri = run
    for number in range(1, 5):
        record.epochs.append(epoch(number))
        record.write(folder)
        for mirror in (Mirror(folder, uri, "none"), Mirror(folder, uri, "none")):
            mirror.update(final=True)
    record.results["test/mean_iou"] = 0.5
    record.end(folder, "FINISHED")
    for _ in range(2):
        mirror = Mirror(folder, uri, "none")
        mirror.update(final=True)
    assert mirror.run_id is not None
    assert losses(uri, mirror.run_id) == [(1, 1), (2, 1 / 2), (3, 1 / 3), (4, 1 / 4)]
    client = MlflowClient(uri)
    (logged,) = trained_runs(client, "study")
    assert logged.info.status == "FINISHED"
    assert len(client.get_metric_history(mirror.run_id, "test/mean_iou")) == 1
    assert list(logged.data.params)[:3] == ["activation", "label_type", "seed"]


def test_a_failing_store_is_reported_once_and_can_be_synced_later(
    run: tuple[Record, Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record, folder, uri = run
    (tmp_path / "file").write_text("a file where a folder is needed")
    unreachable = Mirror(folder, f"sqlite:///{tmp_path}/file/mlflow.db", "none")
    record.epochs.append(epoch(1))
    record.write(folder)
    unreachable.update()
    unreachable._last_end = -1e9
    unreachable.update()
    warning = capsys.readouterr().err
    assert warning.count("could not be tracked in") == 1
    place = f"study={folder.parent.name} folder={folder.parents[1]}"
    assert f"`python train.py sync=true {place} tracking.uri=sqlite:///{tmp_path}/file/mlflow.db`" in warning
    later = Mirror(folder, uri, "none")
    later.update(final=True)
    assert later.run_id is not None
    assert losses(uri, later.run_id) == [(1, 1.0)]


def test_without_a_uri_nothing_is_tracked(run: tuple[Record, Path, str], tmp_path: Path) -> None:
    _, folder, _ = run
    Mirror(folder, None, "best").update(final=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_update_is_skipped_while_tracking_would_take_too_much_time(run: tuple[Record, Path, str]) -> None:
    record, folder, uri = run
    mirror = Mirror(folder, uri, "none")
    mirror.update()
    assert mirror.run_id is not None
    for number in (1, 2):
        record.epochs.append(epoch(number))
        record.write(folder)
        mirror.update()  # both are too soon after the first update
    assert losses(uri, mirror.run_id) == [(1, 1.0)]
    mirror.update(final=True)
    assert losses(uri, mirror.run_id) == [(1, 1.0), (2, 0.5)]


def test_many_epochs_are_logged_in_few_calls(run: tuple[Record, Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    record, folder, uri = run
    record.epochs = [epoch(number) | {"val/accuracy": 0.5, "val/mean_iou": 0.5} for number in range(1, 601)]
    record.write(folder)
    calls: list[int] = []
    log_batch = MlflowClient.log_batch

    def counted(self: MlflowClient, run_id: str, metrics: Sequence[Metric] = (), **others: Any) -> Any:
        calls.append(len(metrics))
        return log_batch(self, run_id, metrics, **others)

    monkeypatch.setattr(MlflowClient, "log_batch", counted)
    mirror = Mirror(folder, uri, "none")
    assert mirror.update(final=True)
    assert [count for count in calls if count] == [1000, 1000, 400], "whole epochs of four metrics each"
    assert mirror.run_id is not None
    assert [step for step, _ in losses(uri, mirror.run_id)] == list(range(1, 601))


def test_a_password_in_the_stores_address_connects_and_is_not_stored(
    run: tuple[Record, Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record, folder, uri = run
    opened = []
    store = mlflow_store.MlflowStore
    monkeypatch.setattr(mlflow_store, "MlflowStore", lambda given: opened.append(given) or store(uri))
    monkeypatch.setattr(mirror_module, "check_reachable", lambda given: None)
    record.end(folder, "FINISHED")
    assert Mirror(folder, "http://ada:hunter2@host:5000", "none").update(final=True)
    assert opened == ["http://ada:hunter2@host:5000"]
    assert (folder / ".mirrored").read_text().split()[2] == "http://host:5000"

    def fail(given: str) -> None:
        raise OSError(f"no answer from {given}")

    monkeypatch.setattr(mlflow_store, "MlflowStore", fail)
    assert not Mirror(folder, "http://ada:hunter2@other", "none").update(final=True)
    assert "could not be tracked in http://other: no answer from http://other\n" in capsys.readouterr().err


def test_only_the_files_of_a_run_are_copied(run: tuple[Record, Path, str], tmp_path: Path) -> None:
    record, folder, uri = run
    (folder / "pictures").mkdir()
    for name in ("notes.txt", "data.zip", "pictures/.env", "pictures/confusion.png", "best.keras"):
        (folder / name).write_text("x")
    (tmp_path / "private.png").write_text("x")
    (folder / "pictures/link.png").symlink_to(tmp_path / "private.png")
    record.end(folder, "FAILED", "error")
    mirror = Mirror(folder, uri, "none")
    assert mirror.update(final=True)
    client = MlflowClient(uri)
    assert [item.path for item in client.list_artifacts(mirror.run_id)] == ["pictures", "run.json"]
    assert [item.path for item in client.list_artifacts(mirror.run_id, "pictures")] == ["pictures/confusion.png"]
