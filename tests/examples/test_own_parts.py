"""Parts from outside of this project: what docs/how-to/own-parts.md says is run as it stands, on tiny data."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cli_runner import ROOT, command

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs/how-to/own-parts.md").read_text(encoding="utf-8")
TINY = ("data.count=12", "data.image_size=32", "training.epochs=2", "tracking=off", "threads=1")
SMALL = ("model.widths=[4,6]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]")


def write_files(section: str, folder: Path) -> None:
    """Writes the files that a section of the page shows."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    for name, content in re.findall(r"^`(my_[a-z_/]+\.(?:py|yaml))`:\n\n```\w+\n(.*?)^```", text, re.M | re.S):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def arguments(section: str) -> list[str]:
    """The arguments of the command of a section."""
    text = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    (line,) = re.findall(r"^python train\.py (.*)$", text, re.M)
    return shlex.split(line)


@pytest.mark.parametrize(
    ("section", "arm", "further"),
    [
        ("An optimizer", "sign_sgd", SMALL),
        ("A loss", "brier", SMALL),
        ("A network", "two_scales", ()),
    ],
)
def test_a_part_of_one_s_own_is_compared(section: str, arm: str, further: tuple[str, ...], tmp_path: Path) -> None:
    write_files(section, tmp_path)
    result = command(tmp_path, "train.py", *arguments(section), *TINY, *further, COLUMNS="250")
    assert result.returncode == 0, result.stderr + result.stdout
    assert "On surfaces (scenes, 2 seeds): " in result.stdout
    assert f"│ {arm} " in result.stdout
    (folder,) = tmp_path.glob(f"multirun/*/surfaces-*{arm}*seed0-*")
    record = json.loads((folder / "run.json").read_text())
    assert len(record["digests"]["plugins"]) == 64
    assert record["config"]["plugins"] == [arguments(section)[2].removeprefix("plugins=[").removesuffix("]")]


def test_a_data_set_of_one_s_own_is_trained_on_and_reproduced_where_it_is_allowed(tmp_path: Path) -> None:
    write_files("A data set", tmp_path)
    tiny = ("training.epochs=2", "tracking=off", "threads=1", "data.source.count=12")
    result = command(tmp_path, "train.py", *arguments("A data set"), *tiny, *SMALL, COLUMNS="250")
    assert result.returncode == 0, result.stderr + result.stdout
    assert "On discs (2 seeds): " in result.stdout
    (folder,) = tmp_path.glob("multirun/discs/own-mish-*seed0-*")
    run, more = (
        f"run={folder.relative_to(tmp_path)}",
        ("data.name=more_discs", "data.source={first: 1000, count: 20}", "part=all"),
    )
    refused = command(tmp_path, "reproduce.py", run)
    assert (refused.returncode, "uses plugins=[my_parts.data], which is code from" in refused.stderr) == (2, True)
    reproduced = command(tmp_path, "reproduce.py", run, "plugins=[my_parts.data]")
    assert "identical: 2 epochs" in reproduced.stdout, reproduced.stderr
    scored = command(tmp_path, "evaluate.py", run, "plugins=[my_parts.data]", *more)
    assert scored.returncode == 0, scored.stderr
    with np.load(next(folder.parent.glob("evaluations/*/evaluation/confusions.npz"))) as arrays:
        assert arrays["names"].tolist() == [f"disc{index:04d}" for index in range(1000, 1020)]
    other = (tmp_path / "my_parts/data.py").read_text().replace("scale=20", "scale=30")
    (tmp_path / "my_parts/data.py").write_text(other)
    changed = command(tmp_path, "reproduce.py", run, "plugins=[my_parts.data]")
    assert changed.returncode == 1, changed.stderr
    assert "data" in changed.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package installed in it, and one run that uses it all."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    shutil.copytree(ROOT / "examples/my-parts", source)
    pip = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target")
    subprocess.run([sys.executable, *pip, str(folder / "site"), str(source)], check=True)
    return folder


