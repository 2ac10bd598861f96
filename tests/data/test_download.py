"""Download and extraction of an archive: completely or not at all, and never outside the folder."""

import gzip
import http.server
import io
import multiprocessing
import os
import tarfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from activation_study.data import download as module
from activation_study.data.archive import ArchiveError, extract
from activation_study.data.download import fetch
from activation_study.data.iccv09 import open_iccv09
from activation_study.errors import BadInput

NOWHERE = "http://127.0.0.1:9/iccv09Data.tar.gz"


@pytest.fixture
def archive(tmp_path: Path, write_iccv09) -> Path:
    """The archive of a small data set in `tmp_path/source`."""
    (tmp_path / "source").mkdir()
    root = write_iccv09(tmp_path / "source/iccv09Data")
    path = tmp_path / "source/small.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.add(root, "iccv09Data")
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target/data set"


def refusal(target: Path, archive: Path | None, addresses: tuple[str, ...] = ()) -> str:
    """The message, after a check that no files are left."""
    with pytest.raises(BadInput) as error:
        fetch(target, archive, addresses)
    assert {path.name for path in target.parent.iterdir()} <= {f".{target.name}.lock"}
    return str(error.value)


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 1, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size if kind == tarfile.REGTYPE else 0, link
    return info


def write_tar(path: Path, *members: tarfile.TarInfo) -> Path:
    """An archive of a minimal data set and then the members, each filled with zeros."""
    all_members = (member("iccv09Data/images/1.jpg"), member("iccv09Data/labels/1.regions.txt"), *members)
    with tarfile.open(path, "w:gz") as tar:
        for info in all_members:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return path


# --- from an archive -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz", ""])
def test_the_top_folder_is_extracted_as_the_root(compression, archive, target, tmp_path):
    packed = tmp_path / "packed"
    with tarfile.open(packed, f"w:{compression}") as tar:
        tar.add(tmp_path / "source/iccv09Data", "iccv09Data")
    fetch(target, packed, [])
    assert open_iccv09(target, "own", None, tmp_path / "stamps").names == ("1", "2")
    assert sorted(path.name for path in target.parent.iterdir()) == [".data set.lock", "data set"]


def test_a_leading_dot_is_accepted_and_members_beside_the_folder_are_skipped(archive, target, tmp_path):
    packed = tmp_path / "packed"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(tmp_path / "source/iccv09Data", "./iccv09Data")
        tar.addfile(member("._iccv09Data"), io.BytesIO(b"\0"))
    fetch(target, packed, [])
    assert sorted(path.name for path in target.iterdir()) == ["images", "labels"]


def test_an_existing_folder_is_not_changed(target):
    target.mkdir(parents=True)
    fetch(target, Path("/nowhere/absent.tar.gz"), [NOWHERE])
    assert list(target.parent.iterdir()) == [target]
    assert not list(target.iterdir())


def test_a_file_in_place_of_the_folder_is_refused_and_kept(target, archive):
    target.parent.mkdir()
    target.write_text("mine")
    with pytest.raises(BadInput, match="is not a folder"):
        fetch(target, archive, [])
    assert target.read_text() == "mine"


def test_a_missing_archive_and_a_folder_as_archive_are_reported(target, tmp_path):
    message = refusal(target, tmp_path / "absent.tar.gz")
    assert f"The archive {tmp_path / 'absent.tar.gz'} cannot be used" in message
    assert "no such file" in message
    assert "data.archive=PATH" in message
    assert "not a file" in refusal(target, tmp_path)


