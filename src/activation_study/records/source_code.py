"""The source code of a run: digests of its files."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from activation_study import location, plugins
from activation_study.errors import BadInput
from activation_study.files import write_json

MANIFESTS_FOLDER = ".sweeps"  # in a study's folder: the digests of all files at the start of each sweep


def code_digest() -> str:
    """A SHA-256 of this package's source files."""
    digest = hashlib.sha256()
    for path in sorted(location.PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(location.PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


_LOADED = code_digest()  # of the files that this process imports


def changed_since_loaded(plugin_names: Sequence[str]) -> list[str]:
    """What this process does not have as it is in the files any more: the source code, or plug-ins."""
    return [*(["the source code"] if code_digest() != _LOADED else []), *plugins.changed(plugin_names)]


def same_code(digests: Mapping[str, str], code: str, plugin_names: Sequence[str]) -> bool:
    """Whether a run was made by the code, plug-ins included, that it would be made by now.

    Args:
        digests: of its record.
        code: `code_digest()`.
        plugin_names: `plugins` of its configuration.
    """
    return digests["code"] == code and (not plugin_names or digests.get("plugins") == plugins.digest(plugin_names))


def file_digests(plugin_names: Sequence[str] = ()) -> dict[str, str]:
    """A SHA-256 of each file of the packages, of `conf/` and of plug-ins, by its path."""
    folder = location.PACKAGE.parent
    sources = [*location.PACKAGE.rglob("*.py"), *(folder / "hydra_plugins").glob("study_*.py")]
    paths = {folder.name / path.relative_to(folder): path for path in sources}
    paths |= {"conf" / path.relative_to(location.conf_dir()): path for path in location.conf_dir().rglob("*.yaml")}
    paths |= {"plugins" / Path(name): path for name, path in plugins.sources(plugin_names).items()}
    return {name.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(paths.items())}


def write_manifest(study: Path, plugin_names: Sequence[str] = ()) -> str:
    """Stores the digests of all files at the start of a sweep; returns the manifest's name, which its jobs receive."""
    digests = file_digests(plugin_names)
    name = hashlib.sha256(json.dumps(digests).encode()).hexdigest()[:16]
    write_json(study / MANIFESTS_FOLDER / f"{name}.json", digests)
    return name


def changed_files(study: Path, name: str, plugin_names: Sequence[str] = ()) -> list[str]:
    """The files of `src/`, `conf/` and plug-ins that have changed since the sweep started.

    A file that was added to `conf/` is none: the sweep's configurations do not name it.

    Args:
        study: the study's folder.
        name: from `write_manifest`.
        plugin_names: of the run; the sweep may have more.

    Raises:
        BadInput: the study's folder has no such manifest.
    """
    path = study / MANIFESTS_FOLDER / f"{name}.json"
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}, the file digests from the start of the sweep, cannot be read: {error}") from error
    now = file_digests(plugin_names)
    added = {file for file in now.keys() - before.keys() if file.startswith("conf/")}
    packages = {place.stem for place in plugins.packages(map(plugins.module_of, plugin_names))}
    others = {file for file in before if file.startswith("plugins/") and Path(Path(file).parts[1]).stem not in packages}
    return sorted(file for file in (before.keys() | now.keys()) - added - others if before.get(file) != now.get(file))
