"""The proposal of classes from label images of every kind, which is a valid classes file."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image, ImageFilter

from activation_study.data.labels.class_list import read_classes
from activation_study.data.labels.class_proposal import Proposal, propose_classes
from activation_study.data.labels.common_colors import nearest_name
from activation_study.errors import BadInput

SQUARE = np.zeros((40, 40), np.uint8)
SQUARE[10:30, 10:30] = 1
SQUARE[15:20, 15:20] = 2
COLORS = np.array([(128, 128, 128), (128, 0, 0), (0, 0, 255)], np.uint8)


def propose(root: Path, *masks: np.ndarray | Image.Image) -> tuple[Proposal, dict]:
    (root / "labels").mkdir()
    for number, mask in enumerate(masks):
        (mask if isinstance(mask, Image.Image) else Image.fromarray(mask)).save(root / "labels" / f"{number}.png")
    proposal = propose_classes(root / "labels", sorted((root / "labels").glob("*.*")), "inspect")
    read_classes(content := yaml.safe_load(proposal.text))
    return proposal, content


def test_colours_are_proposed_with_their_shares_most_frequent_first(tmp_path: Path) -> None:
    proposal, content = propose(tmp_path, COLORS[SQUARE], COLORS[SQUARE // 2])
    assert [entry["color"] for entry in content["classes"]] == ["#808080", "#800000", "#0000FF"]
    assert [entry["name"] for entry in content["classes"]] == ["class0", "class1", "class2"]
    assert (proposal.classes, proposal.read_by, proposal.set_apart) == (3, "colors", 0)
    assert '{name: class1, color: "#800000"} # 12.50%, 2 labels' in proposal.text  # 375 and 25 of 2 · 1600
    assert '{name: class2, color: "#0000FF"} # 0.78%, 1 label' in proposal.text


def test_ids_are_proposed_in_their_order_and_255_as_unknown(tmp_path: Path) -> None:
    proposal, content = propose(tmp_path, np.where(SQUARE == 2, 255, SQUARE + 3).astype(np.uint8))
    assert [entry["id"] for entry in content["classes"]] == [3, 4]
    assert content["unknown"] == [255]
    assert (proposal.classes, proposal.read_by) == (2, "ids")


def test_a_mask_of_0_and_255_has_two_classes(tmp_path: Path) -> None:
    _, content = propose(tmp_path, (SQUARE > 0).astype(np.uint8) * 255)
    assert [entry["id"] for entry in content["classes"]] == [0, 255]


def test_indexed_masks_have_ids_and_the_colours_of_their_palette(tmp_path: Path) -> None:
    image = Image.fromarray(SQUARE)
    image.putpalette(COLORS.tobytes())
    _, content = propose(tmp_path, image)
    assert content["classes"][2] == {"name": "class2", "id": 2, "color": "#0000FF"}


def test_indexed_masks_with_palettes_of_their_own_are_read_by_colours(tmp_path: Path) -> None:
    first, second = Image.fromarray(SQUARE), Image.fromarray(2 - SQUARE)
    first.putpalette(COLORS.tobytes())
    second.putpalette(COLORS[::-1].tobytes())
    proposal, content = propose(tmp_path, first, second)
    assert proposal.read_by == "colors"
    assert [entry["color"] for entry in content["classes"]] == ["#808080", "#800000", "#0000FF"]


@pytest.mark.parametrize("damage", ["smooth", "jpeg"])
def test_smoothed_edges_and_artefacts_are_set_apart(damage: str, tmp_path: Path) -> None:
    image = Image.fromarray(COLORS[np.kron(SQUARE, np.ones((16, 16), np.uint8))])
    if damage == "smooth":
        image = image.filter(ImageFilter.GaussianBlur(0.7))
    else:
        image.save(tmp_path / "mask.jpg", quality=92)
        image = Image.open(tmp_path / "mask.jpg").convert("RGB")
    proposal, content = propose(tmp_path, image)
    assert content["classes"][0]["color"] == "#808080"
    assert damage == "jpeg" or len(content["classes"]) == 3
    assert content["unknown"] == "others"
    assert proposal.set_apart > 3


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("labelmap.txt", "# label:color_rgb:parts:actions\nroad:128,128,128::\nbig car:128,0,0::\nno:1,2,3::\n"),
        ("label_colors.txt", "128 128 128\tRoad\n128 0 0\t\tBig car\n1 2 3 no\n"),
        ("class_dict.csv", "name,r,g,b\nRoad,128,128,128\nBig car, 128, 0, 0\nno,1,2,3\n"),
    ],
)
def test_names_come_from_a_list_of_colours_beside_the_labels(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(text)
    proposal, content = propose(tmp_path, COLORS[SQUARE])
    assert [entry["name"].lower() for entry in content["classes"]] == ["road", "big car", "class2"]
    assert '# - {name: "no", color: "#010203"} # in no label' in proposal.text


@pytest.mark.parametrize("name", ["null", "on", "No", "yes", "true", "OFF", "Straße", "road", "unknown"])
def test_proposed_names_are_read_back_as_they_are(name: str, tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text(f"{name}:128,128,128::\n", encoding="utf-8")
    (tmp_path / "classes.yaml").write_text(propose(tmp_path, COLORS[SQUARE])[0].text, encoding="utf-8")
    names = [entry["name"] for entry in read_classes(str(tmp_path / "classes.yaml"))["classes"]]
    assert names == ["unknown2" if name == "unknown" else name, "class1", "class2"]


def test_255_beside_ids_that_are_no_numbers_of_classes_is_a_class(tmp_path: Path) -> None:
    proposal, content = propose(tmp_path, np.array([0, 128, 255], np.uint8)[SQUARE])
    assert [entry["id"] for entry in content["classes"]] == [0, 128, 255]
    assert content["unknown"] == []
    assert "255 is often unknown" in proposal.text


def test_pictures_are_refused(tmp_path: Path) -> None:
    blocks = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    with pytest.raises(BadInput, match=r"400 colours in 1 label; expected 2 to 255 colours\. Are these the images"):
        propose(tmp_path, np.kron(blocks, np.ones((4, 4, 1), np.uint8)))


def test_rare_black_without_a_name_is_unknown_and_rare_classes_are_named(tmp_path: Path) -> None:
    mask = COLORS[np.kron(SQUARE // 2, np.ones((5, 5), np.uint8))]
    mask[0, 0], mask[0, 1] = (0, 0, 0), (0, 255, 0)
    proposal, content = propose(tmp_path, mask)
    assert [entry["color"] for entry in content["classes"]] == ["#808080", "#800000", "#00FF00"]
    assert content["unknown"] == ["#000000"]
    assert proposal.classes == 3
    assert 'unknown: ["#000000"] # less than 0.01%, 1 label; rare black usually means unknown' in proposal.text
    assert '"#00FF00"} # less than 0.01%, 1 label; lime; rare: is it a class?\n' in proposal.text


def test_black_with_a_name_or_with_many_pixels_is_a_class(tmp_path: Path) -> None:
    (tmp_path / "labelmap.txt").write_text("background:0,0,0::\n")
    mask = COLORS[SQUARE]
    mask[0, 0] = 0
    _, content = propose(tmp_path, mask)
    assert "background" in [entry["name"] for entry in content["classes"]]
    (tmp_path / "other").mkdir()
    proposal, content = propose(tmp_path / "other", np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255)], np.uint8)[SQUARE])
    assert "#000000" in [entry["color"] for entry in content["classes"]]
    assert "; black is often unknown" in proposal.text


def test_rare_black_beside_smoothed_edges_is_among_the_others(tmp_path: Path) -> None:
    large = COLORS[np.kron(SQUARE, np.ones((16, 16), np.uint8))]
    mask = np.array(Image.fromarray(large).filter(ImageFilter.GaussianBlur(0.7)))
    mask[5:8, 5:8] = 0
    proposal, content = propose(tmp_path, mask)
    assert [entry["color"] for entry in content["classes"]] == ["#808080", "#800000", "#0000FF"]
    assert content["unknown"] == "others"
    assert '# "#000000": less than 0.01%, 1 label; rare black usually means unknown, as others do\n' in proposal.text


@pytest.mark.parametrize(
    ("color", "name"),
    [(0x808080, "grey"), (0x800000, "maroon"), (0x804080, "purple"), (0x828180, "grey"), (0x4682B4, "sky blue")],
)
def test_colours_are_named_by_the_nearest_common_one(color: int, name: str) -> None:
    assert nearest_name(color) == name
