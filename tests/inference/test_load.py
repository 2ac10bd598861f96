"""Finished runs for pictures: what of their data has to be there."""

from pathlib import Path

from activation_study.config.schema import resolved
from activation_study.config.scored_weights import weights_file
from activation_study.data.dataset import Dataset
from activation_study.inference.load import TrainedModel
from activation_study.records.record import Record
from activation_study.validation import from_hydra
from hydra_compose import composed


def test_pictures_need_no_file_of_groups(tmp_path: Path) -> None:
    groups = tmp_path / "groups.csv"
    groups.write_text("image,group\n" + "".join(f"scene{index:04d},{index % 4}\n" for index in range(12)))
    options = ["data=scenes", "data.count=12", "data.image_size=32", f"data.cache={tmp_path}", f"data.groups={groups}"]
    config = from_hydra(composed(options))
    digest = Dataset(config).source.digest
    run = Record("r", "s", "0" * 8, resolved(config), [], ["sky"], {"threads": 1}, {"data": digest})
    groups.unlink()
    (tmp_path / weights_file("best")).touch()
    assert TrainedModel(run, tmp_path).truth("scene0000").ndim == 2