def run_installed(folder: Path, *further: str, script: str = "train.py") -> subprocess.CompletedProcess[str]:
    return command(folder, script, *further, PYTHONPATH=str(folder / "site"), KERAS_BACKEND="tensorflow")


@pytest.fixture(scope="module")
def finished(installed: Path) -> Path:
    given = [each.replace("examples/", f"{ROOT}/examples/") for each in arguments("An installed package")]
    local = tuple(each for each in TINY if each != "tracking=off")
    result = run_installed(installed, *given, *local, "study=parts", "evaluation.batch_size=4")
    assert result.returncode == 0, result.stderr + result.stdout
    (folder,) = installed.glob("multirun/parts/surfaces-snake-seed0-*")
    return folder


def test_an_installed_package_is_reproduced_where_it_is_allowed(installed: Path, finished: Path) -> None:
    run = f"run={finished.relative_to(installed)}"
    refused = run_installed(installed, run, script="reproduce.py")
    assert refused.returncode == 2
    plugins = "plugins=[my_parts.layers,my_parts.losses,my_parts.metrics,my_parts.networks]"
    assert f"uses {plugins}, which is code from outside of this project" in refused.stderr
    allowed = run_installed(installed, run, "plugins=[snake,poly,plain,areas]", script="reproduce.py")
    assert allowed.returncode == 0, allowed.stderr + allowed.stdout


def test_a_metric_is_a_result_and_its_counts_are_kept_and_checked(installed: Path, finished: Path) -> None:
    record = json.loads((finished / "run.json").read_text())
    assert 0 <= record["results"]["test/area_error"] <= 1
    with np.load(finished / "evaluation/confusions.npz") as arrays:
        true, predicted = np.moveaxis(arrays["area_error"], -1, 0)
    expected = (np.abs(predicted - true).sum(axis=1) / (2 * true.sum(axis=1))).mean()
    assert record["results"]["test/area_error"] == pytest.approx(expected)
    given = ("study=parts", "pictures=false")
    for plugins in ([], ["plugins=[areas]"]):
        compared = run_installed(installed, *given, *plugins, script="compare.py")
        assert compared.returncode == 0, compared.stderr
    original = (finished / "run.json").read_text()
    (finished / "run.json").write_text(original.replace(f'"test/area_error": {expected}', '"test/area_error": 0.5'))
    changed = run_installed(installed, *given, "plugins=[areas]", script="compare.py")
    (finished / "run.json").write_text(original)
    assert "results.test/area_error: recorded 0.5, recomputed" in changed.stderr


def test_the_logged_model_has_the_layers_source(installed: Path, finished: Path) -> None:
    load = (
        "import glob, sys, mlflow, numpy as np\n"
        "(path,) = glob.glob('mlruns/1/models/*/artifacts')\n"
        "model = mlflow.pyfunc.load_model(path)\n"
        "print(model.predict(np.zeros((1, 32, 32, 3), np.float32)).shape, 'my_parts' in sys.modules)\n"
    )
    without_package = subprocess.run(
        [sys.executable, "-c", load], cwd=installed, capture_output=True, text=True, check=False
    )
    assert without_package.stdout.splitlines()[-1] == "(1, 32, 32, 3) True", without_package.stderr


def test_changed_source_is_named_by_the_plan_and_the_reproduction(installed: Path, finished: Path) -> None:
    path = installed / "site/my_parts/losses.py"
    path.write_text(path.read_text() + "\n# changed\n")
    run = f"run={finished.relative_to(installed)}"
    result = run_installed(installed, run, "plugins=[snake,poly,plain,areas]", script="reproduce.py")
    assert "plugins (then" in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        ("[nothing.here]", "plugins=[nothing.here]: there is no such module"),
        ("[]", "loss._target_=my_parts.losses.Brier: only classes of "),
    ],
)
def test_what_is_missing_is_said(plugins: str, message: str, tmp_path: Path) -> None:
    write_files("A loss", tmp_path)
    given = ["--config-dir=my_conf", f"plugins={plugins}", "loss=brier", "data=scenes"]
    result = command(tmp_path, "train.py", *given, *TINY)
    assert result.returncode == 2
    assert message in result.stderr
