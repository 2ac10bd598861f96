"""Images that `data.remove_duplicates` leaves out: which they are, and whose labels differ."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from activation_study.config.identity import identity
from activation_study.config.schema import resolved
from activation_study.data.copies import describe_copies
from activation_study.data.dataset import Dataset
from activation_study.records.record import Record
from activation_study.runs.messages import print_header
from activation_study.validation import from_hydra
from conftest import WriteIccv09
from hydra_compose import composed

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h")


def test_the_images_that_are_left_out_are_told_with_the_one_that_stays(
    write_iccv09: WriteIccv09, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_iccv09(tmp_path / "data", NAMES)
    for copy in ("c", "g"):
        shutil.copy(root / "images/a.jpg", root / f"images/{copy}.jpg")
    shutil.copy(root / "labels/g.regions.txt", root / "labels/a.regions.txt")
    options = ["data=camvid", f"data.root={root}", f"data.cache={tmp_path}", "data.image_size=32"]
    options += ["data.split=sorted", "label_type=regions"]
    dataset = Dataset(from_hydra(composed([*options, "data.remove_duplicates=true"])))
    assert dataset.copies == {0: 6, 2: 6}, "g is for testing and stays"
    assert describe_copies(dataset.copies, dataset.source.names, dataset.preprocessed.labels) == (
        "2 copies left out (data.remove_duplicates): a (of g), c (of g); their labels differ: c and g"
    )
    config = from_hydra(composed(options))
    machine = {"device": "cpu", "threads": 1}
    record = Record(
        "r", "s", identity(resolved(config)), resolved(config), [], [], machine, {}, results={"parameters": 1}
    )
    state: Any = None  # of a new training
    print_header(config, record, dataset, state)
    assert "\n  2 copies left out (data.remove_duplicates): a (of g), c (of g); " in capsys.readouterr().out
    assert not Dataset(from_hydra(composed([*options, "data.remove_duplicates=false"]))).copies


def test_one_copy_with_the_same_label_is_named_alone() -> None:
    labels = np.zeros((2, 4, 4), np.int16)
    assert describe_copies({1: 0}, ("a", "b"), labels) == "1 copy left out (data.remove_duplicates): b (of a)"
