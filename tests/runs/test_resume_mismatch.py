"""Changes since a run or a sweep started are listed, and it continues only if they are allowed."""

import json
import subprocess
from pathlib import Path

import pytest

from activation_study.records.source_code import file_digests
from cli_runner import command

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TINY = (
    "data=scenes", "data.count=12", "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]",
    "model.decoder_blocks=[1]", "training.epochs=4", "training.batch_size=3", "training.checkpoint_minutes=0",
    "study=tiny", "threads=1", "tracking=off",
)  # fmt: skip


def train(
    folder: Path, *arguments: str, trap: tuple[str, str] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    driver = ("tests/kill_at.py", *trap) if trap else ("train.py",)
    return command(folder, *driver, *arguments, **environment)


def record(folder: Path) -> dict:
    (path,) = folder.glob("multirun/tiny/*/run.json")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run, killed in its third epoch."""
    folder = tmp_path_factory.mktemp("killed")
    assert train(folder, *TINY, trap=("train", "8")).returncode == -9
    assert len(record(folder)["epochs"]) == 2
    return folder


def test_an_interrupted_run_is_not_resumed_with_other_variables_that_decide_arithmetic(killed: Path) -> None:
    before = record(killed)
    rejected = train(killed, *TINY, TF_ENABLE_ONEDNN_OPTS="0", ONEDNN_MAX_CPU_ISA="AVX2")
    assert rejected.returncode == 2, rejected.stdout + rejected.stderr
    assert "ONEDNN_MAX_CPU_ISA (then not set, now AVX2), TF_ENABLE_ONEDNN_OPTS (then not set, now 0)" in rejected.stderr
    assert "(unset ONEDNN_MAX_CPU_ISA; unset TF_ENABLE_ONEDNN_OPTS)" in rejected.stderr
    assert record(killed) == before


def test_an_interrupted_run_is_not_resumed_with_other_threads_unless_allowed(killed: Path) -> None:
    before = record(killed)
    rejected = train(killed, *TINY, "threads=2")
    assert rejected.returncode == 2
    assert "cannot be resumed reproducibly: threads (then 1, now 2). " in rejected.stderr
    for hint in ("rerun=all", "allow_changes=true"):
        assert hint in rejected.stderr
    assert record(killed) == before
    plan = train(killed, *TINY, "dry_run=true")
    name = before["name"]
    assert f"{name}: its process died (killed? Ctrl-C twice? out of memory?) after epoch 2; it resumes" in plan.stdout
    assert "1 run of multirun/tiny: 1 resume" in plan.stdout
    compared = command(killed, "compare.py", "study=tiny")
    assert f"{name}: its process died (killed? Ctrl-C twice? out of memory?) after epoch 2" in compared.stderr
    allowed = train(killed, *TINY, "threads=2", "allow_changes=true")
    assert allowed.returncode == 0, allowed.stderr
    assert (
        f"{name}: its process died (killed? Ctrl-C twice? out of memory?) after epoch 2; it is resumed"
        in allowed.stdout
    )
    after = record(killed)
    assert after["status"] == "FINISHED"
    assert after["changes"] == ["threads (then 1, now 2)"]
    assert after["epochs"][:2] == before["epochs"]
    assert len(after["epochs"]) == 4
    from_scratch = train(killed, *TINY, "rerun=all")
    assert from_scratch.returncode == 0, from_scratch.stderr
    assert record(killed)["key"] != after["key"]
    assert record(killed)["changes"] == record(killed)["resumed"] == []


@pytest.mark.parametrize(
    ("point", "where"),
    [
        ("train", "in epoch 1: try a smaller training.batch_size (now 3), a smaller data.image_size (now 32×32)"),
        ("predict", "in the evaluation: try a smaller evaluation.batch_size (now "),
    ],
)
def test_a_lack_of_memory_is_named_with_what_helps(point: str, where: str, tmp_path: Path) -> None:
    failed = train(tmp_path, *TINY, "training.epochs=1", trap=(point, "1~"))
    assert failed.returncode == 1
    error = record(tmp_path)["error"]
    assert error.startswith(f"out of memory {where}")
    assert error.endswith(" (MemoryError: std::bad_alloc)")
    assert f"failed: {error} (traceback in" in failed.stdout
    assert "std::bad_alloc" in next(tmp_path.glob("multirun/tiny/*/traceback.txt")).read_text()


def test_a_lack_of_memory_before_the_first_step_is_named_without_a_traceback(tmp_path: Path) -> None:
    failed = train(tmp_path, *TINY, trap=("build", "1~"))
    assert failed.returncode == 2
    assert "out of memory before its first step: try a smaller training.batch_size (now 3)" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_code_change_during_a_sweep_rejects_the_job_and_names_the_file(tmp_path: Path) -> None:
    digests = file_digests()
    digests["conf/activation/mish.yaml"] = "0" * 64
    manifest = tmp_path / "multirun/tiny/.sweeps/00ff.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps(digests))
    rejected = train(tmp_path, *TINY, "sweep.code='00ff'")
    assert rejected.returncode == 2
    assert "files have changed since the sweep started: conf/activation/mish.yaml." in rejected.stderr
    assert not list(tmp_path.glob("multirun/tiny/*/run.json"))
    allowed = train(tmp_path, *TINY, "sweep.code='00ff'", "allow_changes=true")
    assert allowed.returncode == 0, allowed.stderr
    assert record(tmp_path)["changes"] == ["changed since the sweep started: conf/activation/mish.yaml"]
