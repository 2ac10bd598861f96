"""Runs killed with SIGKILL and started again end with the bits of a run that was never killed."""

import fcntl
import json
import os
import random
import select
import subprocess
import sys
import termios
import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from activation_study.training.loop import TIMING_METRICS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

ROOT = Path(__file__).parents[2]
KILLED = -9
TINY = (
    "data=scenes", "data.count=12", "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]",
    "model.decoder_blocks=[1]", "training.epochs=8", "training.batch_size=3", "training.checkpoint_minutes=0",
    "schedule.patience=1", "study=kills", "threads=1",
)  # fmt: skip


def start(
    folder: Path, *arguments: str, trap: tuple[str, int] | None = None, sweep: bool = False
) -> subprocess.Popen[str]:
    driver = [str(ROOT / "tests" / "kill_at.py"), trap[0], str(trap[1])] if trap else [str(ROOT / "train.py")]
    command = [sys.executable, *driver, *(["-m"] if sweep else []), *TINY, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=600)
    return process.returncode, output


def run_folder(folder: Path, start: str = "") -> Path:
    (found,) = folder.glob(f"multirun/kills/surfaces-{start}*-seed0-*")
    return found


def record(folder: Path, start: str = "") -> dict:
    return json.loads((run_folder(folder, start) / "run.json").read_text())


def bits(record: dict) -> list[dict]:
    return [{key: value for key, value in epoch.items() if key not in TIMING_METRICS} for epoch in record["epochs"]]


