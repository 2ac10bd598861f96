"""Predictions in every format: the user's own ids and colours, probabilities, COCO; and images of any size."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from activation_study.data.labels.class_list import read_classes
from activation_study.data.labels.label_types import label_type_of
from activation_study.errors import BadInput
from activation_study.evaluation.strips import Strip
from activation_study.inference.inputs import NamedImage
from activation_study.inference.prediction_writer import Look, PredictionWriter, checked_formats
from activation_study.inference.side_by_side import write_side_by_side
from activation_study.palette import recorded_colors, recorded_ids, rgb
from activation_study.validation import from_hydra
from hydra_compose import composed

LOOK = Look("relu", ("sky", "road", "car"), ("#112233", "#445566", "#DDCC77"), (7, 24, 200))
PREDICTED = np.array([[0, 1, 2, 2], [2, 1, 0, 2]], np.uint8)


def image(name: str, height: int, width: int) -> NamedImage:
    return NamedImage(name, f"{name}.jpg", (np.full((height, width, 3), 100, np.uint8),))


def large(height: int, width: int) -> NDArray[np.uint8]:
    return np.broadcast_to(np.arange(height, dtype=np.uint8)[:, None] // 100 % 3, (height, width)).copy()


@pytest.mark.parametrize("last", [200, 40000], ids=["8 bits", "16 bits"])
def test_a_prediction_is_read_again_with_the_same_classes(last: int, tmp_path: Path) -> None:
    file = tmp_path / "classes.yaml"
    file.write_text(
        "classes:\n"
        "  - {name: sky, id: 7, color: '#112233'}\n"
        "  - {name: road, ids: [24, 2], color: '#445566'}\n"
        f"  - {{name: car, id: {last}}}\n"
        "unknown: [255]\n"
    )
    config = {"data": {"classes": read_classes(str(file))}}
    names = ("sky", "road", "car")
    look = Look("relu", names, tuple(recorded_colors(config, names)), tuple(recorded_ids(config, names)))
    predicted = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    with PredictionWriter(tmp_path / "run", look, ["png"]) as writer:
        writer.write(image("a", 2, 3), predicted)

    stored = Image.open(tmp_path / "run/labels/a.png")
    label = np.array(stored).astype(np.int64)
    assert label.tolist() == [[7, 24, last], [last, 24, 7]]
    if last < 256:
        assert np.array(stored.convert("RGB"))[0, 0].tolist() == list(rgb("#112233"))
    for classes in (file, tmp_path / "run/classes.yaml"):
        overrides = ["data=folder", "data.name=x", "data.images=x", "data.labels=y", f"data.classes={classes}"]
        label_type = label_type_of(from_hydra(composed(overrides)))
        assert label_type.classes == names
        np.testing.assert_array_equal(label_type.target(label), predicted)


def test_other_data_sets_have_the_ids_of_their_format() -> None:
    assert recorded_ids({"data": {}}, ("sky", "horizontal", "vertical")) == [0, 1, 2]


def test_masks_palette_overlay_and_class_list_have_the_colors_of_the_classes(tmp_path: Path) -> None:
    with PredictionWriter(tmp_path, LOOK, ["png", "color"]) as writer:
        writer.write(image("some/a", 400, 30), large(400, 30))
    palette = np.array([rgb(color) for color in LOOK.colors])
    expected = palette[large(400, 30)]
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "colors/some/a.png")), expected)
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "labels/some/a.png").convert("RGB")), expected)
    overlay = np.array(Image.open(tmp_path / "overlays/some/a.jpg")).astype(int)
    for top in (50, 150, 250, 350):  # within the areas: the mean of the image and the colour, as far as JPEG keeps it
        assert np.abs(overlay[top, 15] - (100 + expected[top, 15]) / 2).max() <= 3
    classes = read_classes(str(tmp_path / "classes.yaml"))["classes"]
    assert [(each["name"], each["color"]) for each in classes] == list(zip(LOOK.classes, LOOK.colors, strict=True))


def test_the_table_has_the_fraction_of_each_class(tmp_path: Path) -> None:
    with PredictionWriter(tmp_path, LOOK, ["color"]) as writer:
        writer.write(image("a", 2, 4), PREDICTED)
    table = (tmp_path / "class_fractions.csv").read_text()
    assert table == "image,sky,road,car\na,0.250000,0.250000,0.500000\n"


def test_probabilities_are_stored_strip_by_strip(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((2, 4, 3), np.float32)
    with PredictionWriter(tmp_path, LOOK, ["npy"]) as writer, writer.probabilities(image("b/a", 2, 4)) as keep:
        assert keep is not None
        keep(Strip(slice(0, 2), slice(0, 3), values[:, :3]))
        keep(Strip(slice(0, 2), slice(3, 4), 5 * values[:, 3:], np.full((2, 1, 1), 5, np.float32)))
    stored = np.load(tmp_path / "probabilities/b/a.npy")
    assert stored.dtype == np.float32
    np.testing.assert_allclose(stored, values, rtol=1e-6)
    assert not (tmp_path / "labels").exists()


def test_coco_is_loaded_by_pycocotools_with_the_own_ids(tmp_path: Path) -> None:
    from pycocotools.coco import COCO

    with PredictionWriter(tmp_path, LOOK, ["coco"]) as writer:
        writer.write(image("straße/a", 2, 4), PREDICTED)
        writer.write(image("b", 3, 2), np.ones((3, 2), np.uint8))
    coco = COCO(tmp_path / "coco.json")
    assert [(each["id"], each["name"]) for each in coco.loadCats(coco.getCatIds())] == [
        (7, "sky"),
        (24, "road"),
        (200, "car"),
    ]
    images = coco.loadImgs(coco.getImgIds())
    assert [(each["file_name"], each["height"], each["width"]) for each in images] == [
        ("straße/a.jpg", 2, 4),
        ("b.jpg", 3, 2),
    ]
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    label = np.zeros((2, 4), int)
    for annotation in annotations:
        label[coco.annToMask(annotation) == 1] = annotation["category_id"]
    assert label.tolist() == [[7, 24, 200, 200], [200, 24, 7, 200]]
    assert [(each["category_id"], each["area"], each["bbox"]) for each in annotations] == [
        (7, 2, [0, 0, 3, 2]),
        (24, 2, [1, 0, 1, 2]),
        (200, 4, [0, 0, 4, 2]),
    ]
    (other,) = coco.loadAnns(coco.getAnnIds(imgIds=[2]))
    assert (other["category_id"], other["area"], other["bbox"]) == (24, 6, [0, 0, 2, 3])


def test_an_interrupted_prediction_leaves_whole_files_and_no_list_of_all(tmp_path: Path) -> None:
    with PredictionWriter(tmp_path, LOOK, ["png", "coco"]) as writer:
        writer.write(image("a", 2, 4), PREDICTED)
    before = (tmp_path / "coco.json").read_text()
    (tmp_path / "labels/.tmp-killed.png").write_bytes(b"half")

    def interrupt() -> None:
        with PredictionWriter(tmp_path, LOOK, ["png", "npy", "coco"]) as writer:
            writer.write(image("a", 2, 4), PREDICTED)
            with writer.probabilities(image("a", 2, 4)):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["a.jpg", "a.png"]
    with PredictionWriter(tmp_path, LOOK, ["png", "coco"]) as writer:
        writer.write(image("a", 2, 4), PREDICTED)
    assert (tmp_path / "coco.json").read_text() == before


def test_files_of_other_formats_are_kept(tmp_path: Path) -> None:
    label_map = np.zeros((2, 3), np.uint8)
    with PredictionWriter(tmp_path, LOOK, ["png", "coco"]) as writer:
        writer.write(image("a", 2, 3), label_map)
    before = (tmp_path / "coco.json").read_text()
    with PredictionWriter(tmp_path, LOOK, ["color"]) as writer:
        assert not (tmp_path / "classes.yaml").exists()
        writer.write(image("a", 2, 3), label_map)
    assert (tmp_path / "coco.json").read_text() == before
    assert (tmp_path / "labels/a.png").exists()


def test_an_overlay_that_is_too_long_for_jpeg_is_a_png(tmp_path: Path) -> None:
    with PredictionWriter(tmp_path, LOOK, ["png"]) as writer:
        writer.write(image("wide", 4, 70_000), large(4, 70_000))
        writer.write(image("limit", 4, 65_500), large(4, 65_500))
    assert cv2.imread(str(tmp_path / "overlays/wide.png")).shape == (4, 70_000, 3)
    assert cv2.imread(str(tmp_path / "overlays/limit.jpg")).shape == (4, 65_500, 3)
    with Image.open(tmp_path / "labels/wide.png") as labels:
        assert labels.size == (70_000, 4)


def test_runs_side_by_side_are_drawn_smaller_where_the_image_is_large(tmp_path: Path) -> None:
    path = tmp_path / "side.png"
    write_side_by_side(path, image("a", 30, 9000), [LOOK, LOOK], [large(30, 9000), large(30, 9000)])
    assert cv2.imread(str(path)).shape[1] < 1200


@pytest.mark.parametrize(
    ("given", "expected"),
    [("png", ("png",)), (["png", "coco"], ("png", "coco")), (["npy", "npy"], ("npy",)), ("color", ("color",))],
)
def test_one_or_several_formats(given: object, expected: tuple[str, ...]) -> None:
    assert checked_formats(given) == expected


@pytest.mark.parametrize("given", ["jpg", ["png", "jpg"], [], 3, None, [1]])
def test_an_unknown_format_is_named_with_those_that_exist(given: object) -> None:
    with pytest.raises(BadInput, match=r"format=.*: expected png, color, npy, coco, or several of them, e\.g\."):
        checked_formats(given)


def test_coco_without_pycocotools_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pycocotools", None)
    monkeypatch.delitem(sys.modules, "pycocotools.mask", raising=False)
    with pytest.raises(BadInput, match=r"format=coco needs pycocotools .*pip install 'activation-study\[coco\]'"):
        checked_formats(["coco"])


def test_the_file_of_coco_is_valid_json_without_images(tmp_path: Path) -> None:
    with PredictionWriter(tmp_path, LOOK, ["coco"]):
        pass
    assert json.loads((tmp_path / "coco.json").read_text())["annotations"] == []
