"""What happens to an earlier attempt when a run starts from scratch."""

from pathlib import Path
from typing import Any

import pytest

from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.errors import BadInput
from activation_study.records import source_code
from activation_study.records.looks import keep_plan
from activation_study.records.record import Record
from activation_study.runs import start
from activation_study.validation import from_hydra
from fake_runs import write_run
from hydra_compose import composed


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.chdir(tmp_path)
    return from_hydra(composed(["data=scenes", "rerun=all"]))


@pytest.mark.parametrize("is_true", [True, False])
def test_an_earlier_attempt_is_copied_into_mlflow_unless_its_record_is_false(
    config: Config, is_true: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copied: list[Path] = []
    monkeypatch.setattr(start, "sync_runs", lambda folders, *_, **__: copied.extend(folders))
    environment: dict[str, Any] = {"git": {"clean": True}}
    values = resolved(config)
    before = Record(config.run_name, "default", identity(values), values, [], ["sky"], environment, {"data": "d"})
    before.results = {"test/mean_iou": 0.5, "best_epoch": 1.0} if is_true else {}
    before.epochs = [{"val/loss": 0.1}]
    before.end(config.run_folder, "FINISHED")
    now = Record(config.run_name, "default", "0", {}, [], ["sky"], environment, {})
    assert start.start_or_resume(config, now, before) == (now, False)
    assert now.supersedes == [before.key]
    assert now.place == before.started, "a repeated run keeps its place among the runs of its study"
    assert copied == ([config.run_folder] if is_true else [])
    assert ("note: the earlier attempt is not copied into MLflow: multirun/" in capsys.readouterr().out) != is_true


def test_code_that_changed_after_it_was_loaded_is_refused(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start.code_changes_until_now(config) == []
    monkeypatch.setattr(source_code, "_LOADED", "0" * 64)
    with pytest.raises(
        BadInput, match=r"the source code changed after this process had loaded it\. Start a new process"
    ):
        start.code_changes_until_now(config)
    config.allow_changes = True
    assert start.code_changes_until_now(config) == ["changed since it was loaded: the source code"]


def test_a_run_without_the_looks_of_its_study_is_refused(config: Config) -> None:
    folder = config.run_folder.parent
    keep_plan(folder, {"looks": [3, 5]})
    start.reject_unplanned(config)  # a plan without runs may be replaced
    write_run(folder, "mish", 0)
    with pytest.raises(BadInput, match="was begun with seeds=auto, and seeds added otherwise would spoil its plan"):
        start.reject_unplanned(config)
    config.comparison.looks = [3, 5]
    start.reject_unplanned(config)