def test_every_cut_of_an_archive_is_refused(target, archive, tmp_path):
    whole = archive.read_bytes()
    for end in [0, 1, 5, 20, *range(100, len(whole), len(whole) // 12), len(whole) - 1]:
        cut = tmp_path / "cut.tar.gz"
        cut.write_bytes(whole[:end])
        assert "truncated" in refusal(target, cut)


@pytest.mark.parametrize("compression", ["bz2", "xz"])
def test_other_compressions_cut_in_half_are_refused(compression, archive, target, tmp_path):
    packed = tmp_path / "packed"
    with tarfile.open(packed, f"w:{compression}") as tar:
        tar.add(tmp_path / "source/iccv09Data", "iccv09Data")
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    assert "truncated" in refusal(target, packed)


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_a_flipped_byte_is_refused(compression, archive, target, tmp_path):
    packed = tmp_path / "packed"
    with tarfile.open(packed, f"w:{compression}") as tar:
        tar.add(tmp_path / "source/iccv09Data", "iccv09Data")
    content = bytearray(packed.read_bytes())
    content[len(content) // 2] ^= 0xFF
    packed.write_bytes(content)
    assert "truncated" in refusal(target, packed)


@pytest.mark.parametrize(
    "content",
    [b"<html>not found</html>", b"PK\x03\x04" + b"\0" * 600, gzip.compress(b"x" * 2000, mtime=0)],
    ids=["an HTML page", "a ZIP file", "gzip of something else"],
)
def test_other_files_are_refused(content, target, tmp_path):
    (tmp_path / "page").write_bytes(content)
    assert "not a tar archive" in refusal(target, tmp_path / "page")


def test_an_archive_of_another_layout_is_refused(target, tmp_path):
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as tar:
        tar.addfile(member("iccv09Data/images/1.jpg"), io.BytesIO(b"\0"))
        tar.addfile(member("labels/1.regions.txt"), io.BytesIO(b"\0"))
    assert "no folder iccv09Data/labels: expected a data set in the iccv09 layout" in refusal(target, other)


HOSTILE = {
    "an absolute path": (member("/tmp/activation-study-escaped"), "points outside the folder"),
    "a path upwards": (member("../escaped"), "points outside the folder"),
    "a path upwards from inside": (member("iccv09Data/images/../../../escaped"), "points outside the folder"),
    "a folder upwards": (member("iccv09Data/../../escaped", tarfile.DIRTYPE), "points outside the folder"),
    "a symbolic link": (member("iccv09Data/x", tarfile.SYMTYPE, link="/etc/passwd"), "is a link or device"),
    "a symbolic link inside": (member("iccv09Data/x", tarfile.SYMTYPE, link="images"), "is a link or device"),
    "a hard link": (member("iccv09Data/x", tarfile.LNKTYPE, link="iccv09Data/images/1.jpg"), "is a link or device"),
    "a device": (member("iccv09Data/x", tarfile.CHRTYPE), "is a link or device"),
    "a block device": (member("iccv09Data/x", tarfile.BLKTYPE), "is a link or device"),
    "a pipe": (member("iccv09Data/x", tarfile.FIFOTYPE), "is a link or device"),
    "a duplicate name": (member("iccv09Data/images/1.jpg"), "occurs twice"),
    "a duplicate name in another spelling": (member("./iccv09Data//images/./1.jpg"), "occurs twice"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_before_anything_is_written(case, target, tmp_path, monkeypatch):
    info, problem = HOSTILE[case]
    hostile = write_tar(tmp_path / "hostile.tar.gz", info)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(tarfile.TarFile, "extractall", lambda *_: pytest.fail("something was written"))
    message = refusal(target, hostile)
    assert f"  {info.name!a} {problem}" in message
    left = set(tmp_path.rglob("*")) - set(before)
    assert {path.name for path in left} == {"target", ".data set.lock"}
    assert not Path("/tmp/activation-study-escaped").exists()


def test_all_hostile_members_are_listed_at_once(target, tmp_path):
    hostile = write_tar(tmp_path / "hostile.tar.gz", *(info for info, _ in HOSTILE.values()))
    assert f"({len(HOSTILE)} found)" in refusal(target, hostile)


def test_too_many_bytes_or_members_are_refused(tmp_path):
    big = write_tar(tmp_path / "big.tar.gz", *(member(f"iccv09Data/{index}", size=1000) for index in range(10)))
    (tmp_path / "into").mkdir()
    with pytest.raises(ArchiveError, match="too large: expected at most 100,000 members, 5,000 bytes unpacked"):
        extract(big, tmp_path / "into", max_bytes=5000)
    with pytest.raises(ArchiveError, match="too large: expected at most 5 members"):
        extract(big, tmp_path / "into", max_members=5)
    assert not list((tmp_path / "into").iterdir())


def test_an_archive_of_terabytes_is_refused_without_extracting_it(target, tmp_path):
    bomb = tmp_path / "bomb.tar.gz"
    header = member("iccv09Data/images/1.jpg", size=2**42).tobuf(tarfile.GNU_FORMAT)
    bomb.write_bytes(gzip.compress(header + bytes(4096)))
    start = time.perf_counter()
    assert "too large" in refusal(target, bomb)
    assert time.perf_counter() - start < 5


def test_a_header_of_gigabytes_is_refused_without_reading_it_into_memory(target, tmp_path):
    bomb = tmp_path / "bomb.tar.gz"
    header = member("long", size=2**33)
    header.type = tarfile.GNUTYPE_LONGNAME
    bomb.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
    assert "a header of 8589934592 bytes" in refusal(target, bomb)


def test_data_after_the_last_member_is_read_up_to_the_limit(tmp_path):
    path = write_tar(tmp_path / "long.tar.gz")
    path.write_bytes(path.read_bytes() + gzip.compress(bytes(5_000_000)))
    with pytest.raises(ArchiveError, match="data continues after the last member"):
        extract(path, tmp_path, max_bytes=1_000_000)


def test_an_interrupted_extraction_leaves_no_files(archive, target, monkeypatch):
    def interrupted(tar: tarfile.TarFile, path: Path, members: list[tarfile.TarInfo]) -> None:
        tar.extract(members[0], path, filter="data")
        raise KeyboardInterrupt

    monkeypatch.setattr(tarfile.TarFile, "extractall", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(target, archive, [])
    assert [path.name for path in target.parent.iterdir()] == [".data set.lock"]


def test_a_full_disk_is_reported_and_leaves_no_files(archive, target, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    assert f"cannot be written to {target}: No space left on device" in refusal(target, archive)


def test_files_of_a_killed_process_are_removed_and_other_files_are_not(archive, target):
    left = target.parent / ".data set-partial-abc"
    (left / "iccv09Data").mkdir(parents=True)
    (target.parent / ".data set-mine").mkdir()
    fetch(target, archive, [])
    assert not left.exists()
    assert (target.parent / ".data set-mine").exists()


def _fetch_and_report(target: Path, archive: Path, start: object, reports: object) -> None:
    real = module.extract
    module.extract = lambda *arguments: (reports.put("extracted"), real(*arguments))  # type: ignore[attr-defined]
    start.wait()  # type: ignore[attr-defined]
    fetch(target, archive, [])
    reports.put("present" if (target / "images/1.jpg").exists() else "absent")  # type: ignore[attr-defined]


def test_of_two_concurrent_processes_one_extracts(archive, target):
    context = multiprocessing.get_context("spawn")  # the forkserver is that of warm_start.py
    start, reports = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_fetch_and_report, args=(target, archive, start, reports)) for _ in range(2)]
    for process in processes:
        process.start()
    received = sorted(reports.get(timeout=60) for _ in range(3))
    for process in processes:
        process.join(timeout=60)
    assert received == ["extracted", "present", "present"]
    assert reports.empty()


# --- from an address -------------------------------------------------------------------------------------------------


class _Server(http.server.BaseHTTPRequestHandler):
    """Answers each path in `answers` with status, body, announced length and further headers."""

    def __init__(self, answers: dict[str, tuple[int, bytes, int | None, dict[str, str]]], *arguments: object) -> None:
        self.answers = answers
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        status, body, announced, headers = self.answers.get(self.path, (404, b"not here", 8, {}))
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if announced is not None:
            self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture
def serve() -> Iterator[object]:
    """`serve({path: (status, body, announced length, headers)})` starts a local server and returns its address."""
    servers = []

    def start(answers: dict[str, tuple[int, bytes, int | None, dict[str, str]]]) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Server, answers))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def success(body: bytes) -> tuple[int, bytes, int | None, dict[str, str]]:
    return 200, body, len(body), {}


def test_a_complete_download_is_extracted_and_deleted(serve, archive, target, tmp_path, capsys):
    address = serve({"/a.tar.gz": success(archive.read_bytes())})
    fetch(target, None, [f"{address}/a.tar.gz"])
    assert open_iccv09(target, "own", None, tmp_path / "stamps").names == ("1", "2")
    assert sorted(path.name for path in target.parent.iterdir()) == [".data set.lock", "data set"]
    output = capsys.readouterr()
    assert output.out == f"downloading {address}/a.tar.gz …\n"
    assert not output.err


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda body: (404, b"", 0, {}), "404 Client Error"),
        (lambda body: (503, b"", 0, {}), "503 Server Error"),
        (lambda body: (200, body, 2 * len(body), {}), "the connection broke during the download"),
        (lambda body: (200, body[: len(body) // 2], None, {}), "truncated"),
        (lambda body: (200, body[:-4], len(body) - 4, {}), "truncated"),
        (lambda body: success(b"<html>log in to the network first</html>"), "not a tar archive"),
        (lambda body: (200, b"", 0, {}), "not a tar archive"),
        (lambda body: (200, bytes(200_000), 10**12, {}), "larger than 2,000,000,000 bytes"),
        (lambda body: (302, b"", 0, {"Location": "/elsewhere"}), "404 Client Error"),
        (lambda body: (302, b"", 0, {"Location": "/a.tar.gz"}), "redirects"),
        (lambda body: (302, b"", 0, {"Location": "file:///etc/passwd"}), "No connection adapters"),
    ],
)
def test_the_second_address_is_used_if_the_first_has_no_archive(serve, archive, target, answer, reason):
    body = archive.read_bytes()
    address = serve({"/a.tar.gz": answer(body), "/b.tar.gz": success(body)})
    message = refusal(target, None, (f"{address}/a.tar.gz",))
    assert f"{address}/a.tar.gz: " in message
    assert reason in message
    fetch(target, None, [f"{address}/a.tar.gz", f"{address}/b.tar.gz"])
    assert (target / "images/1.jpg").is_file()


def test_a_hostile_download_writes_no_files(serve, target, tmp_path):
    body = write_tar(tmp_path / "hostile.tar.gz", member("../escaped")).read_bytes()
    address = serve({"/a": success(body)})
    assert "'../escaped' points outside the folder" in refusal(target, None, (f"{address}/a",))


def test_an_endless_download_is_aborted(serve, tmp_path):
    address = serve({"/a": (200, bytes(3_000_000), None, {})})
    with pytest.raises(ArchiveError, match="larger than 1,000,000 bytes"):
        module.download(f"{address}/a", tmp_path / "received", max_bytes=1_000_000)
    assert (tmp_path / "received").stat().st_size < 1_500_000


def test_an_archive_sent_with_a_content_encoding_is_accepted(serve, archive, target):
    body = archive.read_bytes()  # some servers declare .tar.gz as compressed .tar, so it is decompressed on arrival
    address = serve({"/a": (200, body, len(body), {"Content-Encoding": "gzip"})})
    fetch(target, None, [f"{address}/a"])
    assert (target / "labels/1.layers.txt").is_file()


def test_without_archive_and_network_the_message_lists_attempts_and_fixes(target):
    start = time.perf_counter()
    message = refusal(target, None, (NOWHERE, "http://a.name.that.is.invalid/x.tar.gz"))
    assert time.perf_counter() - start < 20
    assert message.splitlines()[0] == f"The data set is not in {target} and could not be downloaded (2 found):"
    assert f"  {NOWHERE}: no connection" in message
    assert "  http://a.name.that.is.invalid/x.tar.gz: " in message
    for fix in (f"Copy its folder to {target}", "data.archive=PATH", "python train.py experiment=demo"):
        assert fix in message


def test_a_missing_address_is_reported(target):
    assert "no download address is configured" in refusal(target, None)


# --- the real archive ------------------------------------------------------------------------------------------------


def test_the_stanford_archive_is_extracted_completely(stanford_root):
    assert sorted(path.name for path in stanford_root.iterdir()) == ["README", "horizons.txt", "images", "labels"]
    assert len(os.listdir(stanford_root / "images")) == 715
    assert len(os.listdir(stanford_root / "labels")) == 3 * 715
