"""Data sets of plug-ins: what a class hands out is checked as a whole, converted, and digested."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study import plugins
from activation_study.config.schema import Config
from activation_study.data.dataset import Dataset
from activation_study.data.image_set import ImageSet, ReadImageSet, image_names, open_image_set
from activation_study.data.labels.label_types import label_type_of
from activation_study.data.name_check import check_names
from activation_study.data.source import current_digest, missing_data
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from hydra_compose import composed

MODULE = """
import numpy as np
from activation_study.data.dataset import Dataset
from activation_study.data.image_set import ImageSet

class Ramps(ImageSet):
    def __init__(self, root=None, count=6, fault=None):
        self.names = [f"ramp{index}" for index in reversed(range(count))]
        if fault == "folders":
            self.names = [f"{part}/ramp{index}" for part in ("train", "val", "test") for index in range(2)]
        self.root, self.fault = root, fault
        if fault == "names":
            self.names[0] = self.names[1]

    def image(self, name):
        self.asked = getattr(self, "asked", 0) + 1
        if self.fault == "image" and name == "ramp2":
            raise KeyError("no ramp2")
        if self.fault == "float":
            return np.zeros((4, 5, 3))
        shift = int(name[-1]) + (self.fault == "unstable") * self.asked
        return np.stack([np.arange(20, dtype=np.uint8).reshape(4, 5) + shift + 100 * c for c in range(3)], -1)

    def label(self, name):
        if self.fault == "size":
            return np.zeros((5, 4), int)
        if self.fault == "ids":
            return np.full((4, 5), -1)
        label = np.arange(20).reshape(4, 5) % 3
        return np.where(label == 2, 9 if self.fault == "undeclared" else 255, label)
"""
CLASSES = "data.classes={classes: [{name: a, id: 0}, {name: b, id: 1}], unknown: [255]}"


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "ramps_of_a_test.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(plugins, "_allowed", {})
    yield
    sys.modules.pop("ramps_of_a_test", None)


def configured(source: str = "", *options: str) -> Config:
    target = f"+data.source={{_target_: ramps_of_a_test.Ramps{source}}}"
    given = ("data=scenes", "label_type=own", "data.name=ramps", "data.format=plugin", CLASSES, target)
    return from_hydra(composed((*given, "plugins=[ramps_of_a_test]", *options)))


def opened(config: Config) -> ReadImageSet:
    return open_image_set(config.data, label_type_of(config))


def test_images_are_sorted_and_turned_to_bgr_and_labels_are_ids() -> None:
    config = configured()
    found = opened(config)
    assert found.names == image_names(config.data) == tuple(f"ramp{index}" for index in range(6))
    image = found.image(3)
    assert image[0, 0].tolist() == [203, 103, 3]  # blue, green, red
    assert (image.dtype, image.shape) == (np.uint8, (4, 5, 3))
    target = label_type_of(config).target(found.label(0, "own"))
    assert target[0].tolist() == [0, 1, -1, 0, 1]
    assert (found.facts(0).channels, found.facts(0).low, found.facts(0).high) == (3, 0, 219)


def test_the_digest_is_that_of_the_content() -> None:
    digest = opened(configured()).digest
    assert digest == current_digest(configured().data, label_type_of(configured()))
    assert digest != opened(configured(", count: 5")).digest
    assert digest != opened(configured(", fault: undeclared", CLASSES.replace("255", "9"))).digest


def test_only_the_root_is_that_of_the_machine() -> None:
    Path("some/where").mkdir(parents=True)
    config = configured("", "data.root=some/where")
    made: Any = opened(config).images
    assert isinstance(made, ImageSet)
    assert made.root == Path("some/where")
    assert missing_data(config.data) is None
    assert config.run_key == configured().run_key
    assert config.run_key != configured(", count: 5").run_key


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("names", "ramps: expected one name for each image, all different"),
        ("image", "ramp2: the image cannot be read: KeyError: 'no ramp2'"),
        ("float", r"ramp0: the image is float64 \[4, 5, 3\]; expected uint8 \[height, width, 3\]"),
        (
            "size",
            r"ramp0: 4×5 \(width × height\): expected 5×4, the size of its image: width and height of the label are "
            "exchanged",
        ),
        ("ids", "ramp0: the label has ids from -1 to -1; expected 0 to 65535"),
        ("undeclared", r"undeclared ids, neither of a class nor unknown, 30.00% of all pixels, in 6 of 6 labels"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_trained(fault: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        opened(configured(f", fault: {fault}"))


def test_an_image_that_changes_after_the_set_was_read_is_an_error() -> None:
    found = opened(configured(", fault: unstable"))
    with pytest.raises(BadInput, match="ramps, ramp1: the image is another one than when the data set was read"):
        found.image(1)
    found.label(1, "own")


def test_the_folders_of_names_are_the_split() -> None:
    assert configured("", "data.split=auto").data.split == "shuffled"
    config = configured(", fault: folders", "data.split=auto")
    assert config.data.split == "folders"
    split = Dataset(config).split
    assert [[image_names(config.data)[index] for index in part] for part in (split.train, split.validation)] == [
        ["train/ramp0", "train/ramp1"],
        ["val/ramp0", "val/ramp1"],
    ]
    with pytest.raises(
        BadInput, match=r"ramps has the folders test/, train/, val/, but data\.split=sorted would train"
    ):
        check_names([configured(", fault: folders", "data.split=sorted").data])


def test_a_root_that_is_not_there_is_missing_data() -> None:
    data = configured("", "data.root=not/there").data
    assert missing_data(data) == "data.root=not/there: no such file or folder"
    assert current_digest(data, label_type_of(configured())) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("+data.source.name=voc",), r"data\.source\.name: not an argument of an image set; expected data\.name"),
        (("+data.source.root=here",), r"data\.source\.root: not an argument .*; expected data\.root"),
        (("data.classes=null",), "data.classes: required with data.format=plugin"),
        (("label_type=surfaces",), "expected label_type=own with data=folder or data.format=plugin"),
        (("data.value_range=[0,4095]",), "data.value_range=.*allowed only with data=folder"),
        (("data.images=x",), "data.images: allowed only with data=folder"),
    ],
)
def test_keys_that_do_not_fit_are_refused(options: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        configured("", *options)
    without = ("data=scenes", "label_type=own", "data.format=plugin", CLASSES)
    with pytest.raises(BadInput, match=r"data\.format=plugin, data\.source\._target_=None: expected"):
        from_hydra(composed(without))
    with pytest.raises(BadInput, match=r"data\.format=scenes, data\.source\._target_=x\.Y: expected"):
        from_hydra(composed(("data=scenes", "+data.source={_target_: x.Y}")))
