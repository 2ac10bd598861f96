"""An evaluation's folder says what was scored; a split by files, or groups, do not apply to other data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.config.command_options import Evaluate
from activation_study.config.identity import identity
from activation_study.config.schema import Config, resolved
from activation_study.data.dataset import Dataset
from activation_study.errors import BadInput
from activation_study.inference.evaluate_run import _check_content, _evaluation_config
from activation_study.inference.trained_images import warn_of_trained_images
from activation_study.records.record import Record
from activation_study.records.run import Run
from activation_study.validation import from_hydra
from hydra_compose import composed


@pytest.mark.parametrize(
    ("part", "data", "beginning", "ending"),
    [
        ("test", {}, "surfaces-relu-test-seed0-", ""),
        ("train", {}, "surfaces-relu-seed0-", "-train"),
        ("test", {"split": "shuffled"}, "surfaces-relu-test-shuffled-seed0-", ""),
        ("all", {"name": "other"}, "surfaces-relu-other-seed0-", "-all"),
    ],
)
def test_the_name_has_the_part_and_what_differs(part: str, data: dict[str, str], beginning: str, ending: str) -> None:
    config = from_hydra(composed(["data=scenes"]))
    run = Record(config.run_name, "s", identity(resolved(config)), resolved(config), [], ["sky"], {}, {"data": "d"})
    options = Evaluate(run="x", part=part, folder="multirun")
    for key, value in data.items():
        setattr(options.data, key, value)
    if "name" in data:  # another data set says all of its keys
        for key in ("format", "count", "scenes_seed"):
            setattr(options.data, key, getattr(config.data, key))
    name = _evaluation_config(run, options).run_name
    assert name.startswith(beginning)
    assert name.endswith(ending)
    assert name.removeprefix(beginning).partition("-")[0].isalnum()


def test_another_order_of_the_channels_than_in_training_is_refused() -> None:
    config = from_hydra(composed(["data=scenes", "data.channel_order=rgb"]))
    run = Record(config.run_name, "s", identity(resolved(config)), resolved(config), [], ["sky"], {}, {"data": "d"})
    options = Evaluate(run="x", folder="multirun")
    assert _evaluation_config(run, options).data.channel_order == "rgb"
    options.data.channel_order = "bgr"
    with pytest.raises(BadInput, match=r"was trained on images of data\.channel_order=rgb: expected the same"):
        _evaluation_config(run, options)


def test_other_groups_replace_those_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("image,group\na,x\n")
    config = from_hydra(composed(["data=scenes", f"data.groups={tmp_path}/groups.csv"]))
    run = Record(config.run_name, "s", identity(resolved(config)), resolved(config), [], ["sky"], {}, {"data": "d"})
    options = Evaluate(run="x", part="test", folder="multirun")
    assert _evaluation_config(run, options).data.groups_digest == config.data.groups_digest
    options.data.groups = "^(.)"
    data = _evaluation_config(run, options).data
    assert (data.groups, data.groups_file, data.groups_digest) == ("^(.)", None, None)


def test_all_images_need_no_groups(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("image,group\na,x\n")
    for groups in (f"{tmp_path}/groups.csv", "'^(.)'"):
        config = from_hydra(composed(["data=scenes", f"data.groups={groups}"]))
        run = Record(config.run_name, "s", identity(resolved(config)), resolved(config), [], ["sky"], {}, {"data": "d"})
        evaluation = _evaluation_config(run, Evaluate(run="x", part="all", folder="multirun"))
        data = evaluation.data
        assert (data.groups, data.groups_file, data.groups_digest) == (None, None, None)
        assert evaluation.run_name.startswith("surfaces-relu-seed0-")


SPLIT_FILES = {"split": "files", "split_files": "/gone", "split_digest": "0" * 16}


def other_data(part: str, recorded: dict[str, str] = SPLIT_FILES, **data: str) -> Config:
    config = from_hydra(composed(["data=scenes"]))
    values = resolved(config)
    values["data"] |= {"name": "mine", **recorded}
    run = Record(config.run_name, "s", identity(values), values, [], ["sky"], {}, {"data": "d"})
    options = Evaluate(run="x", part=part, folder="multirun")
    given = {key: getattr(config.data, key) for key in ("name", "format", "count", "scenes_seed")}
    for key, value in {**given, **data}.items():
        setattr(options.data, key, value)
    return _evaluation_config(run, options)


def test_the_names_of_another_data_sets_split_are_not_looked_for() -> None:
    with pytest.raises(BadInput, match=r"split by files, .* give data.split_files=FOLDER or data.split, or part=all"):
        other_data("test")
    assert other_data("all").data.split_files is None
    assert other_data("test", split="shuffled").data.split == "shuffled"


def test_the_folders_of_own_data_are_no_split_of_data_in_another_layout() -> None:
    own = {"format": "folder", "split": "folders"}
    with pytest.raises(BadInput, match=r"split by folders, .* give data.split_files=FOLDER or data.split, or part=all"):
        other_data("test", own)
    assert other_data("all", own).data.split == "sorted"


def test_trained_images_are_told_from_a_file_of_groups_that_has_moved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"scene{index:04d},{index % 4}\n" for index in range(12))
    for name in ("then.csv", "now.csv"):
        (tmp_path / name).write_text(f"image,group\n{rows}")
    options = ["data=scenes", "data.count=12", "data.image_size=32", f"data.cache={tmp_path}"]
    then, now = (from_hydra(composed([*options, f"data.groups={tmp_path}/{name}.csv"])) for name in ("then", "now"))
    (tmp_path / "then.csv").unlink()
    dataset = Dataset(now)
    record = Record("r", "s", "0" * 8, resolved(then), [], ["sky"], {}, {"data": dataset.source.digest})
    warn_of_trained_images(Run(record, tmp_path), now.data, dataset, dataset.split.train, "test")
    count = len(dataset.split.train)
    assert f"{count} of the {count} test images of this split were in the training part of r" in capsys.readouterr().err


@pytest.mark.parametrize("part", ["test", "all"])
def test_trained_images_are_told_in_data_to_which_images_were_added(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["data=scenes", "data.image_size=32", f"data.cache={tmp_path}"]
    then, now = (from_hydra(composed([*options, f"data.count={count}"])) for count in (12, 20))
    before, dataset = Dataset(then), Dataset(now)
    record = Record("r", "s", "0" * 8, resolved(then), [], ["sky"], {}, {"data": before.source.digest})
    hashes = tuple(before.preprocessed.image_hashes(before.split.train))
    warn_of_trained_images(Run(record, tmp_path, training_hashes=hashes), now.data, dataset, np.arange(20), part)
    assert f"{len(hashes)} of the 20 images were in the training part of r: these" in capsys.readouterr().err
    warn_of_trained_images(Run(record, tmp_path, training_hashes=hashes), now.data, dataset, np.arange(12, 20), part)
    warn_of_trained_images(Run(record, tmp_path), now.data, dataset, np.arange(20), part)  # of an earlier version
    assert capsys.readouterr().err == ""


def own_run(tmp_path: Path) -> tuple[Record, Config]:
    for folder in ("images", "labels", "new/images", "new/labels"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "classes.yaml").write_text("classes: [{name: sky, id: 0}, {name: road, id: 1}]\n")
    places = [f"data.{key}={tmp_path}/{key}" for key in ("images", "labels")]
    config = from_hydra(composed(["data=folder", "data.name=mine", *places, f"data.classes={tmp_path}/classes.yaml"]))
    values = resolved(config)
    return Record("r", "s", identity(values), values, [], ["sky", "road"], {}, {"data": "d"}), config


def test_other_data_need_a_name_of_their_own(tmp_path: Path) -> None:
    run, config = own_run(tmp_path)
    _check_content(run, config.data, "d")
    with pytest.raises(BadInput, match=r"not the data mine that r was trained on: .* data.name=NAME"):
        _check_content(run, config.data, "e")
    config.data.name = "other"
    _check_content(run, config.data, "e")


def test_a_name_is_enough_for_data_of_the_same_kind(tmp_path: Path) -> None:
    run, config = own_run(tmp_path)
    options = Evaluate(run="x", part="all", folder="multirun")
    options.data.name = "grown"
    data = _evaluation_config(run, options).data
    assert (data.name, data.images, data.classes) == ("grown", config.data.images, config.data.classes)
    scenes = from_hydra(composed(["data=scenes", "data.count=30"]))
    run = Record("r", "s", identity(resolved(scenes)), resolved(scenes), [], ["sky"], {}, {"data": "d"})
    data = _evaluation_config(run, options).data
    assert (data.name, data.format, data.count) == ("grown", "scenes", 30)
    stanford = from_hydra(composed(["data.archive=/a.tar.gz"]))
    run = Record("r", "s", identity(resolved(stanford)), resolved(stanford), [], ["sky"], {}, {"data": "d"})
    options.data.root = "elsewhere"
    data = _evaluation_config(run, options).data
    assert (data.name, data.format, data.root, data.digest) == ("grown", "iccv09", "elsewhere", None)


@pytest.mark.parametrize("tracking", [{"register": "segmenter"}, {"energy": True}, {"system_metrics": True}])
def test_how_the_run_was_tracked_does_not_matter(tracking: dict[str, Any]) -> None:
    values = resolved(from_hydra(composed(["data=scenes"])))
    values["tracking"] |= tracking
    run = Record("r", "s", identity(values), values, [], ["sky"], {}, {"data": "d"})
    now = _evaluation_config(run, Evaluate(run="x", folder="multirun")).tracking
    assert (now.register, now.energy, now.system_metrics, now.weights) == (None, False, False, "none")


def test_a_reproduction_is_evaluated_beside_its_study() -> None:
    values = resolved(from_hydra(composed(["data=scenes"])))
    run = Record("r", "s/reproductions", identity(values), values, [], ["sky"], {}, {"data": "d"})
    config = _evaluation_config(run, Evaluate(run="x", folder="multirun"))
    assert config.study == "s/reproductions/evaluations"


def test_a_name_is_enough_to_evaluate_on_other_folders(tmp_path: Path) -> None:
    run, config = own_run(tmp_path)
    options = Evaluate(run="x", part="all", folder="multirun")
    options.data.name = "other"
    options.data.images, options.data.labels = f"{tmp_path}/new/images", f"{tmp_path}/new/labels"
    data = _evaluation_config(run, options).data
    assert (data.name, data.format, data.images) == ("other", "folder", f"{tmp_path}/new/images")
    assert data.classes == config.data.classes
