"""Files and folders that cannot be used, as one message: a full disk, a missing permission, a file for a folder."""

import errno
import re
from pathlib import Path
from typing import Any

from activation_study.config.places import PLACES
from activation_study.files import TEMPORARY_PREFIX

_EXPLANATIONS = {
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "no space left in your quota",
    errno.EFBIG: "the file is larger than allowed (ulimit -f)",
    errno.ENOTDIR: "a file is where a folder is expected",
    errno.EEXIST: "a file is where a folder is expected",
    errno.EISDIR: "a folder is where a file is expected",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ELOOP: "the links lead in a circle",
    errno.ENOENT: "no such file or folder",
    errno.EMFILE: "too many open files (ulimit -n)",
}


def explain_file(error: OSError, values: dict[str, Any]) -> str | None:
    """The message for an error that the user can fix; None if it is another kind of error.

    Args:
        error: of a file operation.
        values: of the configuration, by dotted keys.
    """
    explanation = _EXPLANATIONS.get(error.errno or 0)
    if explanation is None:
        return None
    path = error.filename2 or error.filename
    if not isinstance(path, str | bytes | Path):
        return f"a file could not be written: {explanation}"
    path = Path(path.decode() if isinstance(path, bytes) else path)
    if path.name.startswith(TEMPORARY_PREFIX):  # of the file that was to be written
        path = path.with_name(re.sub(r"-[^-]*?(\.[^.]*|)$", r"\1", path.name.removeprefix(TEMPORARY_PREFIX)))
    key = _key_of(path.absolute(), values)
    fix = f"; set another place with {key}=PATH" if key else ""
    return f"{path}: {explanation}{fix}"


def _key_of(path: Path, values: dict[str, Any]) -> str | None:
    """The key whose value is the path or the longest part of it."""
    places = {key: Path(values[key]).absolute() for key in PLACES if isinstance(values.get(key), str)}
    inside = [key for key, place in places.items() if path == place or place in path.parents]
    around = [key for key, place in places.items() if path in place.parents]  # a folder above it could not be made
    return max(inside, key=lambda key: len(places[key].parts), default=next(iter(around), None))
