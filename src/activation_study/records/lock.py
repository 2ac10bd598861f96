"""A lock for each run, so that one process at a time works on it; released when the process ends, however it ends."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from activation_study.errors import BadInput

LOCKS_FOLDER = ".locks"  # in the study's folder, because a new attempt deletes the run folder
_KEY = re.compile(r"-seed\d+-([0-9a-f]{8}(?:-\w+)?)$")
TIMEOUT = 0.5  # seconds; longer than `is_locked` holds a lock to test it
_CHANGE_TIMEOUT = 60.0  # seconds, after which a process that changes a file of a study is given up


class RunLocked(BadInput):
    """Another process is running this run."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Holds the run's lock inside the block.

    Args:
        folder: the run folder.

    Raises:
        RunLocked: another process holds the lock.
    """
    path = _lock_path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=TIMEOUT, poll_interval=TIMEOUT / 10)
    except filelock.Timeout:
        raise RunLocked(f"{folder.name}: another process is already running this run; skipping it") from None
    try:
        yield
    finally:
        if not _has_folder(folder):  # the run was not started, so leave no trace; filelock copes with a deleted file
            path.unlink(missing_ok=True)
            for empty in (path.parent, folder.parent):
                with suppress(OSError):
                    empty.rmdir()
        lock.release()


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Holds a lock inside the block, in which a file is read, changed and written; waits for other processes.

    Args:
        path: the file.

    Raises:
        BadInput: another process holds the lock for a minute.
    """
    lock_path = path.parent / LOCKS_FOLDER / f"{path.name}.lock"
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(lock_path, timeout=_CHANGE_TIMEOUT):
            yield
    except filelock.Timeout:
        raise BadInput(f"{path}: another process has been changing it for a minute; try again") from None


def is_locked(folder: Path) -> bool:
    """Whether a process is working on the run."""
    return is_held(_lock_path(folder))


def is_held(path: Path) -> bool:
    """Whether a process holds the lock of a file; tested without creating it."""
    if not path.exists():
        return False
    lock = filelock.FileLock(path)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def _lock_path(folder: Path) -> Path:
    return folder.parent / LOCKS_FOLDER / f"{key_of(folder)}.lock"


def key_of(folder: Path) -> str:
    """The identity and suffix in a run folder's name, because one run may get names with different readable parts."""
    found = _KEY.search(folder.name)
    return found[1] if found else folder.name


def _has_folder(folder: Path) -> bool:
    """Whether the run has a folder, by this or another name."""
    return folder.exists() or any(folder.parent.glob(f"*-{key_of(folder)}"))
