"""Tells other processes of this machine that a sweep is going on, even between its runs."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import filelock

from activation_study.records.lock import is_held
from activation_study.records.source_code import MANIFESTS_FOLDER


@contextmanager
def sweep_locks(studies: Sequence[Path]) -> Iterator[None]:
    """Holds a lock of this process in each study's folder inside the block; several sweeps may share a study."""
    paths = [study / MANIFESTS_FOLDER / f"{os.uname().nodename}-{os.getpid()}.lock" for study in studies]
    with ExitStack() as stack:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.callback(path.unlink, missing_ok=True)
            stack.enter_context(filelock.FileLock(path))
        yield


def is_swept(study: Path) -> bool:
    """Whether a sweep of this machine is going on in a study's folder."""
    return any(is_held(path) for path in (study / MANIFESTS_FOLDER).glob("*.lock"))
