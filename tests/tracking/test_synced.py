"""A store that has lost runs gets them back, and each run is there once."""

import shutil
import sqlite3
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from activation_study.records.lock import run_lock
from activation_study.records.record import Record, read_record
from activation_study.tracking.mirror import Mirror, mirror_report
from activation_study.tracking.store.experiments import STUDY_TAG
from activation_study.tracking.store.inventory import read_inventory, read_with_client
from activation_study.tracking.synced import Synced, sync_runs
from activation_study.tracking.tags import COMPLETE_TAG, DUPLICATE_TAG, KEY_TAG, SUPERSEDED_TAG
from mlflow_runs import CONFIG

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]


def write_run(folder: Path, status: str = "FINISHED", study: str = "study", **fields: object) -> Record:
    record = Record(folder.name, study, folder.name, CONFIG, [], ["sky"], {}, {"data": "d" * 64}, **fields)
    record.epochs = [{"train/loss": 1 / n, "time": time.time()} for n in (1, 2, 3)]
    record.results = {"test/mean_iou": 0.5, "parameters": 1.0}
    record.end(folder, status)
    return record


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two runs and a reproduction; the store's artifacts are beside it."""
    monkeypatch.chdir(tmp_path)
    names = ("a", "b", "reproductions/a-again1")
    folders = [Path("multirun/study") / name for name in names]
    for folder in folders:
        write_run(folder, study="study/reproductions" if "again" in folder.name else "study")
    return folders


@pytest.fixture
def client(uri: str) -> MlflowClient:
    return MlflowClient(uri)


def sync(folders: list[Path], uri: str, restore: bool = False) -> Synced:
    return sync_runs(folders, uri, "none", restore)


