"""A run's data: the split of the real photographs, with and without their repetitions."""

from pathlib import Path

from activation_study.data.dataset import Dataset
from activation_study.validation import from_hydra
from hydra_compose import composed


def names(dataset: Dataset) -> list[set[str]]:
    return [{dataset.source.names[index] for index in part} for part in vars(dataset.split).values()]


def test_without_duplicates_the_real_test_split_stays_and_what_it_has_is_not_trained_on(
    stanford_root: Path, tmp_path: Path
) -> None:
    options = ["data.image_size=32", f"data.root={stanford_root}", f"data.cache={tmp_path}"]
    plain = names(Dataset(from_hydra(composed([*options]))))
    clean = names(Dataset(from_hydra(composed([*options, "data.remove_duplicates=true"]))))
    assert [len(part) for part in plain] == [429, 143, 143]
    removed = [before - after for before, after in zip(plain, clean, strict=True)]
    assert removed == [{"6000068", "6000117"}, {"6000257"}, set()]
