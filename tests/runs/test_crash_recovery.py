"""Runs that are killed with SIGKILL and resumed end with the same bits as an uninterrupted run."""

import fcntl
import json
import os
import random
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

import cli_runner
from activation_study.training.loop import TIMING_METRICS
from cli_runner import ROOT
from mlflow_runs import trained_runs
from warm_start import ForkedProcess

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

KILLED = -9
TINY = (
    "data=scenes", "data.count=12", "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]",
    "model.decoder_blocks=[1]", "training.epochs=8", "training.batch_size=3", "training.checkpoint_minutes=0",
    "schedule.patience=1", "study=kills", "threads=1",
)  # fmt: skip


def start(
    folder: Path, *arguments: str, trap: tuple[str, int | str] | None = None, sweep: bool = False
) -> ForkedProcess:
    driver = ("tests/kill_at.py", trap[0], str(trap[1])) if trap else ("train.py",)
    return cli_runner.start(folder, *driver, *(["-m"] if sweep else []), *TINY, *arguments)


def finish(process: ForkedProcess) -> tuple[int, str]:
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def run_folder(project: Path) -> Path:
    (folder,) = project.glob("multirun/kills/surfaces-*-seed0-*")
    return folder


def record(project: Path) -> dict:
    return json.loads((run_folder(project) / "run.json").read_text())


