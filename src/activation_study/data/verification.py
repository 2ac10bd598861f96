"""Verification of a data set's files: all are read and checked once, and again only after a change.

A stamp file keeps the digest of the content together with a fingerprint: path, size and modification time of all files.
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

from activation_study.console import announced_wait
from activation_study.errors import BadInput, counted
from activation_study.files import write_json

MAX_BYTES = 2**29  # per file, since files are read as a whole
WORKERS = os.cpu_count()
_STAMP_VERSION = 2

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class File:
    """A regular file: path below the root with "/" as separator, size in bytes, modification time in nanoseconds."""

    path: str
    size: int
    modified: int


@dataclass(frozen=True)
class Verified:
    """The result of a verification: all files, sorted bytewise by path; the digest of the content; the problems."""

    files: list[File]
    digest: str
    problems: list[str]


class FileTree:
    """One or more folders as a single tree of files.

    Args:
        folders: each folder by the prefix of its files' paths: `{"": root}` or `{"images/": first, "labels/": second}`.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = {prefix: folder.resolve() for prefix, folder in folders.items()}

    def absolute(self, path: str) -> Path:
        """The absolute path of a file of the tree."""
        prefix = max((prefix for prefix in self._folders if path.startswith(prefix)), key=len)
        return self._folders[prefix] / path[len(prefix) :]

    def read_bytes(self, path: str) -> bytes:
        """The content of a file. ValueError if it is larger than `MAX_BYTES`."""
        with open(self.absolute(path), "rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
        return content

    def read(self, path: str, parse: Callable[[bytes], Parsed]) -> Parsed:
        """The parsed content of a verified file.

        Raises:
            BadInput: it was damaged or removed after it was verified.
        """
        try:
            return parse(self.read_bytes(path))
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{self.absolute(path)}: {error_reason(error)}. The file was changed after it was verified. "
                "Fix it and run the same command again."
            ) from None

    def verify(
        self,
        stamps: Path,
        expected: str | None,
        find_problems: Callable[[Sequence[File]], Iterable[str]],
        layout: str = "",
    ) -> Verified:
        """Checks the tree. Reads its files only if they are new or changed.

        The digest is the SHA-256 of the lines `<sha256>  ./<path>` of all files, sorted bytewise by path. For a single
        folder this is `find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum`.

        Args:
            stamps: the folder of the stamp files.
            expected: the digest of a content known to be good, which is not parsed.
            find_problems: returns the problems in the files' names and contents.
            layout: everything else that the result of `find_problems` depends on.
        """
        files, problems = self._scan()
        roots = "\0".join(f"{prefix}\0{folder}" for prefix, folder in self._folders.items())
        stamp = stamps / (hashlib.sha256(os.fsencode(roots)).hexdigest()[:16] + ".json")
        facts = [layout, *((file.path, file.size, file.modified) for file in files)]
        fingerprint = hashlib.sha256(repr(facts).encode()).hexdigest()
        known = _read_stamp(stamp, fingerprint)
        if problems or known is None:
            with announced_wait(f"verifying {counted(len(files), 'file')}"):
                digest, unreadable = self._digest(files)
            problems, parsed = [*problems, *unreadable], False
        else:
            digest, parsed = known
        if problems or not (parsed or digest == expected):
            with announced_wait(f"reading {counted(len(files), 'file')}"):
                problems = list(dict.fromkeys([*problems, *find_problems(files)]))
            parsed = True
        if not problems and known != (digest, parsed):
            _write_stamp(stamp, {"fingerprint": fingerprint, "digest": digest, "parsed": parsed})
        return Verified(files, digest, problems)

    def _scan(self) -> tuple[list[File], list[str]]:
        """All regular files, sorted bytewise by path; everything else that is no folder is a problem."""
        files, problems = [], []
        pending = list(self._folders)
        while pending:
            prefix = pending.pop()
            try:
                with os.scandir(self.absolute(prefix)) as entries:
                    for entry in entries:
                        path = prefix + entry.name
                        status = entry.stat(follow_symlinks=False)
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(path + "/")
                        elif entry.is_file(follow_symlinks=False):
                            files.append(File(path, status.st_size, status.st_mtime_ns))
                        else:
                            problems.append(f"{printable_path(path)}: a link or device: expected a regular file")
            except OSError as error:
                problems.append(f"{printable_path(prefix) or 'the folder'}: {error_reason(error)}")
        return sorted(files, key=lambda file: os.fsencode(file.path)), sorted(problems)

    def _digest(self, files: Sequence[File]) -> tuple[str, list[str]]:
        """The digest, and a problem for each file that could not be read."""

        def line_of(file: File) -> bytes:
            try:
                with open(self.absolute(file.path), "rb") as stream:
                    return hashlib.file_digest(stream, "sha256").hexdigest().encode() + b"  ./" + os.fsencode(file.path)
            except OSError as error:
                problems.append(f"{printable_path(file.path)}: {error_reason(error)}")
                return b""

        problems: list[str] = []
        with ThreadPoolExecutor(WORKERS) as pool:
            lines = pool.map(line_of, files)
            return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest(), sorted(problems)


def is_hidden(path: str) -> bool:
    """Whether the file's name starts with a dot (`.DS_Store`); such files are not part of a data set."""
    return path.rsplit("/", 1)[-1].startswith(".")


def error_reason(error: Exception) -> str:
    """Why a file cannot be used, without its path."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def printable_path(path: str) -> str:
    """The path, escaped if its name has characters that a terminal cannot show."""
    return path if path.isprintable() else ascii(path)[1:-1]


def _read_stamp(stamp: Path, fingerprint: str) -> tuple[str, bool] | None:
    """The digest, and whether every file was parsed; None if there is no valid stamp of this fingerprint."""
    try:
        stored = json.loads(stamp.read_text(encoding="utf-8"))
        if stored["version"] == _STAMP_VERSION and stored["fingerprint"] == fingerprint:
            return str(stored["digest"]), stored["parsed"] is True
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _write_stamp(stamp: Path, values: dict[str, object]) -> None:
    with contextlib.suppress(OSError):  # on a read-only disk, the files are verified at each start
        write_json(stamp, {"version": _STAMP_VERSION, **values})
