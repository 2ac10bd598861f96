"""`inspect_data.py … write_classes=FILE` needs labels alone: no split, no groups, no label for each image."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from activation_study.cli import commands, inspection
from activation_study.config.command_options import Inspect
from activation_study.config.registration import register
from activation_study.errors import BadInput
from hydra_compose import CONF


def propose(root: Path, monkeypatch: pytest.MonkeyPatch, *overrides: str) -> str:
    given = ["data=folder", f"data.images={root}/images", f"data.labels={root}/labels", *overrides]
    given.append(f"write_classes={root}/classes.yaml")
    register("schema", Inspect)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        composed = compose("inspect", given)
    values = SimpleNamespace(overrides=SimpleNamespace(task=given), runtime=SimpleNamespace(config_sources=[]))
    monkeypatch.setattr(inspection, "HydraConfig", SimpleNamespace(get=lambda: values))
    commands._inspect(composed)
    return (root / "classes.yaml").read_text()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for number in range(4):
        (tmp_path / f"images/{number}.jpg").write_bytes(b"not read")
        Image.fromarray(np.full((4, 4), number % 2, np.uint8)).save(tmp_path / f"labels/{number}.png")
    return tmp_path


def test_no_split_and_no_groups_are_needed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("data.split=files", f"data.split_files={root}/none", f"data.groups={root}/none.csv")
    assert "name: class1, id: 1" in propose(root, monkeypatch, *options)


def test_labels_without_their_counterpart_are_named_and_the_others_read(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "labels/3.png").unlink()
    (root / "images/2.jpg").unlink()
    assert "from 2 labels in" in propose(root, monkeypatch)
    message = capsys.readouterr().err
    assert "the 2 labels that have an image are read; the data set cannot be used yet: labels/3.png: missing" in message
    assert "labels/2.png: no image of this name" in message


def test_names_that_do_not_match_at_all_are_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (root / f"labels/{number}.png").rename(root / f"labels/x{number}.png")
    with pytest.raises((BadInput, SystemExit)):
        propose(root, monkeypatch)


def test_labels_of_another_size_than_their_image_are_named(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    orientation = Image.Exif()
    orientation[0x0112] = 6  # turned by 90°: 4×2 as viewers show it
    Image.new("RGB", (2, 4)).save(root / "images/0.jpg", exif=orientation)
    Image.new("L", (4, 2)).save(root / "labels/0.png")
    Image.new("RGB", (2, 4)).save(root / "images/1.jpg", exif=orientation)
    Image.new("L", (2, 4)).save(root / "labels/1.png")
    Image.new("RGB", (8, 8)).save(root / "images/2.jpg")
    propose(root, monkeypatch)
    message = capsys.readouterr().err
    assert "cannot be used yet: labels/1.png: 2×4 (width × height): expected 4×2, the size of its image" in message
    assert "rotated by its EXIF orientation: turn the label too" in message
    assert "labels/2.png: 4×4 (width × height): expected 8×8, the size of its image" in message
    assert "labels/0.png" not in message
