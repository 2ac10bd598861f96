"""Extracts the archive of a data set after all of its members have been checked."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

ARCHIVE_FOLDER = "iccv09Data"  # the top folder of every archive
MAX_BYTES = 2_000_000_000  # unpacked; the Stanford set has 331 MB
MAX_MEMBERS = 100_000
_MAX_HEADER = 2**20  # tarfile reads names and extended headers at once, of whatever size they claim
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError, RecursionError)
_OPENERS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


class ArchiveError(Exception):
    """An archive that cannot be downloaded or used.

    Args:
        problems: one short line each.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems[:3]))
        self.problems = problems


def extract(archive: Path, into: Path, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS) -> None:
    """Extracts `ARCHIVE_FOLDER` into the folder `into`; other members are skipped.

    All members are checked before anything is written, and the stream is read to its end.

    Raises:
        ArchiveError: the archive is damaged, unsafe, too large or of another data set.
        OSError: the files cannot be written.
    """
    if not archive.is_file():
        raise ArchiveError("no such file" if not archive.exists() else "not a file")
    try:
        with _open_tar(archive) as tar:
            members = _checked_members(tar, max_bytes, max_members)
            _read_to_the_end(tar, max_bytes)
            inside = [member for member in members if PurePosixPath(member.name).parts[:1] == (ARCHIVE_FOLDER,)]
            for folder in ("images", "labels"):
                if not any(PurePosixPath(member.name).parts[1:2] == (folder,) for member in inside):
                    raise ArchiveError(f"no folder {ARCHIVE_FOLDER}/{folder}: expected a data set in the iccv09 layout")
            # A second line of defence; the checks above are stricter. Python before 3.11.4 has no filter.
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(into, inside)
    except _DAMAGE as error:
        raise ArchiveError(f"truncated, damaged or not a tar archive ({str(error) or type(error).__name__})") from None
    except OSError as error:
        if error.errno is None:  # raised by gzip or bzip2
            raise ArchiveError(f"truncated or damaged ({error})") from None
        raise


class _Stream(io.BufferedIOBase):
    """A stream that refuses very large reads, which only a malicious header requests."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def tell(self) -> int:
        """See `io.IOBase.tell`."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """See `io.IOBase.seek`."""
        return self._stream.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        """See `io.BufferedIOBase.read`. ReadError above the limit."""
        if size is None or not 0 <= size <= _MAX_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._stream.read(size)


@contextmanager
def _open_tar(archive: Path) -> Iterator[tarfile.TarFile]:
    with open(archive, "rb") as file:
        start = file.read(6)
    opener = next((opener for signature, opener in _OPENERS.items() if start.startswith(signature)), _open_uncompressed)
    with opener(archive) as stream, tarfile.open(fileobj=_Stream(stream), mode="r:") as tar:
        yield tar


def _open_uncompressed(path: Path) -> BinaryIO:
    return open(path, "rb")


def _checked_members(tar: tarfile.TarFile, max_bytes: int, max_members: int) -> list[tarfile.TarInfo]:
    """All members; ArchiveError with all problems, or at once if they are too many or too large."""
    members, problems, size = [], [], 0
    files: set[PurePosixPath] = set()
    for member in tar:
        members.append(member)
        size += max(member.size, 0)
        if size > max_bytes or len(members) > max_members:
            raise ArchiveError(f"too large: expected at most {max_members:,} members, {max_bytes:,} bytes unpacked")
        path = PurePosixPath(member.name)
        name = ascii(member.name)
        if path.is_absolute() or ".." in path.parts:
            problems.append(f"{name} points outside the folder")
        elif not (member.isreg() or member.isdir()):
            problems.append(f"{name} is a link or device: expected regular files and folders")
        elif member.isreg() and path in files:
            problems.append(f"{name} occurs twice")
        if member.isreg():
            files.add(path)
    if problems:
        raise ArchiveError(*problems)
    return members


def _read_to_the_end(tar: tarfile.TarFile, max_bytes: int) -> None:
    """Reads past the last member, so that the end and the checksum of a compressed stream are verified."""
    stream = cast(BinaryIO, tar.fileobj)
    limit = stream.tell() + max_bytes
    while stream.read(_MAX_HEADER):
        if stream.tell() > limit:
            raise ArchiveError("too large: data continues after the last member")
