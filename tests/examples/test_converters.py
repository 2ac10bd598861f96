"""The converters in examples/, each on a small sample in its format, up to a data set that can be opened."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from activation_study.data.labels.class_list import read_classes
from cli_runner import ROOT


def convert(name: str, *arguments: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(ROOT / "examples" / name), run_name="__main__")


def labels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def coco_file(folder: Path, categories: list[dict[str, object]], instances: list[dict[str, object]]) -> Path:
    content = {
        "images": [{"id": 7, "file_name": "day/a.jpg", "width": 8, "height": 6}],
        "categories": categories,
        "annotations": [{"id": number, "image_id": 7, **each} for number, each in enumerate(instances, 1)],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return folder / "instances.json"


def test_a_coco_file_becomes_label_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    square = [1, 1, 5, 1, 5, 5, 1, 5]
    crowd = {"size": [6, 8], "counts": [42, 6]}  # column by column: the last column
    path = coco_file(
        tmp_path,
        [{"id": 3, "name": "person"}, {"id": 18, "name": "dog"}],
        [
            {"category_id": 18, "segmentation": [[2, 2, 4, 2, 4, 4, 2, 4]], "area": 4, "iscrowd": 0},
            {"category_id": 3, "segmentation": [square], "area": 16, "iscrowd": 0},
            {"category_id": 3, "segmentation": crowd, "area": 6, "iscrowd": 1},
        ],
    )
    convert("coco_to_masks.py", path, tmp_path / "out", monkeypatch=monkeypatch)
    drawn = labels(tmp_path / "out/labels/day/a.png")
    expected = np.zeros((6, 8), np.uint8)
    expected[1:5, 1:5] = 3
    expected[2:4, 2:4] = 18
    expected[:, 7] = 255
    assert np.array_equal(drawn, expected)
    classes = read_classes(str(tmp_path / "out/classes.yaml"))
    assert [(each["name"], each["ids"]) for each in classes["classes"]] == [
        ("background", [0]),
        ("person", [3]),
        ("dog", [18]),
    ]
    assert classes["unknown"] == [255]


def test_a_coco_category_that_would_be_the_background_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = coco_file(tmp_path, [{"id": 0, "name": "person"}], [])
    with pytest.raises(SystemExit, match="expected category ids from 1 to 65534"):
        convert("coco_to_masks.py", path, tmp_path / "out", monkeypatch=monkeypatch)


def test_labelme_files_become_label_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = [
        {"label": "road", "shape_type": "rectangle", "points": [[0, 3], [7, 5]]},
        {"label": "car", "shape_type": "polygon", "points": [[2.2, 1.9], [4, 2], [4, 4], [2, 4]]},
        {"label": "Sign", "shape_type": "circle", "points": [[6, 1], [7, 1]]},
    ]
    content = {"imagePath": "a.jpg", "imageHeight": 6, "imageWidth": 8, "shapes": shapes}
    (tmp_path / "in/day").mkdir(parents=True)
    (tmp_path / "in/day/a.json").write_text(json.dumps(content))
    (tmp_path / "in/notes.json").write_text("{}")  # somebody else's file
    convert("labelme_to_masks.py", tmp_path / "in", tmp_path / "out", monkeypatch=monkeypatch)
    names = [each["name"] for each in yaml.safe_load((tmp_path / "out/classes.yaml").read_text())["classes"]]
    assert names == ["background", "Sign", "car", "road"]
    expected = np.zeros((6, 8), np.uint8)
    expected[3:6] = 3
    expected[2:5, 2:5] = 2
    expected[1, 5:8] = expected[0:3, 6] = 1
    assert np.array_equal(labels(tmp_path / "out/labels/day/a.png"), expected)


def test_a_labelme_shape_that_has_no_area_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = {"label": "x", "shape_type": "linestrip", "points": [[0, 0], [1, 1]]}
    (tmp_path / "a.json").write_text(json.dumps({"imageHeight": 2, "imageWidth": 2, "shapes": [shape]}))
    with pytest.raises(SystemExit, match="expected only polygon, rectangle, circle"):
        convert("labelme_to_masks.py", tmp_path, tmp_path / "out", monkeypatch=monkeypatch)


def test_camvid_gets_its_own_layout_and_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in/labels").mkdir(parents=True)
    (tmp_path / "in/images").mkdir()
    (tmp_path / "in/labels/0001TP_006690.regions.txt").write_text("0 1 2\n5 7 -1\n")
    convert("camvid_masks.py", tmp_path / "in", tmp_path / "out", monkeypatch=monkeypatch)
    assert labels(tmp_path / "out/labels/0001TP_006690_L.png").tolist() == [
        [[128, 128, 128], [128, 128, 0], [128, 64, 128]],
        [[128, 0, 0], [64, 0, 128], [0, 0, 0]],
    ]
    assert (tmp_path / "out/images").resolve() == (tmp_path / "in/images").resolve()
