"""Checks groups by the names of images alone: cheap, before anything is read."""

from collections.abc import Iterable
from pathlib import Path

from activation_study.config.schema import Data
from activation_study.data.dataset import split_names
from activation_study.data.hidden_files import is_hidden
from activation_study.errors import BadInput


def check_groups(data_sets: Iterable[Data]) -> None:
    """Checks that the images can be split by their groups; data that are not there yet are skipped.

    Raises:
        BadInput: an image is in no group, or there are too few groups.
    """
    for data in {str(data): data for data in data_sets if data.groups or data.groups_file}.values():
        names = _names(data)
        try:
            if names:
                split_names(data, names)
        except ValueError as error:
            raise BadInput(f"{data.name}: {error}") from error


def _names(data: Data) -> list[str]:
    """The names of a data set's images, sorted; empty if they are not known yet, or checked elsewhere."""
    if data.format == "scenes":
        return [f"scene{index:04d}" for index in range(data.count or 0)]
    if data.format == "iccv09" and data.root is not None:
        paths = (Path(data.root) / "images").glob("*.jpg")
        return sorted(path.stem for path in paths if not is_hidden(path.name))
    return []
