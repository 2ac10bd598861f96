"""The commands of docs/how-to/own-data-example.md: masks, classes, a sweep, its report, and a reproduction."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from cli_runner import ROOT, command
from conftest import WriteIccv09

# raised by MLflow 3.17 with SQLAlchemy 2.1
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

TINY = (
    "data.image_size=32", "model.widths=[4,6]", "model.encoder_blocks=[1,1]", "model.decoder_blocks=[1]",
    "training.epochs=1", "training.batch_size=3", "threads=1",
)  # fmt: skip


PAGE = (ROOT / "docs/how-to/own-data-example.md").read_text()
OWN = (
    "data=folder", "data.name=camvid", "data.images=camvid/images", "data.labels=camvid/labels",
    "data.label_suffix=_L", "data.classes=camvid/classes.yaml", "data.groups=^([^_]+)_", "data.split=shuffled",
    "study=camvid", *TINY,
)  # fmt: skip


def commands(program: str) -> list[list[str]]:
    """The arguments of each of the page's commands of this program."""
    joined = [block.replace("\\\n", " ") for block in re.findall(r"```bash\n(.*?)```", PAGE, re.S)]
    lines = [shlex.split(line) for block in joined for line in block.splitlines()]
    return [line[1:] for line in lines if line[:2] == ["python", program]]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, write_iccv09: WriteIccv09) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("own")
    write_iccv09(folder / "iccv09Data", tuple(f"film{number // 2}_{number}" for number in range(10)), (24, 32))
    ((script, *arguments),) = commands("examples/camvid_masks.py")
    converted = command(folder, str(ROOT / script), *arguments)
    assert converted.returncode == 0, converted.stderr
    (shown,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.S) if "name: sky" in block)
    assert (folder / "camvid/classes.yaml").read_text() == shown
    for arguments in commands("inspect_data.py"):
        inspected = command(folder, *arguments)
        assert inspected.returncode == 0, inspected.stderr
    assert "data.groups='^([^_]+)_' keeps it whole" in " ".join(inspected.stdout.split())
    (arguments,) = commands("train.py")
    assert set(OWN) - set(TINY) <= set(arguments)
    varied = ("protocol=modern", "activation=relu,mish", "seed=0,1")
    result = command(folder, *arguments, "model=unet", *TINY, *varied)
    assert result.returncode == 0, result.stderr + result.stdout
    return folder, result.stdout


def test_name_and_classes_appear_in_record_mlflow_and_report(sweep: tuple[Path, str]) -> None:
    from mlflow import MlflowClient

    folder, output = sweep
    assert re.search(r"camvid\W+own\W+mish\W+2\W", output)
    names = ["sky", "tree", "road", "building", "foreground object"]
    for path in folder.glob("multirun/camvid/own-*/run.json"):
        record = json.loads(path.read_text())
        assert record["classes"] == names
        classes = record["config"]["data"]["classes"]["classes"]
        assert [entry["color"] for entry in classes] == ["#808080", "#808000", "#804080", "#800000", "#400080"]
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("camvid").experiment_id], "params.data = 'camvid'")
    assert len(runs) == 4
    assert "test/iou/foreground object" in runs[0].data.metrics
    page = (folder / "multirun/camvid/report/index.html").read_text()
    for text in ("camvid", *names, "5 groups"):
        assert text in page


def test_a_run_on_own_data_is_reproduced(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    original = next(folder.glob("multirun/camvid/own-relu-seed1-*"))
    shutil.move(folder / "camvid/labels", folder / "moved")  # as on another machine
    try:
        result = command(folder, "reproduce.py", f"run={original}", "data.labels=moved")
    finally:
        shutil.move(folder / "moved", folder / "camvid/labels")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "identical" in result.stdout


def test_other_data_are_refused_before_anything_starts(sweep: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "project"
    shutil.copytree(sweep[0], folder)
    own = (*OWN, "tracking=off")
    assert "already finished" in command(folder, "train.py", *own).stdout
    added = [(folder / "camvid/images/film0_more.jpg"), (folder / "camvid/labels/film0_more_L.png")]
    for path in added:
        shutil.copy(path.with_name(path.name.replace("more", "1")), path)
    before = {path: path.stat().st_mtime_ns for path in folder.glob("multirun/**/*") if path.is_file()}
    for arguments in (
        (), ("dry_run=true",), ("seed=7",), ("-m", "activation=relu,mish", "seed=0,1"), ("-m", "activation=elu,silu"),
        ("-m", "activation=elu,silu", "dry_run=true"), ("rerun=all",), ("-m", "seed=0,1", "rerun=all"),
    ):  # fmt: skip
        result = command(folder, "train.py", *own, *arguments)
        assert result.returncode == 2, (arguments, result.stdout)
        assert "error: Other data: runs on different contents of one data set cannot be compared" in result.stderr
        assert re.search("own-mish-seed0-[0-9a-f]{8}: camvid had the content [0-9a-f]{12}, now ", result.stderr)
        assert ("own-relu-seed0" in result.stderr) == ("rerun=all" not in arguments)
        assert "rerun=all; or give the new data a study of their own: study=NAME." in result.stderr
        assert "Traceback" not in result.stderr
    assert {path: path.stat().st_mtime_ns for path in folder.glob("multirun/**/*") if path.is_file()} == before
    everything = ("-m", "activation=relu,mish", "seed=0,1", "rerun=all", "dry_run=true")
    for arguments in (everything, ("study=other", "dry_run=true"), ("data.name=more", "dry_run=true")):
        assert command(folder, "train.py", *own, *arguments).returncode == 0
    for path in added:
        path.unlink()
    assert "already finished" in command(folder, "train.py", *own).stdout
    for part in ("images", "labels"):
        shutil.rmtree(folder / "camvid" / part)
    assert "already finished" in command(folder, "train.py", *own).stdout, "finished runs need no data"


def test_invalid_data_is_refused_before_the_sweep_trains(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    (folder / "classes.yaml").write_text('classes: [{name: a, color: "#808080"}, {name: b, color: "#808000"}]\n')
    for classes, problem in (
        ("none.yaml", "data.classes=none.yaml: No such file"),
        ("classes.yaml", "undeclared colours"),
    ):
        result = command(folder, "train.py", *OWN, "study=refused", f"data.classes={classes}")
        assert result.returncode == 2
        assert problem in result.stderr
        assert "Traceback" not in result.stderr
        assert not (folder / "multirun/refused").is_dir() or not list(folder.glob("multirun/refused/*/run.json"))
