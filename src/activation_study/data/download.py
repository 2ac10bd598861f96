"""Getting a data set's archive and extracting it: the folder is there as a whole, or not at all."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from filelock import FileLock

from activation_study.errors import BadInput, problems_message

MAX_BYTES = 2_000_000_000  # unpacked; the Stanford set has 331 MB
MAX_MEMBERS = 100_000
TIMEOUTS = (15, 60)  # seconds: to connect, and between two pieces
_MAX_HEADER = 2**20  # tarfile reads names and extended headers as a whole, however large they say they are
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError, RecursionError)
_OPENERS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}


class ArchiveError(Exception):
    """An address or archive that gives no data set: its faults, each in a few words."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems[:3]))
        self.problems = problems


def fetch(root: Path, archive: Path | None, addresses: Sequence[str], archive_folder: str = "iccv09Data") -> None:
    """Makes the folder `root` from an archive; does nothing if the folder is there.

    Of two processes that start at once, one extracts and the other waits.

    Args:
        root: where the archive's top folder shall be, whatever its name is.
        archive: a tar file, plain or packed by gzip, bzip2 or xz; None to download one.
        addresses: where to download from, tried in turn.
        archive_folder: the archive's top folder; members beside it are left out.

    Raises:
        BadInput: there is no archive to be had, or it is damaged, hostile or another one; nothing is left behind.
    """
    if root.is_dir():
        return
    if os.path.lexists(root):
        raise BadInput(f"{root} is no folder: expected a data set's folder, or nothing so that it can be fetched.")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(root.parent / f".{root.name}.lock"):
            if not root.is_dir():
                with _staging_folder(root) as folder:
                    _fill(folder, root, archive, addresses, archive_folder)
                    os.rename(folder / archive_folder, root)
    except OSError as error:
        raise BadInput(f"The data set cannot be put into {root}: {error.strerror or error}.") from None


@contextmanager
def _staging_folder(root: Path) -> Iterator[Path]:
    """An empty folder beside `root`, removed at the end. The caller holds the lock: older ones are the dead's."""
    prefix = f".{root.name}-partial-"
    for left in root.parent.iterdir():
        if left.name.startswith(prefix):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(folder: Path, root: Path, archive: Path | None, addresses: Sequence[str], archive_folder: str) -> None:
    """Extracts the given archive, or the first usable one of the addresses, into `folder`."""
    if archive is not None:
        try:
            extract(archive, folder, archive_folder)
        except ArchiveError as error:
            mend = "Get the archive again, or name another one with data.archive=PATH."
            raise BadInput(problems_message(f"The archive {archive} cannot be used", error.problems, mend)) from None
        return
    problems = []
    for address in addresses:
        received = folder / "archive"
        try:
            download(address, received)
            extract(received, folder, archive_folder)
            return
        except ArchiveError as error:
            problems.append(f"{address}: {error}")
            shutil.rmtree(folder / archive_folder, ignore_errors=True)
    raise BadInput(
        problems_message(
            f"The data set is not in {root} and could not be downloaded",
            problems or ["no address is known for it"],
            f"Put its folder at {root}, or name its archive with data.archive=PATH, "
            "or try without any data: python train.py experiment=demo",
        )
    )


def download(address: str, target: Path, max_bytes: int = MAX_BYTES) -> None:
    """Writes what `address` answers into the file `target`. Raises ArchiveError: no answer, a refusal, or cut off."""
    import requests
    from pooch import HTTPDownloader

    progress = _Progress(address, max_bytes)
    # Identity: a server that packs the archive once more for the way would make its length another one.
    load = HTTPDownloader(
        progressbar=progress, chunk_size=2**16, timeout=TIMEOUTS, headers={"Accept-Encoding": "identity"}
    )
    try:
        with progress.bar:
            load(address, str(target), None)
    except requests.HTTPError as error:
        raise ArchiveError(str(error).split(" for url")[0]) from None  # "404 Client Error: Not Found"
    except requests.Timeout:
        raise ArchiveError(f"no answer within {TIMEOUTS[0]} to {TIMEOUTS[1]} s") from None
    except requests.exceptions.ChunkedEncodingError:
        raise ArchiveError("the connection broke before the end") from None
    except requests.ConnectionError as error:
        raise ArchiveError("no connection" + " (the name is unknown)" * ("resol" in str(error))) from None
    except (requests.RequestException, ValueError) as error:
        raise ArchiveError(str(error)[:200]) from None
    if target.stat().st_size < progress.total:
        raise ArchiveError(f"only {target.stat().st_size:,} of {progress.total:,} bytes arrived")


