"""`reproduce.py` as a command: identical; other threads; a record that was changed; from the store alone."""

import json
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient

from cli_runner import TINY, command

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A project with one run: its folder, the run's folder and MLflow id."""
    home = tmp_path_factory.mktemp("reproduction")
    result = command(home, "train.py", *TINY, "activation=mish", "tracking.weights=none")
    assert result.returncode == 0, result.stderr
    (folder,) = home.glob("multirun/tiny/surfaces-mish-*")
    return home, folder, runs(home, "tiny")[0].info.run_id


def runs(home: Path, study: str) -> list:
    client = MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(study)
    return client.search_runs([experiment.experiment_id]) if experiment else []


def test_a_run_is_reproduced_and_linked_both_ways(tracked: tuple[Path, Path, str]) -> None:
    home, folder, run_id = tracked
    before = (folder / "run.json").read_bytes()
    result = command(home, "reproduce.py", f"run={folder}")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "are as recorded" in result.stdout
    assert "identical: 3 epochs, the weights and all confusions are equal" in result.stdout
    (again,) = runs(home, "tiny/reproductions")
    assert again.data.tags["reproduces"] == run_id
    assert again.data.tags["verdict"] == "identical"
    original = MlflowClient(f"sqlite:///{home / 'mlflow.db'}").get_run(run_id)
    assert original.data.tags[f"reproduced_by.{again.info.run_name}"] == f"{again.info.run_id}: identical"
    new = home / "multirun/tiny/reproductions" / again.info.run_name
    assert json.loads((new / "verdict.json").read_text())["verdict"] == "identical"
    assert json.loads((folder / "reproductions" / f"{new.name}.json").read_text())["verdict"] == "identical"
    assert (folder / "run.json").read_bytes() == before


def test_a_reproduction_that_was_killed_before_its_verdict_is_only_judged(tracked: tuple[Path, Path, str]) -> None:
    home, folder, _ = tracked
    (verdict,) = home.glob("multirun/tiny/reproductions/*-again1/verdict.json")
    verdict.unlink()
    result = command(home, "reproduce.py", f"run={folder}", "tracking.uri=null")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "finished already" in result.stdout
    assert "identical: 3 epochs" in result.stdout
    assert verdict.exists()


def test_other_threads_are_named_before_and_after(tracked: tuple[Path, Path, str]) -> None:
    home, folder, _ = tracked
    result = command(home, "reproduce.py", f"run={folder}", "threads=2", "epochs=1", "tracking.uri=null")
    assert "threads (then 1, now 2)" in result.stdout.split("pictures of")[0]
    assert result.returncode in (0, 1)
    if result.returncode:
        assert "probable cause: threads (then 1, now 2)" in result.stdout


def test_a_changed_record_is_found_out(tracked: tuple[Path, Path, str], tmp_path: Path) -> None:
    home, folder, _ = tracked
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    record = json.loads((copy / "run.json").read_text())
    record["epochs"][1]["val/mean_iou"] += 0.01
    record["environment"]["versions"]["keras"] = "0.1"
    (copy / "run.json").write_text(json.dumps(record))
    result = command(home, "reproduce.py", f"run={copy}", "tracking.uri=null")
    assert result.returncode == 1, result.stderr
    assert "different: first in epoch 2: val/mean_iou" in result.stdout
    assert "probable cause: keras (then 0.1," in result.stdout


def test_the_store_alone_is_enough(tracked: tuple[Path, Path, str], tmp_path: Path) -> None:
    home, folder, run_id = tracked
    away = tmp_path / "away"
    shutil.move(folder, away)
    try:
        result = command(home, "reproduce.py", f"run={run_id[:12]}", "epochs=2")
    finally:
        shutil.move(away, folder)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "identical: 2 epochs are equal" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "run=RUN is needed"),
        (["run=nowhere/at/all"], "expected a run's folder, an MLflow run id"),
        (["run=123e4567"], "run=123e4567: no runs of sqlite:///mlflow.db begin so"),
        (["run=."], "no run's folder"),
        (["run=abc", "tracking.uri=sqlite:///other.db"], "there is no store sqlite:///other.db"),
        (["run=abc", "epoch=3"], "epoch"),
        (["run=abc", "tracking.uri=http://127.0.0.1:9"], "http://127.0.0.1:9 cannot be read"),
    ],
)
def test_what_cannot_be_reproduced_is_said_in_one_message(
    tracked: tuple[Path, Path, str], arguments: list[str], told: str
) -> None:
    result = command(tracked[0], "reproduce.py", *arguments)
    assert result.returncode == 2, result.stdout
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tracked[0] / "other.db").exists()
