"""Predictions of other images are not mixed with new ones."""

from pathlib import Path

import pytest

from activation_study.errors import BadInput
from activation_study.inference.inputs import Images
from activation_study.inference.predict import check_earlier_predictions


@pytest.fixture
def output(tmp_path: Path) -> Path:
    labels = tmp_path / "run" / "labels" / "street"
    labels.mkdir(parents=True)
    for name in ("a.png", "b.1.png"):
        (labels / name).touch()
    return tmp_path


def images(*names: str) -> Images:
    return Images({name: Path(name) for name in names})


def test_the_same_images_and_more_are_predicted_again(output: Path) -> None:
    check_earlier_predictions(output, [output / "run"], images("street/a", "street/b.1", "street/c"))
    check_earlier_predictions(output, [output / "another run"], images("x"))


def test_label_maps_of_other_images_are_named(output: Path) -> None:
    with pytest.raises(BadInput, match=r"has predictions of other images: .*/run/labels/street/b\.1\.png; choose"):
        check_earlier_predictions(output, [output / "run"], images("street/a"))
    with pytest.raises(BadInput, match=r"a\.png and 1 more; choose another output=FOLDER, or delete it"):
        check_earlier_predictions(output, [output / "run"], images("a"))
