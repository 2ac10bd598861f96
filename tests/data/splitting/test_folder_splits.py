"""The split that the first folders of the names give, and what becomes of it under other splits."""

from pathlib import Path

import pytest

from activation_study import outcome
from activation_study.config.schema import Config
from activation_study.data.name_check import check_names
from activation_study.data.splitting.folder_splits import automatic_split, part_of, split_by_folders
from activation_study.errors import BadInput
from activation_study.runs import execute
from activation_study.validation import from_hydra
from hydra_compose import composed


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(outcome, "_warnings", [])
    Path("classes.yaml").write_text("classes: [{name: a, id: 0}, {name: b, id: 1}]\n")


def write(*folders: str) -> None:
    for part, suffix in (("images", "jpg"), ("labels", "png")):
        for folder in folders:
            for number in range(3):
                path = Path(part, folder, f"{number}.{suffix}")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"")


def config(*overrides: str) -> Config:
    places = ("data.images=images", "data.labels=labels", "data.classes=classes.yaml")
    return from_hydra(composed(["data=folder", *places, *overrides]))


def test_the_first_folder_of_a_name_is_its_part_in_any_case() -> None:
    names = ("Train/1", "TRAINING/2", "val/3", "valid/4", "Validation/5", "test/6", "testing/sub/7", "extra/8", "train")
    parts = ["train", "train", *["validation"] * 3, "test", "test", None, None]
    assert [part_of(name) for name in names] == parts
    split = split_by_folders(names)
    assert [indices.tolist() for indices in vars(split).values()] == [[0, 1], [2, 3, 4], [5, 6]]


def test_a_missing_part_is_refused_with_the_ways_out() -> None:
    with pytest.raises(BadInput) as error:
        split_by_folders(["train/1", "train/2", "val/1"])
    message = str(error.value)
    assert "no folder test/ or testing/, only train/ (2 images), val/ (1 image)" in message
    assert "data.split=files data.split_files=FOLDER" in message
    assert "data.split=shuffled" in message


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (("train", "val", "test"), "folders"),
        (("Training", "Testing"), "folders"),  # refused later, because there is nothing to validate on
        (("train",), "shuffled"),
        (("berlin", "paris"), "shuffled"),
        ((".train", ".test"), "shuffled"),
    ],
)
def test_auto_is_the_folders_where_they_are_parts(folders: tuple[str, ...], expected: str) -> None:
    write(*folders)
    run = config("data.split=auto")
    assert run.data.split == expected
    assert run.run_key == config(f"data.split={expected}").run_key, "a record has what auto stands for"


def test_auto_reads_patterns_and_split_files() -> None:
    for part in ("train", "test"):
        Path(f"all/{part}/images").mkdir(parents=True)
    assert automatic_split("all/*/images") == "folders"
    assert automatic_split("none") == automatic_split(None) == "shuffled"
    for name in ("train", "val", "test"):
        Path(f"{name}.txt").write_text("a" + name)
    assert config("data.split=auto", "data.split_files=.").data.split == "files"
    assert from_hydra(composed(["data=scenes", "data.split=auto"])).data.split == "shuffled"


def test_folders_are_refused_for_other_data() -> None:
    with pytest.raises(BadInput, match=r"data\.split=folders with data\.format=scenes: allowed only with data=folder"):
        from_hydra(composed(["data=scenes", "data.split=folders"]))
    with pytest.raises(BadInput, match=r"data\.label_suffix: allowed only with data=folder"):
        from_hydra(composed(["data=scenes", "data.label_suffix=_L"]))


def test_the_sorted_split_never_trains_on_a_folder_of_test_images() -> None:
    write("train", "val", "test")
    with pytest.raises(
        BadInput, match=r"data\.split=sorted would train on images of each of them\. data\.split=folders"
    ):
        check_names([config("data.split=sorted").data])


def test_a_single_run_refuses_it_too_unless_it_is_a_reproduction(monkeypatch: pytest.MonkeyPatch) -> None:
    write("train", "val", "test")
    run = config("data.split=sorted", "tracking=off")
    with pytest.raises(BadInput, match=r"data\.split=sorted would train on images of each of them"):
        execute.run(run, [])
    assert not (run.run_folder / "run.json").exists()
    monkeypatch.setattr(execute, "_execute", lambda *arguments: "trained")
    run.suffix = "-1"
    assert execute.run(run, []) == "trained"


@pytest.mark.parametrize("split", ["shuffled", "kfold"])
def test_a_split_that_mixes_the_folders_is_named_once(split: str) -> None:
    write("train", "val", "test")
    data = config(f"data.split={split}").data
    check_names([data])
    check_names([data])
    (warning,) = outcome.kept_warnings()
    assert warning.startswith(f"data.split={split} ignores the folders test/, train/, val/ of images")


def test_folders_beside_those_of_the_parts_are_left_out_and_named() -> None:
    write("train", "val", "test", "extra")
    Path("images/more").mkdir()
    Path("images/more/1.jpg").write_bytes(b"")  # needs no label
    check_names([config("data.split=folders").data])
    assert outcome.kept_warnings() == [
        "data.split=folders leaves out 4 images beside the folders of the parts: extra/ (3), more/ (1)"
    ]


def test_names_alone_tell_that_images_cannot_be_split_or_lack_labels() -> None:
    write("train", "test")
    with pytest.raises(BadInput, match=r"no folder val/, valid/ or validation/, only test/ \(3 images\), train/"):
        check_names([config("data.split=folders").data])
    Path("labels/train/0.png").unlink()
    with pytest.raises(BadInput, match=r"labels/train/0\.png: missing"):
        check_names([config("data.split=shuffled").data])
    check_names([config("data.images=none").data])  # said elsewhere
