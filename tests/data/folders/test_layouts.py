"""Data sets in the layouts of VOC, Cityscapes and CVAT, opened with the keys that docs/how-to/own-data-*.md gives."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from activation_study.data.dataset import Dataset
from activation_study.data.folders.find_files import find_files
from activation_study.data.folders.pairing import Naming
from activation_study.data.labels.class_proposal import propose_classes
from activation_study.validation import from_hydra
from cli_runner import ROOT
from hydra_compose import composed

SIZE = (24, 32)
GUIDE = ROOT / "docs/how-to/own-data-labels.md"


def save(path: Path, values: np.ndarray, palette: list[int] | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    if palette is not None:
        image.putpalette(palette)
    image.save(path)


def photograph(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (*SIZE, 3), np.uint8)


def halves(left: int, right: int) -> np.ndarray:
    ids = np.full(SIZE, left, np.uint8)
    ids[:, SIZE[1] // 2 :] = right
    return ids


def dataset(root: Path, *overrides: str) -> Dataset:
    options = ("data=folder", "data.image_size=32", f"data.cache={root}/cache", *overrides)
    return Dataset(from_hydra(composed(options)))


def parts(data: Dataset) -> dict[str, list[str]]:
    return {part: [data.source.names[index] for index in indices] for part, indices in vars(data.split).items()}


def test_pascal_voc(tmp_path: Path) -> None:
    palette = [0, 0, 0, 128, 0, 0, 0, 128, 0, *[0] * 756, 224, 224, 192]
    for number in range(1, 8):
        save(tmp_path / f"JPEGImages/2007_{number:06}.jpg", photograph(number))
    for number in range(1, 6):  # the others have no segmentation
        ids = halves(number % 2, 2)
        ids[0] = 255
        save(tmp_path / f"SegmentationClass/2007_{number:06}.png", ids, palette)
    for part, numbers in (("train", (1, 2, 3)), ("val", (4,)), ("test", (5,))):
        path = tmp_path / f"lists/{part}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"2007_{number:06}\n" for number in numbers))
    (tmp_path / "classes.yaml").write_text(
        "classes: [{name: background, id: 0}, {name: aeroplane, id: 1}, {name: bicycle, id: 2}]\nunknown: [255]\n"
    )
    data = dataset(
        tmp_path, f"data.images={tmp_path}/JPEGImages", f"data.labels={tmp_path}/SegmentationClass",
        f"data.classes={tmp_path}/classes.yaml", "data.split=files", f"data.split_files={tmp_path}/lists",
    )  # fmt: skip
    assert parts(data) == {
        "train": ["2007_000001", "2007_000002", "2007_000003"],
        "validation": ["2007_000004"],
        "test": ["2007_000005"],
    }
    truth = data.truth(0)
    assert (truth[0, 0], truth[1, 0], truth[1, -1]) == (-1, 1, 2)


def test_cityscapes_with_the_classes_of_the_guide(tmp_path: Path) -> None:
    (classes,) = (block for block in re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.S) if "sidewalk" in block)
    (tmp_path / "classes.yaml").write_text(classes)
    for number, part in enumerate(("train", "train", "val", "test")):
        name = f"{part}/aachen/aachen_{number:06}_000019"
        save(tmp_path / f"leftImg8bit/{name}_leftImg8bit.png", photograph(number))
        save(tmp_path / f"gtFine/{name}_gtFine_labelIds.png", halves(7, 26 if number else 3))  # 3: out of roi
        save(tmp_path / f"gtFine/{name}_gtFine_color.png", photograph(number))
        (tmp_path / f"gtFine/{name}_gtFine_polygons.json").write_text("{}")
    data = dataset(
        tmp_path, f"data.images={tmp_path}/leftImg8bit", f"data.labels={tmp_path}/gtFine",
        "data.image_suffix=_leftImg8bit", "data.label_suffix=_gtFine_labelIds", f"data.classes={tmp_path}/classes.yaml",
    )  # fmt: skip
    assert len(data.label_type.classes) == 19
    assert {part: len(names) for part, names in parts(data).items()} == {"train": 2, "validation": 1, "test": 1}
    first = data.source.names.index("train/aachen/aachen_000000_000019")
    truth = data.truth(first)
    assert (data.label_type.classes[truth[0, 0]], truth[0, -1]) == ("road", -1)
    assert data.label_type.classes[data.truth(first + 1)[0, -1]] == "car"


def test_cvats_segmentation_masks_and_their_names(tmp_path: Path) -> None:
    colors = np.array([(0, 0, 0), (250, 50, 83), (51, 221, 255)], np.uint8)
    for number in range(6):
        save(tmp_path / f"photos/{number}.jpg", photograph(number))
        save(tmp_path / f"export/SegmentationClass/{number}.png", colors[halves(number % 2, 2)])
    (tmp_path / "export/labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\nroad:250,50,83::\ncar:51,221,255::\n"
    )
    images, labels = tmp_path / "photos", tmp_path / "export/SegmentationClass"
    proposal = propose_classes(labels, find_files(images, labels, Naming()).label_paths, "inspect")
    (tmp_path / "classes.yaml").write_text(proposal.text)
    names = [each["name"] for each in yaml.safe_load(proposal.text)["classes"]]
    assert sorted(names) == ["background", "car", "road"]
    data = dataset(
        tmp_path, f"data.images={images}", f"data.labels={labels}", f"data.classes={tmp_path}/classes.yaml"
    )  # fmt: skip
    truth = data.truth(1)
    assert (names[truth[0, 0]], names[truth[0, -1]]) == ("road", "car")


@pytest.mark.parametrize("name", ["coco_to_masks.py", "labelme_to_masks.py"])
def test_the_guide_names_the_converters(name: str) -> None:
    assert f"python examples/{name} " in GUIDE.read_text()
