"""The git commit that the code comes from, and the patch between it and the code that runs.

What may be part of the patch is in `code_patch.py`.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from activation_study import location
from activation_study.credentials import is_secret_name
from activation_study.records.code_patch import (
    FOLDERS,
    MAX_PATCH_SIZE,
    PINNED_VERSIONS,
    CodeChanges,
    is_code,
    publishable,
)
from activation_study.records.repository import branch_and_url

# The user's git settings must not change the format of a patch.
_DIFF = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", "--binary")


def git_state() -> dict[str, Any]:
    """The commit that the code comes from, its branch and repository, and whether the code that runs is that commit.

    An installed package comes from no commit: a repository around it is somebody else's.
    """
    unknown = {"commit": None, "branch": None, "url": None, "clean": None}
    if not location.in_clone():
        return unknown
    try:
        commit = _git("rev-parse", "HEAD").decode().strip()
        return {"commit": commit, **branch_and_url(_git), "clean": not (_changed() or _new())}
    except (OSError, subprocess.SubprocessError):
        return unknown


def code_changes() -> CodeChanges:
    """The differences from the commit, for a clone whose `git_state` isn't clean."""
    try:
        changed, new = _changed(), _new()
        left_out = [f"{name}: its name is that of a secret" for name in (*changed, *new) if is_secret_name(name)]
        changed, new = ([name for name in names if not is_secret_name(name)] for names in (changed, new))
        size = sum((location.CLONE / name).lstat().st_size for name in new)
        if size > MAX_PATCH_SIZE:
            return CodeChanges(left_out=(*left_out, _too_large(size, new)))
        patch = _diff_of_changed(changed) + _diff_of_new(new)
        if len(patch) > MAX_PATCH_SIZE:
            return CodeChanges(left_out=(*left_out, _too_large(len(patch), [*changed, *new])))
    except (OSError, subprocess.SubprocessError) as error:
        return CodeChanges(left_out=(f"the whole patch: {error}",))
    kept = publishable(patch)
    return CodeChanges(kept.patch, (*left_out, *kept.left_out))


def _changed() -> list[str]:
    """The code files that git tracks and that differ from the commit, removed ones included."""
    names = _names(_git(*_DIFF, "--name-only", "-z", "--relative", "HEAD", "--", "."))
    return [name for name in names if is_code(name) or name == PINNED_VERSIONS]


def _new() -> list[str]:
    """The code files that git neither tracks nor ignores. Links are none: they may lead out of the project."""
    root = location.CLONE
    with os.scandir(root) as entries:  # git is told what to look at, so that it doesn't walk through the data
        top = [entry.name for entry in entries if is_code(entry.name)]
    folders = [name for name in FOLDERS if (root / name).is_dir()]
    if not (top or folders):
        return []
    names = _names(_git("ls-files", "--others", "--exclude-standard", "-z", "--", *folders, *top))
    return [name for name in names if is_code(name) and (root / name).is_file() and not (root / name).is_symlink()]


def _diff_of_changed(names: Sequence[str]) -> bytes:
    return _git(*_DIFF, "--relative", "HEAD", "--", *names) if names else b""


def _diff_of_new(names: Sequence[str]) -> bytes:
    """One call of git for all of them, by a copy: with one call for each, thousands of files would take long."""
    if not names:
        return b""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a").mkdir()
        for name in names:
            target = Path(folder, "b", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(location.CLONE / name, target)
        # `a` and `b` are the prefixes of a patch's paths. The status is 1, because there is a difference.
        return _git(*_DIFF, "--no-index", "--no-prefix", "a", "b", folder=Path(folder), max_status=1)


def _too_large(size: int, names: Sequence[str]) -> str:
    largest = sorted(names, key=_size_of, reverse=True)[:3]
    listed = ", ".join(f"{name} ({_size_of(name):,} bytes)" for name in largest)
    return f"the whole patch: {size:,} bytes, expected at most {MAX_PATCH_SIZE:,}; the largest files: {listed}"


def _size_of(name: str) -> int:
    path = location.CLONE / name
    return path.lstat().st_size if os.path.lexists(path) else 0


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _git(*arguments: str, folder: Path | None = None, max_status: int = 0) -> bytes:
    # The code of this repository runs already, whoever owns it (another user ID, in a container).
    settings = ("safe.directory=*", "diff.noprefix=false", "diff.mnemonicPrefix=false", "core.quotePath=false")
    options = [option for setting in settings for option in ("-c", setting)]
    command = ["git", "--literal-pathspecs", "-C", str(folder or location.CLONE), *options, *arguments]
    result = subprocess.run(command, capture_output=True, timeout=30, check=False)
    if result.returncode > max_status:
        raise subprocess.SubprocessError(os.fsdecode(result.stderr))
    return result.stdout
