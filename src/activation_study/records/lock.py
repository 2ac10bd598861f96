"""One process at a time works on a run: a lock that dies with its process, also on a shared file system."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from activation_study.errors import BadInput

LOCKS_FOLDER = ".locks"  # beside the runs' folders: a new attempt empties its own
SECONDS = 0.5  # longer than `is_locked` holds a lock to look at it


class RunLocked(BadInput):
    """Another process works on this run."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Holds the run's lock inside the block.

    Args:
        folder: the run's.

    Raises:
        Taken: another process has it.
    """
    path = _path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=SECONDS, poll_interval=SECONDS / 10)
    except filelock.Timeout:
        raise RunLocked(f"{folder.name}: another process is at work on this run; it is left to that one") from None
    try:
        yield
    finally:
        if not folder.exists():  # nothing came of it: no trace either; filelock sees that a locked file is gone
            path.unlink(missing_ok=True)
            for empty in (path.parent, folder.parent):
                with suppress(OSError):
                    empty.rmdir()
        lock.release()


def is_locked(folder: Path) -> bool:
    """Whether a process works on the run now."""
    path = _path(folder)
    if not path.exists():
        return False
    lock = filelock.FileLock(path)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return True
    lock.release()
    return False


def _path(folder: Path) -> Path:
    return folder.parent / LOCKS_FOLDER / f"{folder.name}.lock"
