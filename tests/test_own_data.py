"""The commands of docs/how-to/own-data-example.md: labels, a sweep, its report, and a reproduction."""

import json
import re
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


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs/how-to/own-data-example.md").read_text(), re.S)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory, write_iccv09: WriteIccv09) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("own")
    write_iccv09(folder / "iccv09Data", tuple(f"frame {number}" for number in range(10)), (24, 32))
    (script,) = blocks("python")
    (folder / "convert.py").write_text(script)
    converted = command(folder, str(folder / "convert.py"), "iccv09Data", "camvid")
    assert converted.returncode == 0, converted.stderr
    (classes,) = (block for block in blocks("yaml") if "foreground object" in block)
    classes = classes.replace("unknown: [255]", "unknown: [3, 4, 6, 255]")  # the random labels have all ids
    (folder / "camvid/classes.yaml").write_text(classes)
    result = command(
        folder, "train.py", "-m", "data=folder", "data.name=camvid", "data.images=iccv09Data/images",
        "data.labels=camvid/labels", "data.classes=camvid/classes.yaml", "study=camvid", *TINY,
        "activation=relu,mish", "seed=0,1",
    )  # fmt: skip
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
        assert [entry["ids"] for entry in record["config"]["data"]["classes"]["classes"]] == [[0], [1], [2], [5], [7]]
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("camvid").experiment_id], "params.data = 'camvid'")
    assert len(runs) == 4
    assert "test/iou/foreground object" in runs[0].data.metrics
    page = (folder / "multirun/camvid/report/index.html").read_text()
    for text in ("camvid", *names, "#F0E442"):
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
    own = (
        "data=folder", "data.name=camvid", "data.images=iccv09Data/images", "data.labels=camvid/labels",
        "data.classes=camvid/classes.yaml", "study=camvid", "tracking=off", *TINY,
    )  # fmt: skip
    assert "already finished" in command(folder, "train.py", *own).stdout
    added = [(folder / "iccv09Data/images/more.jpg"), (folder / "camvid/labels/more.png")]
    for path in added:
        shutil.copy(path.with_stem("frame 1"), path)
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
    shutil.rmtree(folder / "iccv09Data")
    assert "already finished" in command(folder, "train.py", *own).stdout, "finished runs need no data"


def test_invalid_data_is_refused_before_the_sweep_trains(sweep: tuple[Path, str]) -> None:
    folder, _ = sweep
    overrides = ["data=folder", "data.images=iccv09Data/images", "data.labels=camvid/labels", "study=refused", *TINY]
    for classes, problem in (("none.yaml", "data.classes=none.yaml: No such file"), ("classes.yaml", "undeclared ids")):
        (folder / "classes.yaml").write_text("classes: [{name: a, id: 0}, {name: b, id: 1}]\n")
        result = command(folder, "train.py", *overrides, f"data.classes={classes}")
        assert result.returncode == 2
        assert problem in result.stderr
        assert "Traceback" not in result.stderr
        assert not (folder / "multirun/refused").is_dir() or not list(folder.glob("multirun/refused/*/run.json"))
