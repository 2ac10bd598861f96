"""Checks of data that need names alone: cheap, before anything is read or planned in vain."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from activation_study.config.schema import OWN_FORMATS, Data
from activation_study.data.dataset import split_names
from activation_study.data.folders.find_files import find_files
from activation_study.data.folders.hidden_files import is_hidden
from activation_study.data.image_set import image_names
from activation_study.data.source import missing_data, naming_of
from activation_study.data.splitting.folder_splits import first_folders, has_part_folders, left_out_folders
from activation_study.errors import BadInput, examples
from activation_study.outcome import kept_warnings, warn


def check_names(data_sets: Iterable[Data]) -> None:
    """Checks whether images can be split, and whether own ones have labels; data that are not there are skipped.

    Warns of folders that look like a split but are not used as one, and of images that the folders leave out.

    Raises:
        BadInput: the files do not fit together, or cannot be split, or an image is in no group.
    """
    for data in {str(data): data for data in data_sets}.values():
        if data.format in OWN_FORMATS:
            if missing_data(data) is None:
                _check_own(data)
        elif data.groups or data.groups_file:
            _check_split(data, _expected_names(data))


def _check_own(data: Data) -> None:
    left_out: Sequence[str] = ()
    if data.format == "plugin":
        names: Sequence[str] = image_names(data)
    else:
        found = find_files(Path(str(data.images)), Path(str(data.labels)), naming_of(data))
        found.reject(found.problems)
        names, left_out = found.pairing.names, found.pairing.left_out
    folders = first_folders(names)
    if has_part_folders(folders) and data.split in ("sorted", "shuffled", "kfold"):
        _handle_unused_folders(data, folders)
    _check_split(data, names)
    if data.split == "folders" and (message := left_out_folders([*names, *left_out])):
        _warn_once(message)


def _check_split(data: Data, names: Sequence[str]) -> None:
    try:
        if names:
            split_names(data, names)
    except ValueError as error:
        raise BadInput(f"{data.name}: {error}") from error


def _expected_names(data: Data) -> list[str]:
    """The names of the images of a known layout, sorted; empty if they are not there yet."""
    if data.format == "scenes":
        return [f"scene{index:04d}" for index in range(data.count or 0)]
    paths = (Path(str(data.root)) / "images").glob("*.jpg")
    return sorted(path.stem for path in paths if not is_hidden(path.name))


def _handle_unused_folders(data: Data, folders: list[str]) -> None:
    """Refuses or names a split of the data that the configuration does not use."""
    there = examples([f"{folder}/" for folder in folders], 5)
    if data.split == "sorted":
        raise BadInput(
            f"{data.images or data.name} has the folders {there}, but data.split=sorted would train on images of each "
            "of them. data.split=folders takes them as training, validation and test images; data.split=shuffled "
            "mixes them on purpose."
        )
    _warn_once(
        f"data.split={data.split} ignores the folders {there} of {data.images or data.name} and mixes their images; "
        "data.split=folders takes them as the split"
    )


def _warn_once(message: str) -> None:
    if message not in kept_warnings():
        warn(message)
