"""The code that a run comes from: digests of its files, git's commit, and what differs from that commit."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from activation_study.config import location
from activation_study.errors import BadInput
from activation_study.files import write_json

MANIFESTS = ".sweeps"  # in a study's folder: the files' digests at the start of each sweep
LARGEST = 2**20  # bytes of a new file that still goes into the patch


def code_digest() -> str:
    """A sha256 of this package's source files."""
    digest = hashlib.sha256()
    for path in sorted(location.PACKAGE.rglob("*.py")):
        digest.update(path.relative_to(location.PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def file_digests() -> dict[str, str]:
    """A sha256 of each file of the packages and of `conf/`, by its path."""
    folder = location.PACKAGE.parent
    sources = [*location.PACKAGE.rglob("*.py"), *(folder / "hydra_plugins").glob("study_*.py")]
    paths = {folder.name / path.relative_to(folder): path for path in sources}
    paths |= {"conf" / path.relative_to(location.conf_dir()): path for path in location.conf_dir().rglob("*.yaml")}
    return {name.as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(paths.items())}


def keep_manifest(study: Path) -> str:
    """Keeps the files' digests as they are at the start of a sweep; returns the name that its jobs are given."""
    digests = file_digests()
    name = hashlib.sha256(json.dumps(digests).encode()).hexdigest()[:16]
    write_json(study / MANIFESTS / f"{name}.json", digests)
    return name


def changed_files(study: Path, name: str) -> list[str]:
    """The files of `src/` and `conf/` that are not as they were at the start of the sweep.

    Args:
        study: its folder.
        name: from `keep_manifest`.

    Raises:
        BadInput: the study's folder has no such manifest.
    """
    path = study / MANIFESTS / f"{name}.json"
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: the files' digests at the start of the sweep cannot be read: {error}") from error
    now = file_digests()
    return sorted(file for file in before.keys() | now.keys() if before.get(file) != now.get(file))


def git_state() -> dict[str, Any]:
    """The commit that the code comes from, and whether the project's folder is that commit.

    An installed package comes from no commit: a repository around it is somebody else's.
    """
    if not location.in_clone():
        return {"commit": None, "clean": None}
    try:
        return {
            "commit": _git("rev-parse", "HEAD").decode().strip(),
            "clean": not _git("status", "--porcelain", "--", "."),
        }
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "clean": None}


def patch() -> bytes:
    """What differs from the commit, as `git apply` takes it; files that git does not know yet included."""
    try:
        parts = [_git("diff", "HEAD", "--binary", "--", ".")]
        for name in _git("ls-files", "--others", "--exclude-standard", "-z", "--", ".").split(b"\0"):
            path = location.CLONE / os.fsdecode(name)
            if name and path.is_file() and path.stat().st_size <= LARGEST:
                parts.append(_git("diff", "--no-index", "--binary", "--", "/dev/null", os.fsdecode(name), differs=True))
    except (OSError, subprocess.SubprocessError):
        return b""
    return b"".join(parts)


def _git(*arguments: str, differs: bool = False) -> bytes:
    command = ["git", "-C", str(location.CLONE), *arguments]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    if done.returncode > differs:  # --no-index says 1 for "there is a difference"
        raise subprocess.SubprocessError(os.fsdecode(done.stderr))
    return done.stdout