def runs(client: MlflowClient, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    experiments = [each.experiment_id for each in client.search_experiments(view_type=ViewType.ALL)]
    return list(client.search_runs(experiments, f"tags.`{KEY_TAG}` != 'study of study'", view))


def assert_all_there_once(client: MlflowClient) -> None:
    found = {run.info.run_name: run for run in runs(client)}
    assert sorted(found) == ["a", "a-again1", "b"]
    assert len(runs(client)) == 3
    for run in found.values():
        assert run.info.status == "FINISHED"
        assert [point.step for point in client.get_metric_history(run.info.run_id, "train/loss")] == [1, 2, 3]
        assert len(client.get_metric_history(run.info.run_id, "test/mean_iou")) == 1
        assert "run.json" in [each.path for each in client.list_artifacts(run.info.run_id)]
        assert client.get_experiment(run.info.experiment_id).lifecycle_stage == "active"


def one(client: MlflowClient, name: str) -> Run:
    (run,) = [run for run in runs(client, ViewType.ALL) if run.info.run_name == name]
    return run


def test_a_store_that_is_lost_is_filled_again(folders: list[Path], tmp_path: Path) -> None:
    first, second = f"sqlite:///{tmp_path}/mlflow.db", f"sqlite:///{tmp_path}/restored.db"
    assert sync(folders, first).there == folders
    assert_all_there_once(MlflowClient(first))
    for folder in folders:  # the notes in the folders name a store that is empty now
        note = folder / ".mirrored"
        note.write_text(note.read_text().replace(first, second))
    assert sync(folders, second).there == folders
    assert_all_there_once(MlflowClient(second))


def test_an_old_backup_of_the_store_gets_what_it_lacks(folders: list[Path], tmp_path: Path) -> None:
    old = f"sqlite:///{tmp_path}/old.db"
    record = read_record(folders[0])
    assert record is not None
    ended, epochs = record.ended, record.epochs
    record.status, record.ended, record.epochs = "RUNNING", None, epochs[:2]  # the backup is from the middle of a run
    record.write(folders[0])
    assert Mirror(folders[0], old, "none").update(final=True)
    record.status, record.ended, record.epochs = "FINISHED", ended, epochs
    record.write(folders[0])
    assert sync(folders, old).there == folders
    assert_all_there_once(MlflowClient(old))


def test_a_complete_store_is_only_read(folders: list[Path], uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sync(folders, uri)
    monkeypatch.setattr(Mirror, "update", lambda self, final: pytest.fail("nothing is missing"))
    assert sync(folders, uri).there == folders


def test_a_pruned_run_is_only_read_too(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("multirun/study/pruned")
    write_run(folder, "PRUNED")
    assert sync([folder], uri).there == [folder]
    monkeypatch.setattr(Mirror, "update", lambda self, final: pytest.fail("nothing is missing"))
    assert sync([folder], uri).there == [folder]


def test_both_ways_to_read_a_store_agree(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    client.delete_run(one(client, "b").info.run_id)
    studies = ["none", "study", "study/reproductions"]
    directly, by_client = read_inventory(uri, studies), read_with_client(client, studies)
    assert directly.experiments == by_client.experiments
    assert sorted(directly.runs, key=lambda run: run.name) == sorted(by_client.runs, key=lambda run: run.name)
    assert sorted(run.epochs for run in directly.runs) == [0, 3, 3, 3]  # the study's own run has none


def test_what_is_incomplete_is_completed(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    client.delete_tag(one(client, "a").info.run_id, COMPLETE_TAG)  # the process died before its last request
    client.set_terminated(one(client, "b").info.run_id, "KILLED")
    shutil.rmtree(one(client, "a-again1").info.artifact_uri)
    assert sync(folders, uri).there == folders
    assert_all_there_once(client)


def test_each_lost_file_is_copied_again(folders: list[Path], uri: str, client: MlflowClient) -> None:
    (folders[0] / "config.yaml").write_text("seed: 3\n")
    sync(folders, uri)
    lost = Path(one(client, "a").info.artifact_uri) / "config.yaml"
    lost.unlink()
    assert sync(folders, uri).there == folders
    assert lost.read_text() == "seed: 3\n"


def test_a_record_that_cannot_be_read_is_named(folders: list[Path], uri: str) -> None:
    (folders[0] / "run.json").write_text("{")
    synced = sync(folders, uri)
    assert synced.there == folders[1:]
    (message,) = synced.messages(uri)
    assert str(folders[0] / "run.json") in message


def test_doubles_are_removed(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    original = one(client, "a")
    client.create_run(original.info.experiment_id, tags=dict(original.data.tags), run_name="a")
    assert sync(folders, uri).there == folders
    assert_all_there_once(client)
    (double,) = runs(client, ViewType.DELETED_ONLY)
    assert double.data.tags[DUPLICATE_TAG] == original.info.run_id


def test_a_run_deleted_on_purpose_is_named_and_left(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    client.delete_run(one(client, "a").info.run_id)
    synced = sync(folders, uri)
    assert synced.there == folders[1:]
    (message,) = synced.messages(uri)
    assert message.startswith("deleted in MLflow: a. `")
    assert f"sync=all study=study tracking.uri={uri}` brings it back" in message
    assert len(runs(client)) == 2
    assert sync(folders, uri, restore=True).there == folders
    assert_all_there_once(client)


def test_a_studys_own_run_deleted_on_purpose_is_named_and_left(
    folders: list[Path], uri: str, client: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    sync(folders, uri)
    experiment = one(client, "a").info.experiment_id
    (own,) = client.search_runs([experiment], "tags.`activation_study.key` = 'study of study'")
    client.delete_run(own.info.run_id)
    synced = sync(folders, uri)
    assert synced.there == folders
    (message,) = synced.messages(uri)
    assert message.startswith("deleted in MLflow: study (the study's own run). `")
    write_run(folders[0].parent / "c")
    assert sync([folders[0].parent / "c"], uri).there, "its runs are tracked all the same"
    (report := folders[0].parent / "report.md").write_text("answer")
    mirror_report(report.parent, "study", uri)
    assert "deleted in MLflow: study (the study's own run)" in capsys.readouterr().err
    assert client.get_run(own.info.run_id).info.lifecycle_stage == "deleted"
    assert len(runs(client)) == 4
    assert not list(sync(folders, uri, restore=True).messages(uri))
    assert client.get_run(own.info.run_id).info.lifecycle_stage == "active"
    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{own.info.run_id}'")
    assert {run.info.run_name for run in children} == {"a", "b", "c"}


def test_a_permanently_deleted_run_is_logged_again(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    run_id = one(client, "a").info.run_id
    client.delete_run(run_id)
    client._tracking_client.store._hard_delete_run(run_id)  # `mlflow gc`
    assert sync(folders, uri).there == folders
    assert_all_there_once(client)


def test_a_renamed_experiment_is_found(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    client.rename_experiment(one(client, "a").info.experiment_id, "our study")
    write_run(folders[0].parent / "c")
    assert not sync([*folders, folders[0].parent / "c"], uri).failed
    names = {client.get_experiment(run.info.experiment_id).name for run in runs(client)}
    assert names == {"our study", "study/reproductions"}
    assert len(runs(client)) == 4


def test_an_experiment_without_the_tag_is_found_by_its_name(folders: list[Path], uri: str) -> None:
    client = MlflowClient(uri)
    experiment = client.create_experiment("study")
    assert sync(folders, uri).there == folders
    assert client.get_experiment(experiment).tags[STUDY_TAG] == "study"


def test_a_study_does_not_get_into_the_experiment_of_another(
    folders: list[Path], uri: str, client: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    sync(folders, uri)
    client.rename_experiment(one(client, "a").info.experiment_id, "other")
    write_run(Path("multirun/other/d"), study="other")
    assert sync([Path("multirun/other/d")], uri).failed
    warning = capsys.readouterr().err
    assert "the experiment named other belongs to the study study" in warning
    assert "Rename it in MLflow" in warning
    client.rename_experiment(one(client, "a").info.experiment_id, "renamed")
    assert sync([Path("multirun/other/d")], uri).there


def test_a_deleted_experiment_is_named_and_brought_back(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    client.delete_experiment(one(client, "a").info.experiment_id)
    synced = sync(folders, uri)
    assert synced.there == folders[2:]
    (message,) = synced.messages(uri)
    assert "the experiment study was deleted in MLflow" in message
    assert f"sync=all study=study tracking.uri={uri}` brings it back" in message
    assert sync(folders, uri, restore=True).there == folders
    assert_all_there_once(client)


def test_a_new_run_of_a_deleted_experiment_says_what_to_do(
    folders: list[Path], uri: str, client: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    sync(folders, uri)
    client.delete_experiment(one(client, "a").info.experiment_id)
    write_run(folders[0].parent / "c")
    assert not Mirror(folders[0].parent / "c", uri, "none").update(final=True)
    assert f"sync=all study=study tracking.uri={uri}` brings it back" in capsys.readouterr().err


def test_a_permanently_deleted_experiment_is_created_again(folders: list[Path], uri: str, client: MlflowClient) -> None:
    sync(folders, uri)
    experiment = one(client, "a").info.experiment_id
    client.delete_experiment(experiment)
    for run in client.search_runs([experiment], run_view_type=ViewType.ALL):
        client._tracking_client.store._hard_delete_run(run.info.run_id)
    client._tracking_client.store._hard_delete_experiment(experiment)
    assert sync(folders, uri).there == folders
    assert_all_there_once(client)


def test_a_run_that_goes_on_is_tracked_again_though_it_was_deleted(
    folders: list[Path], uri: str, client: MlflowClient
) -> None:
    sync(folders, uri)
    client.delete_run(one(client, "a").info.run_id)
    record = read_record(folders[0])
    assert record is not None
    record.status, record.ended = "RUNNING", None
    record.write(folders[0])
    assert Mirror(folders[0], uri, "none").update()
    assert one(client, "a").info.lifecycle_stage == "active"
    assert one(client, "a").info.status == "RUNNING"


def test_a_run_deleted_while_it_runs_stays_deleted(
    folders: list[Path], uri: str, client: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    record = read_record(folders[0])
    assert record is not None
    record.status, record.ended, record.epochs = "RUNNING", None, record.epochs[:1]
    record.write(folders[0])
    mirror = Mirror(folders[0], uri, "none")
    assert mirror.update()
    client.delete_run(one(client, "a").info.run_id)
    record.epochs.append(dict(record.epochs[0]))
    record.end(folders[0], "FINISHED")
    assert not mirror.update(final=True)
    assert "deleted in MLflow: a. `" in capsys.readouterr().err
    assert one(client, "a").info.lifecycle_stage == "deleted"


def test_a_store_that_began_anew_while_a_run_is_tracked_gets_all_of_it(
    folders: list[Path], uri: str, client: MlflowClient
) -> None:
    record = read_record(folders[0])
    assert record is not None
    record.status, record.ended = "RUNNING", None
    record.write(folders[0])
    mirror = Mirror(folders[0], uri, "none")
    assert mirror.update()
    experiment, run_id = one(client, "a").info.experiment_id, one(client, "a").info.run_id
    for run in client.search_runs([experiment]):
        client._tracking_client.store._hard_delete_run(run.info.run_id)
    client.delete_experiment(experiment)
    client._tracking_client.store._hard_delete_experiment(experiment)
    record.end(folders[0], "FINISHED")
    assert mirror.update(final=True)
    assert one(client, "a").info.run_id != run_id
    assert [point.step for point in client.get_metric_history(one(client, "a").info.run_id, "train/loss")] == [1, 2, 3]


def test_an_earlier_attempt_in_the_same_folder_leaves_the_default_view(
    folders: list[Path], uri: str, client: MlflowClient
) -> None:
    sync(folders, uri)
    first = one(client, "a")
    model = client.create_logged_model(first.info.experiment_id, source_run_id=first.info.run_id)
    shutil.rmtree(folders[0])  # the folder is deleted, and the same command run
    write_run(folders[0])
    sync(folders, uri)
    (second,) = [run for run in runs(client) if run.info.run_name == "a"]
    assert second.info.run_id != first.info.run_id
    (old,) = runs(client, ViewType.DELETED_ONLY)
    assert old.info.run_id == first.info.run_id
    assert old.data.tags[SUPERSEDED_TAG] == second.info.run_id
    assert client.get_logged_model(model.model_id).tags[SUPERSEDED_TAG] == second.info.run_id
    assert sync(folders, uri).there == folders, "it is not taken for deleted by a person"
    client.delete_experiment(first.info.experiment_id)
    sync(folders, uri, restore=True)
    assert_all_there_once(client)


def test_an_attempt_that_the_folder_held_before_is_superseded_on_any_host(
    folders: list[Path], uri: str, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(folders, uri)
    before = read_record(folders[0])
    assert before is not None
    monkeypatch.setattr("socket.gethostname", lambda: "another-node")
    write_run(folders[0], supersedes=[before.key])
    sync(folders, uri)
    assert_all_there_once(client)


def test_an_attempt_is_superseded_only_by_one_that_has_finished(
    folders: list[Path], uri: str, client: MlflowClient
) -> None:
    sync(folders, uri)
    before = read_record(folders[0])
    assert before is not None
    write_run(folders[0], "FAILED", supersedes=[before.key])
    sync(folders, uri)
    assert sorted(run.info.status for run in runs(client) if run.info.run_name == "a") == ["FAILED", "FINISHED"]


def test_the_same_run_in_another_clone_is_not_superseded(
    folders: list[Path], uri: str, client: MlflowClient, tmp_path: Path
) -> None:
    sync(folders, uri)
    clone = tmp_path / "clone/multirun/study/a"
    write_run(clone)
    sync([clone], uri)
    assert len([run for run in runs(client) if run.info.run_name == "a"]) == 2
    copy = tmp_path / "copy/multirun/study/a"  # a copied folder knows the key of the original
    before = read_record(folders[0])
    assert before is not None
    write_run(copy, supersedes=[before.key])
    sync([copy], uri)
    assert len([run for run in runs(client) if run.info.run_name == "a"]) == 3


def test_an_attempt_of_a_project_that_was_moved_is_superseded(
    folders: list[Path], uri: str, client: MlflowClient, tmp_path: Path
) -> None:
    sync(folders, uri)
    before = read_record(folders[0])
    assert before is not None
    moved = tmp_path / "moved/study/a"
    shutil.move(folders[0], moved)
    write_run(moved, supersedes=[before.key])
    sync([moved], uri)
    assert_all_there_once(client)


def test_a_folder_restored_from_a_backup_is_the_present_attempt_again(
    folders: list[Path], uri: str, client: MlflowClient, tmp_path: Path
) -> None:
    sync(folders, uri)
    first = one(client, "a").info.run_id
    shutil.copytree(folders[0], tmp_path / "backup")
    shutil.rmtree(folders[0])
    write_run(folders[0])
    sync(folders, uri)
    shutil.rmtree(folders[0])
    shutil.copytree(tmp_path / "backup", folders[0])
    assert sync(folders, uri).there == folders
    assert_all_there_once(client)
    assert first in [run.info.run_id for run in runs(client)]


def test_a_run_of_another_process_is_left_to_it(folders: list[Path], uri: str) -> None:
    with run_lock(folders[1]):
        synced = sync(folders, uri)
    assert (synced.there, synced.running) == ([folders[0], folders[2]], [folders[1]])


def test_a_database_with_unknown_tables_is_read_by_mlflow(
    folders: list[Path], uri: str, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(folders, uri)

    def other_tables(*arguments: object) -> None:
        raise sqlite3.OperationalError("no such table: latest_metrics")

    monkeypatch.setattr("activation_study.tracking.store.inventory._read_database", other_tables)
    assert sync(folders, uri).there == folders
    key = one(client, "a").data.tags[KEY_TAG]
    assert read_inventory(uri, ["study"]).with_key(key)
