"""The data of a run: the split of the real images, with and without duplicates."""

from pathlib import Path

from activation_study.data.dataset import Dataset
from activation_study.validation import from_hydra
from hydra_compose import composed


def names(dataset: Dataset) -> list[set[str]]:
    return [{dataset.source.names[index] for index in part} for part in vars(dataset.split).values()]


def test_removing_duplicates_keeps_the_test_split_and_removes_its_images_from_the_others(
    stanford_root: Path, tmp_path: Path
) -> None:
    options = ["data.image_size=32", f"data.root={stanford_root}", f"data.cache={tmp_path}"]
    full = names(Dataset(from_hydra(composed([*options]))))
    cleaned = names(Dataset(from_hydra(composed([*options, "data.remove_duplicates=true"]))))
    assert [len(part) for part in full] == [429, 143, 143]
    removed = [before - after for before, after in zip(full, cleaned, strict=True)]
    assert removed == [{"6000068", "6000117"}, {"6000257"}, set()]
