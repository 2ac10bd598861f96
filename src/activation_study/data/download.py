"""Downloads and extracts a data set: the complete folder appears at once, or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from activation_study.console import FIRST_LINE, PlainProgress, announced_wait, shows_bars
from activation_study.credentials import without_credentials
from activation_study.data.archive import ARCHIVE_FOLDER, MAX_BYTES, ArchiveError, extract
from activation_study.errors import BadInput, problems_message
from activation_study.location import command

TIMEOUTS = (15, 60)  # seconds to connect, and between two blocks of data


def fetch(root: Path, archive: Path | None, addresses: Sequence[str]) -> None:
    """Extracts `ARCHIVE_FOLDER` of an archive as the folder `root`. Does nothing if the folder exists.

    If two processes start at the same time, one extracts and the other waits.

    Args:
        root: path and name of the extracted folder.
        archive: a tar file, uncompressed or compressed with gzip, bzip2 or xz; None to download one.
        addresses: where to download from, tried in turn.

    Raises:
        BadInput: no archive is available, or it is damaged, unsafe or of another data set. No files are left behind.
    """
    if root.is_dir():
        return
    if os.path.lexists(root):
        raise BadInput(f"{root} is not a folder. Remove it to fetch the data set, or set data.root to another path.")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(root.parent / f".{root.name}.lock"):
            if not root.is_dir():
                with _staging_folder(root) as folder:
                    _extract_first_usable(folder, root, archive, addresses)
                    os.rename(folder / ARCHIVE_FOLDER, root)
    except OSError as error:
        raise BadInput(f"The data set cannot be written to {root}: {error.strerror or error}.") from None


@contextmanager
def _staging_folder(root: Path) -> Iterator[Path]:
    """An empty folder beside `root`, removed at the end. The caller holds the lock, so older ones are left-overs."""
    prefix = f".{root.name}-partial-"
    for path in root.parent.iterdir():
        if path.name.startswith(prefix):
            shutil.rmtree(path, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _extract_first_usable(folder: Path, root: Path, archive: Path | None, addresses: Sequence[str]) -> None:
    """Extracts the given archive, or the first usable one that can be downloaded, into `folder`."""
    if archive is not None:
        try:
            with announced_wait(f"extracting {archive}"):
                extract(archive, folder)
        except ArchiveError as error:
            fix = "Download the archive again, or use another one: data.archive=PATH"
            raise BadInput(problems_message(f"The archive {archive} cannot be used", error.problems, fix)) from None
        return
    problems = []
    for address in addresses:
        downloaded = folder / "archive"
        try:
            download(address, downloaded)
            with announced_wait("extracting the archive"):
                extract(downloaded, folder)
            return
        except ArchiveError as error:
            problems.append(without_credentials(f"{address}: {error}"))
            shutil.rmtree(folder / ARCHIVE_FOLDER, ignore_errors=True)
    raise BadInput(
        problems_message(
            f"The data set is not in {root} and could not be downloaded",
            problems or ["no download address is configured"],
            f"Copy its folder to {root}, or give its archive with data.archive=PATH. "
            f"Without any data you can run: {command('train')} experiment=demo",
        )
    )


def download(address: str, target: Path, max_bytes: int = MAX_BYTES) -> None:
    """Downloads `address` to the file `target`.

    Raises:
        ArchiveError: there is no answer, an HTTP error, too much data, or the connection breaks.
    """
    import requests
    from pooch import HTTPDownloader

    progress = _Progress(address, max_bytes)
    # Without a content encoding the announced length is that of the archive.
    load = HTTPDownloader(
        progressbar=progress, chunk_size=2**16, timeout=TIMEOUTS, headers={"Accept-Encoding": "identity"}
    )
    try:
        with progress.bar:
            load(address, str(target), None)
    except requests.HTTPError as error:
        raise ArchiveError(str(error).split(" for url")[0]) from None  # "404 Client Error: Not Found"
    except requests.Timeout:
        raise ArchiveError(f"timeout: no connection within {TIMEOUTS[0]} s or no data for {TIMEOUTS[1]} s") from None
    except requests.exceptions.ChunkedEncodingError:
        raise ArchiveError("the connection broke during the download") from None
    except requests.ConnectionError as error:
        unresolved = " (unknown host name)" if "resol" in str(error) else ""
        raise ArchiveError(f"no connection{unresolved}") from None
    except (requests.RequestException, ValueError) as error:
        raise ArchiveError(str(error)[:200]) from None
    if target.stat().st_size < progress.total:
        raise ArchiveError(f"only {target.stat().st_size:,} of {progress.total:,} bytes arrived")


class _Progress:
    """Pooch's progress bar interface, implemented with rich. Aborts a download that is too large."""

    def __init__(self, address: str, max_bytes: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        console = Console(stderr=True)
        self.bar = Progress(*columns, console=console, disable=not shows_bars(console))
        self._plain = None if shows_bars(console) else PlainProgress(FIRST_LINE)
        if self._plain is not None:
            print(f"downloading {without_credentials(address)} …", flush=True)
        self._task = self.bar.add_task(without_credentials(address), total=None)
        self._received, self._max_bytes = 0, max_bytes
        self.total = 0  # set by pooch: the announced length, 0 if there is none

    def update(self, count: int) -> None:
        """Adds `count` bytes; pooch counts the last block as full."""
        self._received += count
        if max(self._received - count, self.total) > self._max_bytes:
            raise ArchiveError(f"larger than {self._max_bytes:,} bytes")
        self.bar.update(self._task, completed=self._received, total=self.total or None)
        if self._plain is not None:
            whole = f" of {self.total / 1e6:.0f}" if self.total else ""
            self._plain.line(f"  downloading: {self._received / 1e6:.0f}{whole} MB")

    def reset(self) -> None:
        """Called by pooch at the end, before it reports the total."""
        self._received = 0

    def close(self) -> None:
        """Does nothing: the context manager of `bar` closes it."""
