"""Files and folders that cannot be used, met by whole commands: one message that names the file, no traceback."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from activation_study.validation import from_hydra
from cli_runner import ROOT, TINY
from hydra_compose import composed

pytestmark = pytest.mark.integration
# Root may write everywhere; without this capability it may not.
WITHOUT_PRIVILEGE = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") if os.getuid() == 0 else ()


def answer(
    folder: Path, *arguments: str, prepare: Callable[[], None] = lambda: None, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    script, *rest = arguments
    return subprocess.run(
        [*prefix, sys.executable, str(ROOT / script), *rest],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
        check=False,
        preexec_fn=prepare,
    )


def assert_refused(result: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert result.stderr.count("error:") == 1, result.stderr
    for part in parts:
        assert part in result.stderr


TRAIN = ("train.py", *TINY, "tracking=off")
SWEEP = ("train.py", "-m", *TINY, "tracking=off", "seed=0,1")


@pytest.mark.parametrize("command", [TRAIN, SWEEP], ids=["one run", "a sweep"])
def test_a_file_where_the_runs_go(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "multirun").write_text("a file")
    assert_refused(answer(tmp_path, *command), "multirun", "a file is where a folder is expected", "folder=PATH")


@pytest.mark.parametrize("command", [TRAIN, SWEEP], ids=["one run", "a sweep"])
def test_a_folder_that_may_not_be_written(command: tuple[str, ...], tmp_path: Path) -> None:
    if WITHOUT_PRIVILEGE and shutil.which(WITHOUT_PRIVILEGE[0]) is None:
        pytest.skip("root may write everywhere, and setpriv is missing")
    place = tmp_path / "place"
    place.mkdir(mode=0o555)
    result = answer(tmp_path, *command, f"folder={place}/multirun", prefix=WITHOUT_PRIVILEGE)
    assert_refused(result, str(place), "no permission", "folder=PATH")


def test_a_file_system_that_is_read_only(tmp_path: Path) -> None:
    assert_refused(answer(tmp_path, *TRAIN, "folder=/proc/x"), "/proc/x", "folder=PATH")


def test_files_that_may_not_grow(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    result = answer(tmp_path, *TRAIN, prepare=limit)
    assert_refused(result, "File too large")


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("not YAML", b"study: [1, 2\nseed: }", "bad.yaml"),
        ("not UTF-8", b"# @package _global_\nstudy: \xe4\n", "experiment=bad: its file is not UTF-8 text"),
        ("an unknown key", b"# @package _global_\nsed: 1\n", "sed"),
        ("a wrong type", b"# @package _global_\nseed: many\n", "seed=many: expected a whole number"),
        ("a missing option", b"# @package _global_\ndefaults:\n  - override /model: nope\n", "nope"),
        ("a broken interpolation", b"# @package _global_\nstudy: ${nope}\n", "nope"),
        ("tabs", b"# @package _global_\ndata:\n\tcount: 3\n", "bad.yaml"),
    ],
)
def test_a_broken_configuration_file(name: str, content: bytes, part: str, tmp_path: Path) -> None:
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "bad.yaml").write_bytes(content)
    result = answer(tmp_path, "train.py", "--config-dir", "mine", "experiment=bad", "data=scenes", "dry_run=true")
    assert_refused(result, part)


def test_a_folder_where_a_configuration_file_is_expected(tmp_path: Path) -> None:
    (tmp_path / "mine" / "experiment" / "bad.yaml").mkdir(parents=True)
    result = answer(tmp_path, "train.py", "--config-dir", "mine", "experiment=bad", "data=scenes", "dry_run=true")
    assert_refused(result, "bad")


def test_an_argument_that_is_not_utf_8(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable.encode(), str(ROOT / "train.py").encode(), b"study=\xe4"],
        capture_output=True,
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert result.returncode == 2
    assert b"expected UTF-8 text" in result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize("command", [TRAIN, SWEEP], ids=["one run", "a sweep"])
def test_a_file_where_one_run_goes(command: tuple[str, ...], tmp_path: Path) -> None:
    study = tmp_path / "multirun" / "tiny"
    study.mkdir(parents=True)
    (study / from_hydra(composed(TINY)).run_name).write_text("a file")
    result = answer(tmp_path, *command)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert "a file is where a folder is expected; set another place with folder=PATH" in result.stdout + result.stderr