def wait_for_epochs(project: Path, count: int) -> None:
    """Waits until the run has recorded this many epochs."""
    deadline = time.monotonic() + 120
    while not list(project.glob("multirun/kills/*/run.json")) or len(record(project)["epochs"]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def bits(record: dict) -> list[dict]:
    return [{key: value for key, value in epoch.items() if key not in TIMING_METRICS} for epoch in record["epochs"]]


def assert_equals_uninterrupted(resumed: Path, uninterrupted: Path) -> None:
    """Weights, confusion matrices and epochs are equal; MLflow has one run with each step once."""
    after, expected = (json.loads((run / "run.json").read_text()) for run in (resumed, uninterrupted))
    assert after["status"] == "FINISHED"
    assert after["digests"]["weights"] == expected["digests"]["weights"]
    assert bits(after) == bits(expected)
    scores, expected_scores = (
        {key: value for key, value in record["results"].items() if "test/" in key} for record in (after, expected)
    )
    assert scores == expected_scores
    arrays = [np.load(run / "evaluation" / "confusions.npz")["confusions"] for run in (resumed, uninterrupted)]
    np.testing.assert_array_equal(*arrays)
    hidden_files = {path.name for path in resumed.rglob("*") if path.name.startswith(".")}
    assert hidden_files == {".mirrored"}, "checkpoints and temporary files are deleted"
    client = MlflowClient(f"sqlite:///{resumed.parents[2] / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("kills")
    runs = client.search_runs([experiment.experiment_id], f"tags.`activation_study.key` = '{after['key']}'")
    (run,) = [run for run in runs if run.info.run_name == resumed.name]
    assert run.info.status == "FINISHED"
    for key in after["epochs"][0].keys() - {"time"}:
        history = client.get_metric_history(run.info.run_id, key)
        assert [point.step for point in history] == list(range(1, len(after["epochs"]) + 1)), key
        assert [point.value for point in history] == [epoch[key] for epoch in after["epochs"]]
    for key in scores:
        assert len(client.get_metric_history(run.info.run_id, key)) == 1
    models = client.search_logged_models([experiment.experiment_id], f"source_run_id = '{run.info.run_id}'")
    assert [str(model.status) for model in models] == ["READY"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    code, output = finish(start(folder, "activation=frelu", "tracking=off"))
    assert code == 0, output
    return run_folder(folder)


def test_a_run_killed_three_times_ends_with_the_same_bits(uninterrupted: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "activation=frelu")
    wait_for_epochs(tmp_path, 2)
    process.kill()  # 1: from outside, at any moment after the second epoch
    assert finish(process)[0] == KILLED
    first = record(tmp_path)
    assert first["status"] == "RUNNING"
    assert finish(start(tmp_path, "activation=frelu", trap=("save", 2)))[0] == KILLED  # 2: after half of a save
    second = record(tmp_path)
    assert finish(start(tmp_path, "activation=frelu", trap=("predict", 1)))[0] == KILLED  # 3: in the evaluation
    code, output = finish(start(tmp_path, "activation=frelu"))
    assert code == 0, output
    assert "resuming at the evaluation" in output
    assert_equals_uninterrupted(run_folder(tmp_path), uninterrupted)
    last = record(tmp_path)
    assert first["key"] == last["key"]
    for earlier in (first, second):
        assert last["epochs"][: len(earlier["epochs"])] == earlier["epochs"], "recorded epochs are kept"
    assert len(last["resumed"]) == 3
    assert last["resumed"][0]["epoch"] >= 2, "it was resumed and not started from scratch"


def test_sigterm_and_ctrl_c_save_a_checkpoint_and_print_a_message(uninterrupted: Path, tmp_path: Path) -> None:
    for number, (name, code) in enumerate((("TERM", 143), ("INT", 130)), 1):
        process = start(tmp_path, "activation=frelu", "training.checkpoint_minutes=60")
        wait_for_epochs(tmp_path, 2 * number)
        subprocess.run(["kill", f"-{name}", str(process.pid)], check=True)
        exit_code, output = finish(process)
        assert exit_code == code, output
        assert f"SIG{name}: saving a checkpoint after the current step" in output
        assert "interrupted; run the same command again to resume" in output
        assert record(tmp_path)["status"] == "KILLED"
        client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
        (run,) = trained_runs(client, "kills")
        assert run.info.status == "KILLED"
    code, output = finish(start(tmp_path, "activation=frelu"))
    assert code == 0, output
    assert_equals_uninterrupted(run_folder(tmp_path), uninterrupted)


def test_ctrl_c_while_the_network_is_built_ends_the_run_before_its_first_step(tmp_path: Path) -> None:
    code = (
        "import os, runpy, signal, sys\n"
        "from activation_study.runs import execute\n"
        "build = execute.build_network\n"
        "def interrupted(*arguments, **options):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return build(*arguments, **options)\n"
        "execute.build_network = interrupted\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    command = [sys.executable, "-c", code, str(ROOT / "train.py"), *TINY, "activation=relu", "tracking=off"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert result.returncode == 130, result.stderr
    assert "interrupted before its first step; run the same command again to start it" in result.stdout
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("multirun/kills/*/run.json"))


def test_a_closed_terminal_saves_a_checkpoint(uninterrupted: Path, tmp_path: Path) -> None:
    terminal, inside = os.openpty()
    command = [sys.executable, str(ROOT / "train.py"), *TINY, "activation=frelu", "training.checkpoint_minutes=60"]
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(
        command, stdin=inside, stdout=inside, stderr=inside, cwd=tmp_path, start_new_session=True, env=environment,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(inside)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("multirun/kills/*/run.json"))) == 0 or len(record(tmp_path)["epochs"]) < 2:
        assert time.monotonic() < deadline
        while select.select([terminal], [], [], 0.02)[0]:
            os.read(terminal, 10000)
    os.close(terminal)  # SIGHUP
    assert process.wait(timeout=120) == 143
    assert record(tmp_path)["status"] == "KILLED"
    code, output = finish(start(tmp_path, "activation=frelu"))
    assert code == 0, output
    assert record(tmp_path)["resumed"][0]["epoch"] > 2
    assert_equals_uninterrupted(run_folder(tmp_path), uninterrupted)


def test_a_run_that_failed_after_its_training_is_not_trained_again(uninterrupted: Path, tmp_path: Path) -> None:
    arguments = ("activation=frelu", "training.checkpoint_minutes=60", "tracking=off")
    code, output = finish(start(tmp_path, *arguments, trap=("predict", "1-")))
    assert code == 1, output
    before = record(tmp_path)
    assert (before["status"], before["error"]) == ("FAILED", "OSError: [Errno 28] No space left on device")
    code, output = finish(start(tmp_path, *arguments))
    assert code == 0, output
    assert "resuming at the evaluation" in output
    after = record(tmp_path)
    assert after["key"] != before["key"], "MLflow keeps the failed attempt"
    assert bits(after) == bits(before)
    assert after["digests"]["weights"] == json.loads((uninterrupted / "run.json").read_text())["digests"]["weights"]
    assert not (run_folder(tmp_path) / "traceback.txt").exists()


# What an activation needs on the command line; Dropout has state outside of its weights.
ACTIVATIONS = {
    "relu": ("activation=relu",),
    "mish": ("activation=mish",),
    "frelu": ("activation=frelu",),
    "dropout": (
        *("activation=relu", "activation.name=dropout"),
        *("activation.layer._target_=keras.layers.Dropout", "+activation.layer.rate=0.3"),
    ),
}
ARMS = [(activation, precision) for activation in ACTIVATIONS for precision in ("float32", "mixed_bfloat16")]
MOMENTS = int(os.environ.get("KILL_MOMENTS", "2"))  # random moments per arm
# A point, and the highest call number to draw; `seconds`: after a random time.
POINTS = {
    "train": 24, "validate": 8, "record": 9, "save": 8, "commit": 25, "artifact": 10, "predict": 2, "weights": 1,
    "model": 1, "close": 1, "seconds": 15,
}  # fmt: skip


def arguments_of(activation: str, precision: str) -> tuple[str, ...]:
    return (*ACTIVATIONS[activation], f"training.precision={precision}")


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """The uninterrupted run of an arm."""

    @cache
    def reference(activation: str, precision: str) -> Path:
        folder = tmp_path_factory.mktemp("reference")
        code, output = finish(start(folder, *arguments_of(activation, precision), "tracking=off"))
        assert code == 0, output
        return run_folder(folder)

    return reference


def kill_once(folder: Path, arguments: tuple[str, ...], point: str, number: int, generator: random.Random) -> int:
    """Starts a run and kills it; the exit code is 0 if it had finished before."""
    if point != "seconds":
        return finish(start(folder, *arguments, trap=(point, number)))[0]
    process = start(folder, *arguments)
    time.sleep(generator.uniform(0, number))
    process.kill()
    return finish(process)[0]


@pytest.mark.parametrize("point", [("train", 14), ("save", 3)], ids=lambda point: point[0])
def test_a_killed_run_with_random_numbers_in_its_network_ends_with_the_same_bits(
    point: tuple[str, int], references: Callable[[str, str], Path], tmp_path: Path
) -> None:
    arguments = arguments_of("dropout", "float32")
    assert finish(start(tmp_path, *arguments, trap=point))[0] == KILLED
    code, output = finish(start(tmp_path, *arguments))
    assert code == 0, output
    assert "resuming at epoch" in output
    assert_equals_uninterrupted(run_folder(tmp_path), references("dropout", "float32"))


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "precision"), ARMS)
def test_runs_killed_at_random_moments_end_with_the_same_bits(
    activation: str, precision: str, references: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """Kills one run again and again; when it finishes before a kill, the next run takes its place."""
    generator, arguments = random.Random(f"{activation} {precision}"), arguments_of(activation, precision)
    folder, kills = tmp_path / "0", 0
    folder.mkdir()
    for moment in range(1, MOMENTS + 1):
        point, highest = generator.choice(sorted(POINTS.items()))
        code = kill_once(folder, arguments, point, generator.randint(1, highest), generator)
        assert code in (KILLED, 0)
        kills += code == KILLED
        if code == 0:
            assert_equals_uninterrupted(run_folder(folder), references(activation, precision))
            folder = tmp_path / str(moment)
            folder.mkdir()
    code, output = finish(start(folder, *arguments))
    assert code == 0, output
    assert_equals_uninterrupted(run_folder(folder), references(activation, precision))
    print(f"{activation} {precision}: {kills} kills at {MOMENTS} random moments")
    assert kills > 0 or MOMENTS < 3  # a run may finish before both of its moments
