"""`train.py` as a command: exit codes, messages without traceback, no heavy imports."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]


def train(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "train.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300, check=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["training.epochz=3"], "training.epochz: unknown key; did you mean training.epochs?"),
        (["training.epochs=abc"], "training.epochs=abc: expected a whole number"),
        (["activation=rellu"], "silu; did you mean relu?"),
        (["experiment=smal"], "expected one of article, controls, demo, "),
        (["seed=0,1"], "seed=0,1: multiple values require a sweep; add -m"),
        (["study=x/y"], "study=x/y: expected only letters, digits, '-', '_' and '.'"),
        (["seed=x-…"], "seed=x-… could not be parsed; quote values with special characters"),
        (["data.image_size=100"], "data.image_size=100: expected multiples of 32, e.g. [96, 96] or [128, 128]"),
        (["seed=-1"], "seed=-1: expected 0 or more"),
        (["+bogus=1"], "bogus"),
        (["bogus"], "bogus: expected KEY=VALUE; `python train.py --help` shows the keys"),
        (["-m", "seed=0,-1"], "seed=-1: expected 0 or more"),
        (["-m", "seed=0,x"], "seed=x: expected a whole number"),
        (["activation.layer._target_=os.system"], "only classes of keras.layers or"),
    ],
)
def test_bad_input_gives_one_message_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = train(*arguments, "data=scenes", "data.count=5", cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert result.stderr.count("error:") == 1
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("multirun/*"))


def test_the_option_m_is_accepted_in_any_position(tmp_path: Path) -> None:
    result = train("activation=relu,mish", "-m", "seed=0,1", "data=scenes", "dry_run=true", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "4 runs of multirun/default: 4 new" in result.stdout


def test_outside_the_environment_the_message_says_how_to_activate_it(tmp_path: Path) -> None:
    for path in sorted(ROOT.glob("*.py")):
        command = [sys.executable, "-S", "-E", str(path)]  # without site-packages
        result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
        assert result.returncode == 2, result.stderr
        assert "No module named" in result.stderr
        assert "source .venv/bin/activate" in result.stderr
        assert "Traceback" not in result.stderr


def test_without_data_and_network_the_message_gives_the_alternatives(tmp_path: Path) -> None:
    result = train("data.addresses=[http://127.0.0.1:9/x.tar.gz]", cwd=tmp_path)
    assert result.returncode == 2
    for hint in ("data/iccv09Data", "data.archive=PATH", "experiment=demo"):
        assert hint in result.stderr


def test_help_lists_groups_and_three_examples() -> None:
    result = train("--help")
    assert result.returncode == 0
    (line,) = [line for line in result.stdout.splitlines() if line.strip().startswith("activation: ")]
    assert line.strip().removeprefix("activation: ").split(", ") == sorted(
        path.stem for path in (ROOT / "conf/activation").glob("*.yaml")
    )
    assert result.stdout.count("  python train.py") >= 3


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["seed=-1"]])
def test_help_and_errors_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, runpy; sys.argv = ['train.py', *sys.argv[1:]]\n"
        "try: runpy.run_path('train.py', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([name for name in ('tensorflow', 'keras', 'mlflow', 'cv2', 'matplotlib') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
