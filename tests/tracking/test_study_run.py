"""Each study has one run in MLflow, with its trained runs below it."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from activation_study.records.record import Record
from activation_study.tracking.mirror import Mirror, mirror_report
from activation_study.tracking.study_run import StudyRun
from mirror_one_run import CONFIG
from mlflow_runs import study_runs, trained_runs

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]
Start = Callable[..., tuple[Record, Path]]


@pytest.fixture
def start(tmp_path: Path, uri: str) -> Start:
    def start(seed: int, study: str = "study", **links: str) -> tuple[Record, Path]:
        name = f"surfaces-mish-seed{seed}-0"
        record = Record(name, study, "0", {**CONFIG, "seed": seed}, [], ["sky"], {}, {"data": "d" * 64}, links=links)
        folder = tmp_path / study / name
        record.write(folder)
        assert Mirror(folder, uri, "none").update(final=True)
        return record, folder

    return start


def end(record: Record, folder: Path, uri: str) -> None:
    record.end(folder, "FINISHED")
    assert Mirror(folder, uri, "none").update(final=True)


def write_report(folder: Path, answer: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "report.md").write_text(f"{answer}\n\n## Details\n\nnumbers\n")
    (folder / "index.html").write_text("<p>page</p>")
    return folder


def test_runs_of_single_commands_share_one_parent_named_as_the_study(start: Start, uri: str) -> None:
    for seed in range(2):
        start(seed)
    client = MlflowClient(uri)
    (study,) = study_runs(client, "study")
    assert study.info.run_name == "study"
    assert study.data.metrics == study.data.params == {}, "it takes no place in charts"
    runs = trained_runs(client, "study")
    assert [run.data.tags["mlflow.parentRunId"] for run in runs] == [study.info.run_id] * 2
    assert [run.data.tags["mlflow.runType"] for run in runs] == ["evaluation"] * 2, "so that the page unfolds it"


def test_a_study_is_running_while_one_of_its_runs_is(start: Start, uri: str) -> None:
    client = MlflowClient(uri)
    statuses = []
    one, other = start(0), start(1)
    for run in (one, other):
        statuses.append(study_runs(client, "study")[0].info.status)
        end(*run, uri)
    statuses.append(study_runs(client, "study")[0].info.status)
    start(2)
    statuses.append(study_runs(client, "study")[0].info.status)
    assert statuses == ["RUNNING", "RUNNING", "FINISHED", "RUNNING"]


def test_the_report_is_the_description_and_the_artifacts_of_the_study(start: Start, uri: str, tmp_path: Path) -> None:
    client = MlflowClient(uri)
    end(*start(0), uri)
    for answer in ("Mish is above ReLU.", "It is open."):
        mirror_report(write_report(tmp_path / "report", answer), "study", uri)
        (study,) = study_runs(client, "study")
        assert study.data.tags["mlflow.note.content"] == answer
    assert {item.path for item in client.list_artifacts(study.info.run_id)} == {"report.md", "index.html"}
    assert study.info.status == "FINISHED"
    client.set_tag(study.info.run_id, "mlflow.note.content", "my own words")
    mirror_report(tmp_path / "report", "study", uri)
    assert study_runs(client, "study")[0].data.tags["mlflow.note.content"] == "my own words"


def test_the_run_report_of_an_earlier_version_becomes_the_study(start: Start, uri: str, tmp_path: Path) -> None:
    client = MlflowClient(uri)
    experiment = client.create_experiment("study")
    tags = {"activation_study.key": "report of study", "mlflow.note.content": "The answer of then."}
    report = client.create_run(experiment, tags=tags, run_name="report")
    client.set_terminated(report.info.run_id)
    former = client.create_run(experiment, tags={"activation_study.key": "k"}, run_name="surfaces-relu-seed0-0")
    client.log_param(former.info.run_id, "activation", "relu")
    client.set_terminated(former.info.run_id)
    end(*start(1), uri)
    mirror_report(write_report(tmp_path / "report", "The answer of now."), "study", uri)
    (study,) = study_runs(client, "study")
    assert (study.info.run_id, study.info.run_name) == (report.info.run_id, "study")
    assert study.data.tags["mlflow.note.content"] == "The answer of now."
    assert {run.data.tags["mlflow.parentRunId"] for run in trained_runs(client, "study")} == {study.info.run_id}
    assert len(client.search_runs([experiment])) == 3


def test_several_studies_runs_made_at_once_on_a_server_become_one(start: Start, uri: str) -> None:
    start(0)
    client = MlflowClient(uri)
    (study,) = study_runs(client, "study")
    for _ in range(2):
        tags = {"activation_study.key": "study of study"}
        other = client.create_run(study.info.experiment_id, tags=tags, run_name="study")
    (child,) = trained_runs(client, "study")
    client.set_tag(child.info.run_id, "mlflow.parentRunId", other.info.run_id)
    assert StudyRun(client, study.info.experiment_id, "study", nullcontext).run_id == study.info.run_id
    assert [run.info.run_id for run in study_runs(client, "study")] == [study.info.run_id]
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == study.info.run_id


def test_reproductions_and_evaluations_are_below_no_study(start: Start, uri: str) -> None:
    for study in ("study/reproductions", "study/evaluations"):
        start(0, study)
        (run,) = MlflowClient(uri).search_runs([MlflowClient(uri).get_experiment_by_name(study).experiment_id])
        assert "mlflow.parentRunId" not in run.data.tags


def test_a_run_with_parameters_of_an_earlier_version_is_resumed(start: Start, uri: str) -> None:
    client = MlflowClient(uri)
    record, folder = start(0)
    (run,) = trained_runs(client, "study")
    other: dict[str, Any] = {**CONFIG, "seed": 0, "training": {"epochs": 2, "precision": "float32"}}
    record.config = other
    end(record, folder, uri)
    (after,) = trained_runs(client, "study")
    assert after.data.params == run.data.params, "MLflow cannot change them"
    assert after.info.status == "FINISHED"
