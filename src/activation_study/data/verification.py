"""Verification of a data set's files: all are read and checked once, and again only after a change.

A stamp file keeps the digest of the content together with a fingerprint: path, size and modification time of all files.
"""

import contextlib
import hashlib
import json
import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from activation_study.console import announced_wait
from activation_study.data.folders.hidden_files import is_hidden
from activation_study.errors import BadInput, counted
from activation_study.files import write_json

MAX_BYTES = 2**29  # per file, since files are read as a whole
MAX_ENTRIES = 5_000_000  # of a tree, since links can lead to the same folders again and again
WORKERS = os.cpu_count()
_STAMP_VERSION = 2

Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class File:
    """A regular file.

    Args:
        path: below the root with "/" as separator.
        size: in bytes.
        modified: the modification time in nanoseconds.
        identity: device and inode if a link leads to it, since a link may be changed to lead elsewhere.
    """

    path: str
    size: int
    modified: int
    identity: tuple[int, int] | None = None


@dataclass(frozen=True)
class Verified:
    """The result of a verification: the digest of the content, and the problems."""

    digest: str
    problems: list[str]


class FileTree:
    """One or more folders as a single tree of files.

    Args:
        folders: each folder by the prefix of its files' paths: `{"": root}` or `{"images/": first, "labels/": second}`.
        as_found: whether links are followed, wherever they lead, and hidden files are passed over, as suits folders
            that people have. Otherwise a link is a problem and hidden files count.
    """

    def __init__(self, folders: Mapping[str, Path], as_found: bool = False) -> None:
        self._folders = {prefix: folder.resolve() for prefix, folder in folders.items()}
        self._as_found = as_found

    def absolute(self, path: str) -> Path:
        """The absolute path of a file of the tree."""
        prefix = max((prefix for prefix in self._folders if path.startswith(prefix)), key=len)
        return self._folders[prefix] / path[len(prefix) :]

    def overlaps(self) -> bool:
        """Whether one of the folders is another one, or is in it."""
        folders = sorted(self._folders.values())
        return any(inner.is_relative_to(outer) for outer, inner in pairwise(folders))

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
        files: Sequence[File],
        stamps: Path,
        expected: str | None,
        find_problems: Callable[[], Iterable[str]],
        layout: str = "",
        known_problems: Sequence[str] = (),
    ) -> Verified:
        """Checks files of the tree. Reads them only if they are new or changed.

        The digest is the SHA-256 of the lines `<sha256>  ./<path>` of the files, sorted bytewise by path. For all files
        of a single folder this is `find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum`.

        Args:
            files: as `scan` returned them, or some of them in that order.
            stamps: the folder of the stamp files.
            expected: the digest of a content known to be good, which is not parsed.
            find_problems: returns the problems in the files' contents.
            layout: everything else that the result of `find_problems` depends on.
            known_problems: found before; if there are any, files are read so that all problems are found at once.
        """
        roots = "\0".join(f"{prefix}\0{folder}" for prefix, folder in self._folders.items())
        stamp = stamps / (hashlib.sha256(os.fsencode(roots)).hexdigest()[:16] + ".json")
        facts = [layout, *((file.path, file.size, file.modified, file.identity) for file in files)]
        fingerprint = hashlib.sha256(repr(facts).encode()).hexdigest()
        known = _read_stamp(stamp, fingerprint)
        problems = list(known_problems)
        if problems or known is None:
            with announced_wait(f"verifying {counted(len(files), 'file')}"):
                digest, unreadable = self._digest(files)
            problems, parsed = [*problems, *unreadable], False
        else:
            digest, parsed = known
        if problems or not (parsed or digest == expected):
            with announced_wait(f"reading {counted(len(files), 'file')}"):
                problems = list(dict.fromkeys([*problems, *find_problems()]))
            parsed = True
        if not problems and known != (digest, parsed):
            _write_stamp(stamp, {"fingerprint": fingerprint, "digest": digest, "parsed": parsed})
        return Verified(digest, problems)

    def scan(self) -> tuple[list[File], list[str]]:
        """All regular files, sorted bytewise by path, and a problem for everything else that is no folder.

        Files are not opened. `as_found` decides about links and hidden files.
        """
        files: list[File] = []
        problems: list[str] = []
        pending: list[tuple[str, frozenset[tuple[int, int]], bool]] = [
            (prefix, frozenset(), False) for prefix in self._folders
        ]
        entries_seen = 0
        while pending:
            prefix, above, linked = pending.pop()
            try:
                status = os.stat(self.absolute(prefix))
                here = (status.st_dev, status.st_ino)
                if here in above:
                    problems.append(f"{printable_path(prefix[:-1])}: a link to a folder that it is in")
                    continue
                with os.scandir(self.absolute(prefix)) as entries:
                    for entry in entries:
                        entries_seen += 1
                        if entries_seen > MAX_ENTRIES:
                            return [], [f"more than {MAX_ENTRIES:,} files and folders: expected a folder of images"]
                        if self._as_found and is_hidden(entry.name):
                            continue
                        path, through_link = prefix + entry.name, linked or entry.is_symlink()
                        if entry.is_symlink() and not self._as_found:
                            problems.append(f"{printable_path(path)}: a link or device: expected a regular file")
                        elif entry.is_symlink() and not os.path.exists(entry.path):
                            problems.append(
                                f"{printable_path(path)}: a link to {os.readlink(entry.path)}, which is not there"
                            )
                        elif entry.is_dir():
                            pending.append((path + "/", above | {here}, through_link))
                        elif entry.is_file():
                            status = entry.stat()
                            identity = (status.st_dev, status.st_ino) if through_link else None
                            files.append(File(path, status.st_size, status.st_mtime_ns, identity))
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


def error_reason(error: Exception) -> str:
    """Why a file cannot be used, without its path."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def is_printable(path: str) -> bool:
    """Whether a name has only characters that people see, which includes all spaces of Unicode."""
    return all(letter.isprintable() or unicodedata.category(letter) == "Zs" for letter in path)


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
