"""What names alone tell: whether images can be split, and are in groups, so that a dry run finds it."""

from pathlib import Path

import pytest

from activation_study.data.name_check import check_names
from activation_study.errors import BadInput
from activation_study.validation import from_hydra
from conftest import WriteIccv09
from hydra_compose import composed


def check(*options: str) -> None:
    check_names([from_hydra(composed(options)).data])


def test_groups_of_drawn_scenes_are_checked(tmp_path: Path) -> None:
    check("data=scenes", "data.count=12", "data.groups='(.)$'")
    with pytest.raises(BadInput, match="not matched, of 12 images"):
        check("data=scenes", "data.count=12", "data.groups='(1)$'")
    with pytest.raises(BadInput, match="scenes: 1 group is too few"):
        check("data=scenes", "data.groups='^(s)'")
    with pytest.raises(BadInput, match=r"data\.folds=11 with 10 groups"):
        check("data=scenes", "data.count=12", "data.groups='(.)$'", "data.split=kfold", "data.folds=11")
    (tmp_path / "groups.csv").write_text("image,group\nx,y\n")
    with pytest.raises(BadInput, match=r"scene0004 and 7 more are missing, of 12 images"):
        check("data=scenes", "data.count=12", f"data.groups={tmp_path}/groups.csv")


def test_groups_of_images_on_the_disk_are_checked(tmp_path: Path, write_iccv09: WriteIccv09) -> None:
    root = write_iccv09(tmp_path / "set", ("a_1", "a_2", "b_1", "c_1", "d"))
    check(f"data.root={root}", "data.groups='^[^_]'")
    with pytest.raises(BadInput, match="d is not matched, of 5 images"):
        check(f"data.root={root}", "data.groups='^([^_])_'")


def test_data_that_are_not_there_yet_are_skipped(tmp_path: Path) -> None:
    check(f"data.root={tmp_path}/none", "data.groups='^x'")
