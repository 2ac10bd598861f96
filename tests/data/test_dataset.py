"""The data of a run: its split with and without duplicates, all images without a split, pixels of each class."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from activation_study.data.dataset import Dataset
from activation_study.data.iccv09 import Iccv09Folder
from activation_study.data.labels.label_types import COLOR
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from conftest import WriteIccv09
from hydra_compose import composed


def names(dataset: Dataset) -> list[set[str]]:
    return [{dataset.source.names[index] for index in part} for part in vars(dataset.split).values()]


def test_removing_duplicates_keeps_the_test_split_and_removes_its_images_from_the_others(
    stanford_root: Path, tmp_path: Path
) -> None:
    options = ["data.image_size=32", f"data.root={stanford_root}", f"data.cache={tmp_path}"]
    full = names(Dataset(from_hydra(composed([*options]))))
    cleaned = names(Dataset(from_hydra(composed([*options, "data.remove_duplicates=true"]))))
    assert [len(part) for part in full] == [429, 143, 143]
    removed = [before - after for before, after in zip(full, cleaned, strict=True)]
    assert removed == [{"6000068", "6000117"}, {"6000257"}, set()]


def test_a_part_of_which_no_image_is_left_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from activation_study.data.preprocessing import PreprocessedData

    monkeypatch.setattr(PreprocessedData, "image_hashes", lambda self, indices: ["same"] * len(indices))
    images = dataset(tmp_path, "data.remove_duplicates=true")
    with pytest.raises(BadInput, match=r"each image of the train split is a copy of one in another part"):
        _ = images.split


SCENES = ("data=scenes", "data.count=12", "data.image_size=32")


def dataset(tmp_path: Path, *options: str) -> Dataset:
    return Dataset(from_hydra(composed([*SCENES, f"data.cache={tmp_path}", *options])))


def test_a_pattern_and_a_file_of_the_same_groups_give_the_same_split(tmp_path: Path) -> None:
    by_pattern = dataset(tmp_path, "data.groups='(.)$'", "data.split=shuffled")  # the last digit
    assert by_pattern.groups is not None
    assert by_pattern.group_counts == {"train": 6, "validation": 2, "test": 2}
    rows = zip(by_pattern.source.names, by_pattern.groups, strict=True)
    (tmp_path / "groups.csv").write_text("image,group\n" + "".join(f"{name}.png,{group}\n" for name, group in rows))
    by_file = dataset(tmp_path, f"data.groups={tmp_path}/groups.csv", "data.split=shuffled")
    assert by_file.groups == by_pattern.groups
    assert names(by_file) == names(by_pattern)
    assert dataset(tmp_path).groups is None
    assert dataset(tmp_path).group_counts == {}


def test_a_given_split_that_divides_groups_is_refused_and_names_them(tmp_path: Path) -> None:
    images = dataset(tmp_path).source.names
    for part, chosen in (("train", images[:6]), ("val", images[6:9]), ("test", images[10:])):
        (tmp_path / f"{part}.txt").write_text("\n".join(chosen))
    given = ("data.split=files", f"data.split_files={tmp_path}")
    rows = [f"{image},place{number // 3}\n" for number, image in enumerate(images)]
    (tmp_path / "whole.csv").write_text("image,group\n" + "".join(rows))
    whole = dataset(tmp_path, *given, f"data.groups={tmp_path}/whole.csv")
    assert whole.group_counts == {"train": 2, "validation": 1, "test": 1}
    rows[5] = f"{images[5]},place2\n"
    (tmp_path / "divided.csv").write_text("image,group\n" + "".join(rows))
    with pytest.raises(BadInput) as error:
        dataset(tmp_path, *given, f"data.groups={tmp_path}/divided.csv").split  # noqa: B018  # made when asked for
    assert str(error.value) == (
        "The split divides groups of data.groups:\n  place2: 1 train, 3 validation\n"
        "Have each group in one of the split files, or leave it out; data.groups=null accepts the split as it is."
    )


def test_too_few_groups_and_unmatched_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"scenes: 1 group is too few .*, or data\.groups=null"):
        dataset(tmp_path, "data.groups='^.'").split  # noqa: B018
    with pytest.raises(BadInput, match="not matched, of 12 images"):
        dataset(tmp_path, "data.groups='(1)$'")


def test_all_images_need_no_split(write_iccv09: WriteIccv09, tmp_path: Path) -> None:
    root = write_iccv09(tmp_path / "data")
    options = ["data=camvid", f"data.root={root}", "data.image_size=32", f"data.cache={tmp_path}"]
    dataset = Dataset(from_hydra(composed(options)))
    assert dataset.part("all").tolist() == [0, 1]
    with pytest.raises(BadInput, match="2 images are too few for training, validation and testing: expected 5 or more"):
        dataset.part("test")


def test_files_that_change_after_the_data_set_was_opened_are_noticed(write_iccv09: WriteIccv09, tmp_path: Path) -> None:
    root = write_iccv09(tmp_path / "data")
    options = ["data=camvid", f"data.root={root}", "data.image_size=32", f"data.cache={tmp_path}"]
    dataset = Dataset(from_hydra(composed(options)))
    label = root / "labels" / "1.regions.txt"
    before = label.read_text()
    label.write_text(before.replace("1", "0"))
    with pytest.raises(BadInput, match="files of the data set changed after it was opened: restore them"):
        dataset.reject_changed_files()
    label.write_text(before)
    dataset.reject_changed_files()


def test_nothing_is_cached_of_files_that_change_while_they_are_preprocessed(
    write_iccv09: WriteIccv09, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_iccv09(tmp_path / "data")
    image = root / "images" / "2.jpg"
    before, read = image.read_bytes(), Iccv09Folder.image

    def changing(folder: Iccv09Folder, index: int) -> object:
        shutil.copy(root / "images" / "1.jpg", image)
        return read(folder, index)

    monkeypatch.setattr(Iccv09Folder, "image", changing)
    options = ["data=camvid", f"data.root={root}", "data.image_size=32", f"data.cache={tmp_path / 'cache'}"]
    with pytest.raises(BadInput, match="files of the data set changed after it was opened"):
        Dataset(from_hydra(composed(options)))
    image.write_bytes(before)
    monkeypatch.setattr(Iccv09Folder, "image", read)
    first, second = Dataset(from_hydra(composed(options))).preprocessed.images
    assert (first != second).any()


def test_all_images_have_duplicates_once_if_these_are_removed(write_iccv09: WriteIccv09, tmp_path: Path) -> None:
    root = write_iccv09(tmp_path / "data")
    shutil.copy(root / "images" / "1.jpg", root / "images" / "2.jpg")
    for removed, expected in (("true", [0]), ("false", [0, 1])):
        options = ["data=camvid", f"data.root={root}", f"data.remove_duplicates={removed}"]
        dataset = Dataset(from_hydra(composed([*options, "data.image_size=32", f"data.cache={tmp_path}"])))
        assert dataset.part("all").tolist() == expected


def test_the_pixels_of_each_class_in_the_training_images_are_counted(tmp_path: Path) -> None:
    options = ["data=scenes", "data.count=10", "data.image_size=32", f"data.cache={tmp_path}", "label_type=surfaces"]
    dataset = Dataset(from_hydra(composed(options)))
    labels = dataset.preprocessed.labels[dataset.split.train]
    assert list(dataset.training_pixels) == list(dataset.label_type.classes)
    assert list(dataset.training_pixels.values()) == [int((labels == number).sum()) for number in range(3)]
    assert sum(dataset.training_pixels.values()) == int((labels >= 0).sum())
    assert dataset.unknown_share == (labels < 0).mean()
    assert dataset.undeclared == {}


def test_undeclared_colours_that_are_unknown_are_counted_most_frequent_first(tmp_path: Path) -> None:
    mask = np.full((8, 10, 3), (128, 128, 129), np.uint8)
    mask[0], mask[1, :5] = (128, 128, 128), (0, 0, 0)
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for number in range(6):
        Image.fromarray(mask).save(tmp_path / "labels" / f"{number}.png")
        Image.fromarray(mask + np.uint8(number)).save(tmp_path / "images" / f"{number}.png")
    classes = '{name: sky, color: "#808080"}, {name: tree, color: "#808000"}'
    (tmp_path / "classes.yaml").write_text(f"classes: [{classes}]\nunknown: others\n")
    folders = [f"data.{key}={tmp_path / key}" for key in ("images", "labels")]
    options = ["data=folder", *folders, f"data.classes={tmp_path / 'classes.yaml'}", f"data.cache={tmp_path / 'cache'}"]
    dataset = Dataset(from_hydra(composed(options)))
    assert dataset.undeclared == {COLOR + 0x808081: 65 / 80, COLOR: 5 / 80}
    assert list(dataset.undeclared) == [COLOR + 0x808081, COLOR]
