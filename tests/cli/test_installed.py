"""The package as it is installed from a wheel: one command, `conf/` inside it, working in any folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cli_runner import ROOT, TINY

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's content, in a folder that comes first on the path."""
    from hatchling.builders.wheel import WheelBuilder

    folder = tmp_path_factory.mktemp("site-packages")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder)
    return folder


def command(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "activation_study", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(line, capture_output=True, text=True, cwd=folder, env=variables, timeout=600, check=False)


def test_the_wheel_has_all_packages_and_files(installed: Path) -> None:
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.j2"), *(ROOT / "src").rglob("*.txt")]:
        if "egg-info" not in str(path):
            assert (installed / path.relative_to(ROOT / "src")).is_file(), path
    for path in (ROOT / "conf").rglob("*.yaml"):
        assert (installed / "activation_study" / path.relative_to(ROOT)).is_file(), path
    assert (installed / "activation_study" / "py.typed").is_file()


def test_a_run_in_an_empty_folder_of_someone_elses_repository(installed: Path, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    result = command(installed, tmp_path, "train", *TINY, "training.epochs=1", "tracking=off")
    assert result.returncode == 0, result.stderr
    (path,) = tmp_path.glob("multirun/tiny/*/run.json")
    record = json.loads(path.read_text())
    assert record["status"] == "FINISHED"
    assert record["environment"]["git"] == {"commit": None, "branch": None, "url": None, "clean": None}
    assert record["environment"]["activation_study"] == "0.1.0"
    assert len(record["digests"]["code"]) == 64
    result = command(installed, tmp_path, "compare", "study=tiny")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "multirun/tiny/report/index.html").is_file()


def test_options_of_ones_own(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine/activation").mkdir(parents=True)
    layer = "name: celu\nlayer:\n  _target_: keras.layers.Activation\n  activation: celu\n"
    (tmp_path / "mine/activation/celu.yaml").write_text(layer)
    given = ["--config-dir", "mine", "activation=celu", "data=scenes"]
    result = command(installed, tmp_path, "train", *given, "dry_run=true")
    assert result.returncode == 0, result.stderr
    assert "celu" in result.stdout
    assert "celu" in command(installed, tmp_path, "train", "--help", "--config-dir", "mine").stdout


def test_sync_is_a_command_of_its_own(installed: Path, tmp_path: Path) -> None:
    result = command(installed, tmp_path, "sync", "study=nothing")
    assert result.returncode == 2
    assert "nothing" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("activation-study ", {"train", "compare", "sync"}),
        ("activation-study tr", {"train", "compare", "sync"}),
        ("activation-study train activation=mi", {"activation=mish"}),
        ("activation-study compare allow", {"allow_incomplete="}),
    ],
)
def test_the_shell_completes_commands_and_keys(
    installed: Path, tmp_path: Path, line: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    result = command(installed, tmp_path, "-sc", "query=bash")
    assert expected <= set(result.stdout.split()), result.stderr


def test_help_without_a_command_lists_them(installed: Path, tmp_path: Path) -> None:
    result = command(installed, tmp_path)
    assert result.returncode == 0
    for name in ("train", "compare", "reproduce", "evaluate", "predict", "export", "inspect", "sync"):
        assert f"\n  {name} " in result.stdout
    assert command(installed, tmp_path, "--version").stdout == "activation-study 0.1.0\n"
    unknown = command(installed, tmp_path, "trian")
    assert (unknown.returncode, unknown.stderr.count("\n")) == (2, 1)
    assert "did you mean train?" in unknown.stderr