class _Progress:
    """What pooch expects of a progress bar, shown by rich; stops a download that is too large."""

    def __init__(self, address: str, max_bytes: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self.bar = Progress(*columns, console=Console(stderr=True))
        self._task = self.bar.add_task(address, total=None)
        self._received, self._max_bytes = 0, max_bytes
        self.total = 0  # set by pooch: what the server announces, 0 if it does not

    def update(self, count: int) -> None:
        """`count` more bytes; pooch counts the last block as full."""
        self._received += count
        if max(self._received - count, self.total) > self._max_bytes:
            raise ArchiveError(f"larger than the {self._max_bytes:,} bytes allowed")
        self.bar.update(self._task, completed=self._received, total=self.total or None)

    def reset(self) -> None:
        """Pooch calls this at the end and then tells the total once more."""
        self._received = 0

    def close(self) -> None:
        """The bar is closed by its own context."""


def extract(
    archive: Path, into: Path, archive_folder: str, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS
) -> None:
    """Extracts the archive's folder `archive_folder` into the folder `into`.

    All members are looked at before anything is written, and the stream is read to its end.

    Raises:
        ArchiveError: damaged, hostile, too large or another data set's archive. OSError: it cannot be written.
    """
    if not archive.is_file():
        raise ArchiveError("there is no such file" if not archive.exists() else "it is no file")
    try:
        with _opened(archive) as tar:
            members = _checked_members(tar, max_bytes, max_members)
            _read_to_the_end(tar, max_bytes)
            inside = [member for member in members if PurePosixPath(member.name).parts[:1] == (archive_folder,)]
            for folder in ("images", "labels"):
                if not any(PurePosixPath(member.name).parts[1:2] == (folder,) for member in inside):
                    raise ArchiveError(f"it has no {archive_folder}/{folder}: expected a data set in the iccv09 layout")
            # Our own checks are stricter; Python's are a second lock (a Python before 3.11.4 has none).
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(into, inside)
    except _DAMAGE as error:
        raise ArchiveError(f"damaged or cut off, or no tar archive ({str(error) or type(error).__name__})") from None
    except OSError as error:
        if error.errno is None:  # gzip's and bzip2's own
            raise ArchiveError(f"damaged or cut off ({error})") from None
        raise


class _Stream(io.BufferedIOBase):
    """An unpacked stream that refuses to be read in very large pieces: only a hostile header asks for that."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def tell(self) -> int:
        """As the stream's own."""
        return self._stream.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """As the stream's own."""
        return self._stream.seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        """As the stream's own, up to the limit."""
        if size is None or not 0 <= size <= _MAX_HEADER:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._stream.read(size)


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    with open(archive, "rb") as file:
        magic = file.read(6)
    opener = next((opener for start, opener in _OPENERS.items() if magic.startswith(start)), _plain)
    with opener(archive) as stream, tarfile.open(fileobj=_Stream(stream), mode="r:") as tar:
        yield tar


def _plain(path: Path) -> BinaryIO:
    return open(path, "rb")


def _checked_members(tar: tarfile.TarFile, max_bytes: int, max_members: int) -> list[tarfile.TarInfo]:
    """All members; ArchiveError with all faults, or at once when there are too many or they are too large."""
    members, problems, size = [], [], 0
    files: set[PurePosixPath] = set()
    for member in tar:
        members.append(member)
        size += max(member.size, 0)
        if size > max_bytes or len(members) > max_members:
            raise ArchiveError(f"too large: expected at most {max_members:,} members, {max_bytes:,} bytes unpacked")
        path = PurePosixPath(member.name)
        shown = ascii(member.name)
        if path.is_absolute() or ".." in path.parts:
            problems.append(f"{shown} leads out of the folder")
        elif not (member.isreg() or member.isdir()):
            problems.append(f"{shown} is a link or device: expected regular files and folders")
        elif member.isreg() and path in files:
            problems.append(f"{shown} is there twice")
        if member.isreg():
            files.add(path)
    if problems:
        raise ArchiveError(*problems)
    return members


def _read_to_the_end(tar: tarfile.TarFile, max_bytes: int) -> None:
    """Past the last member, so that a packed stream's own end and checksum are read too."""
    stream = cast(BinaryIO, tar.fileobj)
    limit = stream.tell() + max_bytes
    while stream.read(_MAX_HEADER):
        if stream.tell() > limit:
            raise ArchiveError("too large: it goes on after its last member")
