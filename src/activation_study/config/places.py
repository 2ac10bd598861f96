"""Keys whose values are files or folders."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from activation_study.config.fields import value_of
from activation_study.errors import BadInput

# The likelier culprits of a file error first.
PLACES = (
    *("folder", "output", "pack", "unpack", "data.cache", "data.root", "data.archive", "data.images", "data.labels"),
    *("data.classes", "data.split_files", "data.groups", "data.groups_file", "write_classes", "write_groups"),
    *("model.encoder_weights", "encoder_weights", "images", "run", "runs"),
)


def expand_home(options: Any) -> None:
    """Replaces a leading ~ by the user's home folder, which a shell does only at the start of an argument.

    Args:
        options: of a command, or the configuration of a run; changed in place.
    """
    for key, value in _given(options):
        group, _, name = key.rpartition(".")
        place = value_of(options, group) if group else options
        full = expanded(value) if isinstance(value, str) else [expanded(each) for each in value]
        if isinstance(place, dict):
            place[name] = full
        else:
            setattr(place, name, full)


def empty_places(options: Any) -> Iterator[str]:
    """An error message for each key whose value is empty, as from a shell variable that is not set."""
    for key, value in _given(options):
        if isinstance(value, str) and not value.strip():
            yield f"{key}=: expected a file or folder"


def study_arguments(study: Path) -> str:
    """The arguments that name a study's folder on the command line."""
    default = study.parent.absolute() == Path("multirun").absolute()
    return f"study={study.name}" if default else f"study={study.name} folder={shlex.quote(str(study.parent))}"


def study_folder(folder: str, study: str) -> Path:
    """The folder of a study.

    Raises:
        BadInput: its path is given in place of its name.
    """
    found, path = Path(folder) / study, Path(study)
    if not found.is_dir() and path.is_dir() and path.name:
        right = f"study={shlex.quote(path.name)} folder={shlex.quote(str(path.parent))}"
        raise BadInput(f"study={study}: there is no such folder in {folder}; expected {right}")
    return found


def expanded(path: str) -> str:
    """A path whose leading ~ is replaced by the user's home folder."""
    try:
        return str(Path(path).expanduser()) if path.startswith("~") else path
    except RuntimeError:  # ~NAME without such a user
        return path


def _given(options: Any) -> Iterator[tuple[str, str | list[str]]]:
    for key in PLACES:
        with suppress(AttributeError):  # another command's key
            if isinstance(value := value_of(options, key), str | list) and value != MISSING:
                yield key, value
