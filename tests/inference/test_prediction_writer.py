"""Label maps have the ids of the user's own classes and can be read again with the same classes.yaml."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from activation_study.data.class_list import read_classes
from activation_study.data.label_types import label_type_of
from activation_study.inference.prediction_writer import PredictionWriter
from activation_study.palette import recorded_colors, recorded_ids, rgb
from activation_study.validation import from_hydra
from hydra_compose import composed


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
    colors, ids = tuple(recorded_colors(config, names)), tuple(recorded_ids(config, names))
    writer = PredictionWriter(tmp_path / "run", "relu", names, colors, ids)
    predicted = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    writer.write("a", np.zeros((2, 3, 3), np.uint8), predicted)
    writer.close()

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