def assert_as_never_killed(killed: Path, never: Path) -> None:
    """Weights, confusions and epochs equal; in MLflow one run, each step once."""
    after, expected = (json.loads((run / "run.json").read_text()) for run in (killed, never))
    assert after["status"] == "FINISHED"
    assert after["digests"]["weights"] == expected["digests"]["weights"]
    assert bits(after) == bits(expected)
    scores = [{key: value for key, value in each["results"].items() if "test/" in key} for each in (after, expected)]
    assert scores[0] == scores[1]
    arrays = [np.load(run / "evaluation" / "confusions.npz")["confusions"] for run in (killed, never)]
    np.testing.assert_array_equal(*arrays)
    left = {path.name for path in killed.rglob("*") if path.name.startswith(".")}
    assert left == {".mirrored"}, "saves and half-written files are gone"
    client = MlflowClient(f"sqlite:///{killed.parents[2] / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("kills")
    found = client.search_runs([experiment.experiment_id], f"tags.`activation_study.key` = '{after['key']}'")
    (run,) = [each for each in found if each.info.run_name == killed.name]
    assert run.info.status == "FINISHED"
    for key in after["epochs"][0].keys() - {"time"}:
        history = client.get_metric_history(run.info.run_id, key)
        assert [point.step for point in history] == list(range(1, len(after["epochs"]) + 1)), key
        assert [point.value for point in history] == [epoch[key] for epoch in after["epochs"]]
    for key in scores[0]:
        assert len(client.get_metric_history(run.info.run_id, key)) == 1
    models = client.search_logged_models([experiment.experiment_id], f"source_run_id = '{run.info.run_id}'")
    assert [str(model.status) for model in models] == ["READY"]


@pytest.fixture(scope="module")
def never_killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("never")
    code, output = finish(start(folder, "activation=frelu", "tracking=off"))
    assert code == 0, output
    return run_folder(folder)


def test_a_run_killed_three_times_ends_with_the_same_bits(never_killed: Path, tmp_path: Path) -> None:
    process = start(tmp_path, "activation=frelu")  # 1: from outside, at whatever it does after its second epoch
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("multirun/kills/*/run.json"))) == 0 or len(record(tmp_path)["epochs"]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    assert finish(process)[0] == KILLED
    first = record(tmp_path)
    assert first["status"] == "RUNNING"
    assert finish(start(tmp_path, "activation=frelu", trap=("save", 2)))[0] == KILLED  # 2: half a save
    second = record(tmp_path)
    assert finish(start(tmp_path, "activation=frelu", trap=("predict", 1)))[0] == KILLED  # 3: evaluating
    code, output = finish(start(tmp_path, "activation=frelu"))
    assert code == 0, output
    assert "goes on at its evaluation" in output
    assert_as_never_killed(run_folder(tmp_path), never_killed)
    last = record(tmp_path)
    assert first["key"] == last["key"]
    for earlier in (first, second):
        assert last["epochs"][: len(earlier["epochs"])] == earlier["epochs"], "earlier records are kept"
    assert len(last["resumed"]) == 3
    assert last["resumed"][0]["epoch"] >= 2, "it went on, and did not begin anew"


def test_sigterm_and_ctrl_c_save_and_say_so(never_killed: Path, tmp_path: Path) -> None:
    for number, (name, code) in enumerate((("TERM", 143), ("INT", 130)), 1):
        process = start(tmp_path, "activation=frelu", "training.checkpoint_minutes=60")
        deadline = time.monotonic() + 120
        while (
            len(list(tmp_path.glob("multirun/kills/*/run.json"))) == 0 or len(record(tmp_path)["epochs"]) < 2 * number
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        subprocess.run(["kill", f"-{name}", str(process.pid)], check=True)
        got, output = finish(process)
        assert got == code, output
        assert f"SIG{name}: saving after this step" in output
        assert record(tmp_path)["status"] == "KILLED"
        client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
        (run,) = client.search_runs([client.get_experiment_by_name("kills").experiment_id])
        assert run.info.status == "KILLED"
    code, output = finish(start(tmp_path, "activation=frelu"))
    assert code == 0, output
    assert_as_never_killed(run_folder(tmp_path), never_killed)


def test_ctrl_c_while_the_network_is_built_ends_the_run_before_its_first_step(tmp_path: Path) -> None:
    code = (
        "import os, runpy, signal, sys\n"
        "from activation_study.runs import execute\n"
        "build = execute.build_network\n"
        "def interrupted(*arguments):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return build(*arguments)\n"
        "execute.build_network = interrupted\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    command = [sys.executable, "-c", code, str(ROOT / "train.py"), *TINY, "activation=relu", "tracking=off"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert result.returncode == 130, result.stderr
    assert "stopped before its first step; the same command goes on from here" in result.stdout
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("multirun/kills/*/run.json"))


def test_a_closed_terminal_saves(never_killed: Path, tmp_path: Path) -> None:
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
    assert_as_never_killed(run_folder(tmp_path), never_killed)


def test_a_run_that_failed_after_its_training_is_not_trained_again(never_killed: Path, tmp_path: Path) -> None:
    driver = [sys.executable, str(ROOT / "tests" / "kill_at.py"), "predict", "1-"]
    arguments = [*TINY, "activation=frelu", "training.checkpoint_minutes=60", "tracking=off"]
    failed = subprocess.run(
        [*driver, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert failed.returncode == 1, failed.stderr
    before = record(tmp_path)
    assert (before["status"], before["error"]) == ("FAILED", "OSError: [Errno 28] No space left on device")
    code, output = finish(start(tmp_path, *arguments))
    assert code == 0, output
    assert "goes on at its evaluation" in output
    after = record(tmp_path)
    assert after["key"] != before["key"], "in MLflow the failed attempt stays"
    assert bits(after) == bits(before)
    assert after["digests"]["weights"] == json.loads((never_killed / "run.json").read_text())["digests"]["weights"]
    assert not (run_folder(tmp_path) / "traceback.txt").exists()


# Each arm meets these in order, with a call drawn from 1 … the number; the last ones come at a run's end.
POINTS = (
    (("train", 6), ("save", 1), ("commit", 9), ("predict", 1)),
    (("validate", 4), ("record", 3), ("restore", 1), ("weights", 1)),
    (("commit", 9), ("train", 5), ("train", 5), ("artifact", 5)),
    (("train", 6), ("commit", 12), ("validate", 3), ("model", 1)),
    (("record", 4), ("save", 2), ("train", 4), ("close", 1)),
    (("train", 9), ("record", 2), ("commit", 9), ("commit", 25)),
)


@pytest.mark.slow
def test_runs_killed_at_random_moments_end_with_the_same_bits(tmp_path: Path) -> None:
    arms = product(("relu", "mish", "frelu"), ("float32", "mixed_bfloat16"))
    never, killed, kills = tmp_path / "never", tmp_path / "killed", 0
    never.mkdir()
    killed.mkdir()
    factors = ("activation=relu,mish,frelu", "training.precision=float32,mixed_bfloat16", "tracking=off")
    code, output = finish(start(never, *factors, sweep=True))
    assert code == 0, output
    moments = random.Random(4)
    for (activation, precision), points in zip(arms, POINTS, strict=True):
        arguments = (f"activation={activation}", f"training.precision={precision}")
        for point, highest in points:
            code, output = finish(start(killed, *arguments, trap=(point, moments.randint(1, highest))))
            assert code in (KILLED, 0), output
            kills += code == KILLED
        code, output = finish(start(killed, *arguments))
        assert code == 0, output
        done = max(killed.glob("multirun/kills/*-seed0-*"), key=lambda run: (run / "run.json").stat().st_mtime)
        assert f"surfaces-{activation}-" in done.name
        assert_as_never_killed(done, never / "multirun/kills" / done.name)
    assert kills >= 20
