"""The source code of a run: digests of its files."""

import hashlib
import json
from pathlib import Path

from activation_study import location
from activation_study.errors import BadInput
from activation_study.files import write_json

MANIFESTS_FOLDER = ".sweeps"  # in a study's folder: the digests of all files at the start of each sweep


def code_digest() -> str:
    """A SHA-256 of this package's source files."""
    digest = hashlib.sha256()
    for path in sorted(location.PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(location.PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def file_digests() -> dict[str, str]:
    """A SHA-256 of each file of the packages and of `conf/`, by its path."""
    folder = location.PACKAGE.parent
    sources = [*location.PACKAGE.rglob("*.py"), *(folder / "hydra_plugins").glob("study_*.py")]
    paths = {folder.name / path.relative_to(folder): path for path in sources}
    paths |= {"conf" / path.relative_to(location.conf_dir()): path for path in location.conf_dir().rglob("*.yaml")}
    return {name.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(paths.items())}


def write_manifest(study: Path) -> str:
    """Stores the digests of all files at the start of a sweep; returns the manifest's name, which its jobs receive."""
    digests = file_digests()
    name = hashlib.sha256(json.dumps(digests).encode()).hexdigest()[:16]
    write_json(study / MANIFESTS_FOLDER / f"{name}.json", digests)
    return name


def changed_files(study: Path, name: str) -> list[str]:
    """The files of `src/` and `conf/` that have changed since the sweep started.

    A file that was added to `conf/` is none: the sweep's configurations do not name it.

    Args:
        study: the study's folder.
        name: from `write_manifest`.

    Raises:
        BadInput: the study's folder has no such manifest.
    """
    path = study / MANIFESTS_FOLDER / f"{name}.json"
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}, the file digests from the start of the sweep, cannot be read: {error}") from error
    now = file_digests()
    added = {file for file in now.keys() - before.keys() if file.startswith("conf/")}
    return sorted(file for file in (before.keys() | now.keys()) - added if before.get(file) != now.get(file))
