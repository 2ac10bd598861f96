"""Files of a data set that came from outside: read as a whole and checked once, then opened without reading.

A stamp keeps the content's digest with a fingerprint (path, size and time of change of all files).
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from activation_study.errors import BadInput
from activation_study.files import write_json

MAX_BYTES = 2**29  # of one picture or label file: files are read as a whole
WORKERS = os.cpu_count()
_STAMP_VERSION = 2

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class File:
    """A regular file: its path below the root with "/" between the parts, bytes, time of change in nanoseconds."""

    path: str
    size: int
    changed: int


@dataclass(frozen=True)
class Verified:
    """What verification found: all files, sorted bytewise by path; the content's digest; the faults."""

    files: list[File]
    digest: str
    problems: list[str]


class FileTree:
    """Folders seen as one.

    Args:
        folders: by how the paths of their files begin: `{"": root}`, or `{"images/": one, "labels/": another}`.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = {start: folder.resolve() for start, folder in folders.items()}

    def place(self, path: str) -> Path:
        """Where a file of the tree is."""
        start = max((start for start in self._folders if path.startswith(start)), key=len)
        return self._folders[start] / path[len(start) :]

    def content(self, path: str) -> bytes:
        """A file's bytes. ValueError for more than `MAX_BYTES`."""
        with open(self.place(path), "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
        return content

    def parsed(self, path: str, parse: Callable[[bytes], Parsed]) -> Parsed:
        """What a verified file holds.

        Raises:
            BadInput: it was damaged or removed after it was verified.
        """
        try:
            return parse(self.content(path))
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{self.place(path)}: {error_reason(error)}. Start again: the folder will be verified."
            ) from None

    def verify(
        self,
        stamps: Path,
        expected: str | None,
        problems_of: Callable[[Sequence[File]], Iterable[str]],
        layout: str = "",
    ) -> Verified:
        """Checks the tree; reads its files only when they are new or changed.

        The digest is the SHA-256 of the lines `<sha256>  ./<path>` of all files, sorted bytewise by path, as made by
        `find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum` where it is one folder.

        Args:
            stamps: the folder of the stamps.
            expected: a tree of this digest is known to be good; any other one is parsed by `faults_of`.
            problems_of: what is wrong with the files, in their names or inside.
            layout: what else decides what is wrong.
        """
        files, problems = self._scan()
        roots = "\0".join(f"{start}\0{folder}" for start, folder in self._folders.items())
        stamp = stamps / (hashlib.sha256(os.fsencode(roots)).hexdigest()[:16] + ".json")
        facts = [layout, *((file.path, file.size, file.changed) for file in files)]
        fingerprint = hashlib.sha256(repr(facts).encode()).hexdigest()
        known = _read_stamp(stamp, fingerprint)
        if problems or known is None:
            digest, unreadable = self._digest(files)
            problems, parsed = [*problems, *unreadable], False
        else:
            digest, parsed = known
        if problems or not (parsed or digest == expected):
            problems = list(dict.fromkeys([*problems, *problems_of(files)]))
            parsed = True
        if not problems and known != (digest, parsed):
            _write_stamp(stamp, {"fingerprint": fingerprint, "digest": digest, "parsed": parsed})
        return Verified(files, digest, problems)

    def _scan(self) -> tuple[list[File], list[str]]:
        """All regular files, sorted bytewise by path, and what else was found, as faults."""
        files, problems = [], []
        waiting = list(self._folders)
        while waiting:
            start = waiting.pop()
            try:
                with os.scandir(self.place(start)) as entries:
                    for entry in entries:
                        path = start + entry.name
                        status = entry.stat(follow_symlinks=False)
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(path + "/")
                        elif entry.is_file(follow_symlinks=False):
                            files.append(File(path, status.st_size, status.st_mtime_ns))
                        else:
                            problems.append(f"{printable_path(path)}: a link or device: expected a regular file")
            except OSError as error:
                problems.append(f"{printable_path(start) or 'the folder'}: {error_reason(error)}")
        return sorted(files, key=lambda file: os.fsencode(file.path)), sorted(problems)

    def _digest(self, files: Sequence[File]) -> tuple[str, list[str]]:
        """The digest, and the files that could not be read, as faults."""

        def line(file: File) -> bytes:
            try:
                with open(self.place(file.path), "rb") as stream:
                    return hashlib.file_digest(stream, "sha256").hexdigest().encode() + b"  ./" + os.fsencode(file.path)
            except OSError as error:
                problems.append(f"{printable_path(file.path)}: {error_reason(error)}")
                return b""

        problems: list[str] = []
        with ThreadPoolExecutor(WORKERS) as pool:
            lines = pool.map(line, files)
            return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest(), sorted(problems)


def is_hidden(path: str) -> bool:
    """File managers leave such files (`.DS_Store`): they are no part of the data."""
    return path.rsplit("/", 1)[-1].startswith(".")


def error_reason(error: Exception) -> str:
    """Why a file cannot be used."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def printable_path(path: str) -> str:
    """A path that every terminal can show, whatever bytes its name has."""
    return path if path.isprintable() else ascii(path)[1:-1]


def _read_stamp(stamp: Path, fingerprint: str) -> tuple[str, bool] | None:
    """Digest, and whether every file was parsed; None if unknown, changed or damaged."""
    try:
        kept = json.loads(stamp.read_text(encoding="utf-8"))
        if kept["version"] == _STAMP_VERSION and kept["fingerprint"] == fingerprint:
            return str(kept["digest"]), kept["parsed"] is True
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _write_stamp(stamp: Path, kept: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # a read-only disk: the folder is verified at every start
        write_json(stamp, {"version": _STAMP_VERSION, **kept})
