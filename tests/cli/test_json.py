"""`--json`: each command's standard output is one object, whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import json_reference
from activation_study import outcome
from activation_study.analysis.finished_runs import read_runs
from activation_study.location import SCRIPTS
from cli_runner import ROOT, TINY, command
from fake_runs import write_run
from mistyped import Line  # in benchmarks/
from mistyped import answer as in_this_process

pytestmark = pytest.mark.integration

NAMES = {script: name for name, script in SCRIPTS.items()}
SWEEP = ("-m", *TINY, "activation=relu,mish", "seed=0,1")
COUNTS = {"done": 0, "resume": 0, "failed": 0, "pruned": 0, "new": 0, "running": 0}


def answer(folder: Path, script: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    """The object that a command writes; its standard output has nothing else."""
    result = command(folder, script, *arguments, "--json")
    assert result.returncode == code, result.stderr
    assert result.stdout.count("\n") == 1
    return parsed(result.stdout)


def parsed(text: str) -> dict[str, Any]:
    value = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
    assert value["schema"] == 1
    assert isinstance(value["warnings"], list)
    json_reference.check(value)
    return value


@pytest.fixture
def answer_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """Same as `answer` in this process, for what trains nothing and loads no network."""

    def answer_here(folder: Path, script: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        monkeypatch.chdir(folder)
        capfd.readouterr()
        monkeypatch.setattr(outcome, "_fields", {})
        monkeypatch.setattr(outcome, "_warnings", [])
        given = in_this_process(Line(NAMES[script], (*arguments, "--json")))
        output, error = capfd.readouterr()
        assert given.code == code, error + given.error
        assert output.count("\n") == 1
        return parsed(output)

    return answer_here


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """A folder with a study; the object of its plan, and of its sweep in two processes."""
    folder = tmp_path_factory.mktemp("json")
    plan = answer(folder, "train.py", "--json", *SWEEP, "dry_run=true")
    return folder, plan, answer(folder, "train.py", *SWEEP, "hydra/launcher=joblib")


def run_folder(folder: Path) -> str:
    return str(next(folder.glob("multirun/tiny/surfaces-mish-seed0-*")))


def test_the_plan(study: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    plan = study[1]
    assert (plan["command"], plan["kind"], plan["counts"]) == ("train", "plan", {**COUNTS, "new": 4})
    assert plan["estimated_seconds"] is None, "nothing was measured yet"
    assert plan["disk_bytes"] == sum(run["disk_bytes"] for run in plan["runs"]) > 0
    last = plan["runs"][-1]
    assert last["name"] == f"surfaces-mish-seed1-{last['identity']}"
    assert last["folder"] == f"multirun/tiny/{last['name']}"
    assert last["arm"] == {"data": "scenes", "label_type": "surfaces", "activation": "mish"}
    assert (last["seed"], last["status"], last["to_do"], last["epochs_done"], last["epochs"]) == (1, "new", True, 0, 3)
    assert {"activation=mish", "seed=1"} <= set(last["overrides"])


def test_the_account_of_a_sweep_in_other_processes(study: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    folder, plan, sweep = study
    assert (sweep["kind"], sweep["counts"]) == ("sweep", {"done": 4})
    assert sweep["reports"] == ["multirun/tiny/report/index.html"]
    assert [run["name"] for run in sweep["runs"]] == [run["name"] for run in plan["runs"]]
    for run in sweep["runs"]:
        record = json.loads((folder / run["folder"] / "run.json").read_text())
        assert (run["status"], run["reason"]) == ("done", None)
        assert run["mean_iou"] == record["results"]["test/mean_iou"]
    runs, _ = read_runs(folder / "multirun" / "tiny")
    assert [run.record.name for run in runs] == [run["name"] for run in plan["runs"]], "whichever started first"
    assert all(run.record.planned for run in runs)


def test_a_finished_sweep_started_again_gives_the_same_account(
    study: tuple[Path, dict[str, Any], dict[str, Any]], answer_here: Callable[..., dict[str, Any]]
) -> None:
    folder, _, sweep = study
    assert answer_here(folder, "train.py", *SWEEP) == {**sweep, "warnings": []}  # they are about training
    plan = answer_here(folder, "train.py", *SWEEP, "dry_run=true")
    assert plan["counts"] == {**COUNTS, "done": 4}
    assert (plan["estimated_seconds"], plan["disk_bytes"]) == (0, 0)


def test_a_single_run(
    study: tuple[Path, dict[str, Any], dict[str, Any]], answer_here: Callable[..., dict[str, Any]]
) -> None:
    folder = study[0]
    run = answer_here(folder, "train.py", *TINY, "activation=mish")
    record = json.loads((folder / run["folder"] / "run.json").read_text())
    assert (run["kind"], run["status"], run["epochs"], run["reason"]) == ("run", "FINISHED", 3, None)
    assert run["results"] == record["results"]
    assert len(run["run_id"]) == 32
    plan = answer_here(folder, "train.py", *TINY, "activation=elu", "dry_run=true")
    assert (plan["kind"], plan["counts"]) == ("plan", {**COUNTS, "new": 1})
    assert plan["runs"][0]["estimated_seconds"] is None


def test_the_answer_of_a_comparison(
    study: tuple[Path, dict[str, Any], dict[str, Any]], answer_here: Callable[..., dict[str, Any]]
) -> None:
    folder = study[0]
    comparison = answer_here(folder, "compare.py", "study=tiny", "pictures=false")
    assert (comparison["kind"], comparison["folder"]) == ("comparison", "multirun/tiny/report")
    (condition,) = comparison["conditions"]
    assert condition["main"]
    assert condition["seeds"] == [0, 1]
    assert [arm["name"] for arm in condition["arms"]] == ["relu", "mish"]
    contrast = condition["contrasts"][0]
    assert (contrast["a"], contrast["b"], contrast["metric"], contrast["primary"]) == ("mish", "relu", "mean_iou", True)
    relu, mish = (arm["mean_iou"]["value"] for arm in condition["arms"])
    assert contrast["difference"] == pytest.approx(mish - relu, abs=1e-12)
    assert contrast["low"] < contrast["difference"] < contrast["high"]
    assert contrast["new_images"]["value"] == pytest.approx(contrast["difference"], abs=1e-12)
    assert contrast["answer"] == "open"
    assert condition["conclusion"] in comparison["conclusions"]
    assert "inconclusive" in condition["conclusion"]


def test_the_answer_above_and_below(tmp_path: Path, answer_here: Callable[..., dict[str, Any]]) -> None:
    for seed in range(6):
        write_run(tmp_path / "multirun/s", "relu", seed, 0.6)
        write_run(tmp_path / "multirun/s", "mish", seed, 0.9)
        write_run(tmp_path / "multirun/s", "frelu", seed, 0.9)
    pairs = "contrasts=[[mish,relu],[relu,frelu]]"
    comparison = answer_here(tmp_path, "compare.py", "study=s", "pictures=false", pairs)
    contrasts = [each for each in comparison["conditions"][0]["contrasts"] if each["primary"]]
    answers = {(each["a"], each["b"]): each["answer"] for each in contrasts}
    assert (answers["mish", "relu"], answers["relu", "frelu"]) == ("above", "below")


def test_the_verdict_of_a_reproduction(study: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    folder = study[0]
    verdict = answer(folder, "reproduce.py", f"run={run_folder(folder)}")
    assert (verdict["kind"], verdict["verdict"], verdict["epochs"], verdict["whole"]) == (
        "verdict",
        "identical",
        3,
        True,
    )
    assert (verdict["mismatches"], verdict["causes"], verdict["mean_iou_apart"]) == ([], [], 0)
    assert verdict["run"]["folder"] == run_folder(folder)
    assert (folder / verdict["reproduction"]["folder"] / "verdict.json").is_file()
    verdict = answer(folder, "reproduce.py", f"run={run_folder(folder)}", "threads=2", "epochs=1", code=1)
    assert (verdict["verdict"], verdict["epochs"], verdict["whole"]) == ("different", 1, False)
    assert verdict["mismatches"][0].keys() == {"where", "what", "then", "now"}
    assert "threads (then 1, now 2)" in verdict["causes"]


def test_the_scores_of_an_evaluation(study: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    folder = study[0]
    evaluation = answer(folder, "evaluate.py", f"run={run_folder(folder)}", "data.split=shuffled", "data.split_seed=1")
    record = json.loads((folder / evaluation["folder"] / "run.json").read_text())
    assert evaluation["scores"]["mean_iou"] == record["results"]["test/mean_iou"]
    assert evaluation["scores"].keys() == evaluation["recorded"].keys()
    assert "these scores are too high" in evaluation["warnings"][0]


def test_the_files_of_predict_export_inspect_and_sync(study: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    folder = study[0]
    (folder / "images").mkdir()
    for name in ("a", "b"):
        Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(folder / "images" / f"{name}.png")
    other = str(next(folder.glob("multirun/tiny/surfaces-relu-seed0-*")))
    prediction = answer(folder, "predict.py", f"runs=[{run_folder(folder)},{other}]", "images=images")
    assert prediction["images"] == ["a", "b"]
    assert all((folder / path / "labels/a.png").is_file() for path in prediction["runs"].values())
    assert (folder / prediction["side_by_side"] / "b.png").is_file()
    export = answer(folder, "export.py", f"run={run_folder(folder)}")
    assert (folder / export["file"]).is_file()
    assert export["same_class"] <= export["pixels"] == 32 * 32 * 32
    inspection = answer(folder, "inspect_data.py", *TINY[:3])
    assert (folder / inspection["page"]).is_file()
    assert sum(inspection["images"].values()) == 12
    assert inspection["pixels"]["train"].keys() == {"sky", "horizontal", "vertical", "unknown"}
    sync = answer(folder, "train.py", "sync=true", "study=tiny", "tracking.uri=sqlite:///other.db")
    assert (sync["kind"], sync["studies"][0]["missing"]) == ("sync", 0)


@pytest.mark.parametrize("kind", json_reference.EXAMPLES)
def test_the_examples_of_the_documentation_have_what_its_tables_list(kind: str) -> None:
    example = json_reference.EXAMPLES[kind]
    json_reference.check(example)
    assert json_reference.table_fields(kind) <= set(json_reference.fields(example))


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train.py", ["training.epochz=3"], "training.epochz: unknown key; did you mean training.epochs?"),
        ("train.py", ["-m", "seed=0,-1"], "seed=-1: expected 0 or more"),
        ("train.py", ["seed=0,1"], "add -m"),
        ("train.py", ["--unknown"], "--unknown"),
        ("train.py", ["hydra/launcher=none"], "expected one of basic, joblib"),
        ("train.py", ["data.root=no", "data.addresses=[]"], "no download address is configured"),
        ("compare.py", ["study=nothing"], "there is no such folder"),
        ("compare.py", [], "study=NAME is needed"),
        ("reproduce.py", ["run=xyz"], "neither a run folder nor an MLflow run ID"),
        ("predict.py", ["run=xyz"], "images=FOLDER_OR_FILE is needed"),
    ],
)
def test_an_error_is_an_object_with_exit_code_2(
    script: str, arguments: list[str], message: str, tmp_path: Path, answer_here: Callable[..., dict[str, Any]]
) -> None:
    error = answer_here(tmp_path, script, *arguments, code=2)
    assert error.keys() == {"schema", "command", "error", "warnings"}
    assert message in error["error"]
    assert error["command"] == script.removesuffix(".py")


def test_a_failed_run_is_a_result_with_its_reason(tmp_path: Path) -> None:
    arguments = (*TINY, "training.learning_rate=1e30", "tracking=off")
    run = answer(tmp_path, "train.py", *arguments, code=1)
    assert run["status"] == "FAILED"
    assert "the training loss is" in run["reason"]
    sweep = answer(tmp_path, "train.py", "-m", *arguments, "seed=0,1", code=1)
    assert sweep["counts"] == {"failed": 2}
    assert "the training loss is" in sweep["runs"][0]["reason"]
    assert sweep["runs"][0]["mean_iou"] is None


@pytest.mark.parametrize(
    ("launcher", "number", "code"), [("basic", signal.SIGINT, 130), ("joblib", signal.SIGTERM, 143)]
)
def test_an_interruption_is_an_object(launcher: str, number: signal.Signals, code: int, tmp_path: Path) -> None:
    line = [*TINY, "training.epochs=20000", "training.early_stopping.patience=20000", "tracking=off"]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), "-m", *line, f"hydra/launcher={launcher}", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=tmp_path,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("multirun/tiny/*/run.json")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert parsed(output)["error"].startswith("interrupted")


def test_closed_streams_and_a_full_disk(tmp_path: Path) -> None:
    line = f"{sys.executable} {ROOT / 'train.py'} --json seed=x"
    result = subprocess.run(f"{line} 2>&-", shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (result.returncode, parsed(result.stdout)["error"]) == (2, "seed=x: expected a whole number")
    result = subprocess.run(f"{line} >&-", shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (2, "error: seed=x: expected a whole number\n")
    line = f"{sys.executable} {ROOT / 'train.py'} --json --version > /dev/full"
    result = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert result.stderr == "error: the object could not be written to standard output: No space left on device\n"


def test_a_store_that_cannot_be_reached_is_a_warning(tmp_path: Path) -> None:
    line = (*TINY, "training.epochs=1", "tracking.uri=http://127.0.0.1:9")
    run = answer(tmp_path, "train.py", *line)
    assert any("could not be tracked in http://127.0.0.1:9" in warning for warning in run["warnings"])


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"]])
def test_a_text_that_was_asked_for_is_in_the_object(
    arguments: list[str], tmp_path: Path, answer_here: Callable[..., dict[str, Any]]
) -> None:
    text = answer_here(tmp_path, "train.py", *arguments)
    assert text["kind"] == "text"
    assert "activation" in text["text"]


def test_the_installed_command_takes_the_flag_anywhere_and_works_in_a_pipe(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    for line in ("--json train", "train --json"):
        pipe = f"{sys.executable} -m activation_study {line} data=scenes dry_run=true | {sys.executable} -m json.tool"
        result = subprocess.run(
            pipe, shell=True, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60, check=True
        )
        assert json.loads(result.stdout)["command"] == "train"
    result = command(tmp_path, "train.py", "data=scenes", "dry_run=true")
    assert "1 run of multirun/default: 1 new" in result.stdout, "without the flag nothing changes"
