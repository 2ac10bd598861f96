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
        (["activation=rellu"], "softplus; did you mean relu?"),
        (["experiment=smal"], "expected one of activations, article, "),
        (["seed=0,1"], "seed=0,1: multiple values require a sweep; add -m to `python train.py`"),
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


BASIC = ("hydra.sweeper._target_=hydra._internal.core_plugins.basic_sweeper.BasicSweeper",
         "+hydra.sweeper.max_batch_size=null")  # fmt: skip


@pytest.mark.parametrize("key", ["dry_run", "sync"])
@pytest.mark.parametrize("others", [("hydra/sweeper=basic",), BASIC, (*BASIC, "hydra/launcher=joblib")])
def test_with_another_sweeper_a_plan_is_refused_and_nothing_trains(
    key: str, others: tuple[str, ...], tmp_path: Path
) -> None:
    result = train("-m", "seed=0,1", "data=scenes", f"{key}=true", *others, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith(f"error: {key}=true needs hydra/sweeper=study, the default; ")
    errors = [line for line in result.stderr.splitlines() if line.startswith("error:")]
    assert len(set(errors)) == 1, "both of joblib's processes may say it"
    assert "Traceback" not in result.stderr  # joblib's resource tracker may warn when its processes end at once
    assert not list(tmp_path.glob("multirun/*/*/"))


def test_each_of_several_experiments_is_planned_with_its_own_sweep(tmp_path: Path) -> None:
    scenes = ("data=scenes", "dry_run=true")
    for arguments, expected in (
        (["-m", "experiment=demo,small"], "54 runs of multirun/demo, multirun/small: 54 new"),
        (["-m", "experiment=demo,small", "seed=0"], "9 runs of multirun/demo, multirun/small: 9 new"),
        (["-m", "experiment=demo", "seed=5,6,7"], "9 runs of multirun/demo: 9 new"),
        (["-m", "experiment=glob([demo,sm*])", "activation=elu"], "18 runs of multirun/demo, multirun/small: 18 new"),
    ):
        result = train(*arguments, *scenes, cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert expected in result.stdout
        assert result.stdout.endswith("Dry run: nothing was started.\n")


def test_one_experiment_at_a_time_is_composed(tmp_path: Path) -> None:
    for argument, message in (
        ("experiment=[demo,small]", "experiment=[demo,small]: expected one experiment; `-m experiment=demo,small`"),
        (
            "experiment=demo,small",
            "experiment=demo,small: multiple values require a sweep; add -m to `python",
        ),
        ("+experiment=small", "+experiment=small: the group has an option already; replace it with experiment=small"),
    ):
        result = train(argument, "dry_run=true", cwd=tmp_path)
        assert result.returncode == 2
        assert message in result.stderr


def test_a_group_of_the_users_own_may_sweep_for_itself(tmp_path: Path) -> None:
    (tmp_path / "my/protocol").mkdir(parents=True)
    (tmp_path / "my/protocol/seeds.yaml").write_text(
        "# @package _global_\ndefaults: [/protocol/article]\nhydra: {sweeper: {params: {seed: '3,4'}}}\n"
    )
    options = ("--config-dir", "my", "-m", "protocol=seeds,article_with/flip", "data=scenes", "dry_run=true")
    assert "3 runs of multirun/default: 3 new" in train(*options, cwd=tmp_path).stdout


@pytest.mark.parametrize("sweep", [(), ("-m", "seed=0,1")])
def test_a_dry_run_names_missing_data_and_says_that_nothing_was_started(sweep: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "classes.yaml").write_text("classes: [{name: a, id: 0}, {name: b, id: 1}]\n")
    own = ("data=folder", "data.images=none", "data.labels=none", "data.classes=classes.yaml")
    for data, problem in (
        (("data.archive=none.tar.gz",), "data.archive=none.tar.gz: no such file"),
        (("data=camvid",), "data.root=data/camvid: no such folder, and data.archive=PATH is not given"),
        (own, "data.images=none: no such folder"),
    ):
        result = train(*sweep, *data, "dry_run=true", cwd=tmp_path)
        assert result.returncode == 2, result.stdout
        assert f"error: Data are missing:\n  {problem}\n" in result.stderr
    result = train(*sweep, "data=scenes", "dry_run=true", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.endswith("Dry run: nothing was started.\n")


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
