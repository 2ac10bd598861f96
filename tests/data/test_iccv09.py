"""The iccv09 folder layout: content digest, stamps, and every problem that verification reports."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from activation_study.data import iccv09, verification
from activation_study.data.iccv09 import open_iccv09
from activation_study.data.labels.label_text import raw_range
from activation_study.data.labels.label_types import LABEL_TYPES
from activation_study.data.verification import FileTree
from activation_study.errors import BadInput

STANFORD_DIGEST = "4675608bc452a1248f54e5b1761a225044cc147cdab0d25f7511a8204ee8f8c4"


@pytest.fixture
def root(tmp_path: Path, write_iccv09) -> Path:
    return write_iccv09(tmp_path / "data set", names=("1", "2"))


@pytest.fixture
def stamps(tmp_path: Path) -> Path:
    return tmp_path / "stamps"


@pytest.fixture
def forbid_reading(monkeypatch: pytest.MonkeyPatch):
    """After it is called, reading a file of the data set fails the test."""

    def start() -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("a file was read")

        monkeypatch.setattr(FileTree, "_digest", refuse)
        monkeypatch.setattr(FileTree, "read_bytes", refuse)

    return start


def refusal(root: Path, stamps: Path, digest: str | None = None) -> str:
    with pytest.raises(BadInput) as error:
        open_iccv09(root, "own", digest, stamps)
    return str(error.value)


def jpeg(height: int, width: int, *flags: int) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8), list(flags))[1].tobytes()


PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
NOISE = cv2.imencode(".jpg", PIXELS)[1].tobytes()


def resized_header(content: bytes, height: int, width: int) -> bytes:
    """The JPEG with another size in its header."""
    frame = content.index(b"\xff\xc0")
    return content[: frame + 5] + height.to_bytes(2) + width.to_bytes(2) + content[frame + 9 :]


# --- opening ---------------------------------------------------------------------------------------------------------


def test_names_are_sorted_and_images_have_the_size_of_their_labels(tmp_path, stamps, write_iccv09):
    names = ("b.with.dots", "a name", "Ähre", "10", "9")
    folder = open_iccv09(write_iccv09(tmp_path / "own", names=names), "own", None, stamps)
    assert folder.names == ("10", "9", "a name", "b.with.dots", "Ähre")
    assert folder.name == "own"
    for index in range(5):
        assert folder.image(index).shape == (12, 16, 3)
        assert folder.image(index).dtype == np.uint8
        for label_type in LABEL_TYPES:
            low, high = raw_range(label_type)
            label = folder.label(index, label_type)
            assert (label.shape, label.dtype) == ((12, 16), np.int16)
            assert low <= label.min() <= label.max() <= high


def test_the_digest_is_that_of_find_sort_and_sha256sum(tmp_path, stamps, write_iccv09):
    root = write_iccv09(tmp_path / "own", names=("1", "a-b", "a_b", "B"))
    (root / "README").write_text("any file is allowed beside the two folders")
    command = "find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
    output = subprocess.run(command, shell=True, cwd=root, capture_output=True, text=True, check=True).stdout
    assert open_iccv09(root, "own", None, stamps).digest == output.split()[0]


def test_a_known_digest_opens_the_folder_without_parsing_it(root, stamps, tmp_path, forbid_reading, monkeypatch):
    digest = open_iccv09(root, "own", None, stamps).digest
    monkeypatch.setattr(iccv09, "_content_problems", lambda *_: pytest.fail("it was parsed"))
    open_iccv09(root, "own", digest, tmp_path / "other stamps")


def test_an_unchanged_folder_is_opened_again_without_reading_a_file(root, stamps, forbid_reading):
    first = open_iccv09(root, "own", None, stamps)
    forbid_reading()
    assert open_iccv09(root, "own", None, stamps) == first
    assert open_iccv09(root, "own", first.digest, stamps) == first


def test_a_changed_file_is_noticed(root, stamps):
    before = open_iccv09(root, "own", None, stamps)
    label = root / "labels/1.regions.txt"
    label.write_text(label.read_text().replace("7", "6"))  # the same size
    os.utime(label, ns=(0, 1))
    assert open_iccv09(root, "own", None, stamps).digest != before.digest
    label.unlink()
    assert "labels/1.regions.txt: missing" in refusal(root, stamps)


def test_a_folder_accepted_by_its_digest_is_parsed_when_no_digest_is_expected(root, stamps, tmp_path):
    (root / "labels/1.regions.txt").write_text("x\n")
    digest = hashlib.sha256(
        b"".join(
            hashlib.sha256((root / path).read_bytes()).hexdigest().encode() + f"  ./{path}\n".encode()
            for path in sorted(str(path.relative_to(root)) for path in root.rglob("*.*"))
        )
    ).hexdigest()
    open_iccv09(root, "own", digest, stamps)
    assert "labels/1.regions.txt: line 1: 'x' is not an integer" in refusal(root, stamps)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": 1}', b'{"version": 0}'])
def test_with_a_damaged_stamp_the_folder_is_verified_again(root, stamps, damage):
    first = open_iccv09(root, "own", None, stamps)
    (stamp,) = stamps.iterdir()
    whole = stamp.read_bytes()
    stamp.write_bytes(damage)
    assert open_iccv09(root, "own", None, stamps) == first
    assert stamp.read_bytes() == whole
    assert json.loads(whole)["digest"] == first.digest


def test_stamps_that_cannot_be_written_are_ignored(root, tmp_path):
    (tmp_path / "stamps").write_text("a file in place of the folder")
    assert open_iccv09(root, "own", None, tmp_path / "stamps").names == ("1", "2")


def test_two_folders_have_two_stamps(tmp_path, root, stamps):
    shutil.copytree(root, tmp_path / "copy")
    assert open_iccv09(root, "own", None, stamps).digest == open_iccv09(tmp_path / "copy", "own", None, stamps).digest
    assert len(list(stamps.iterdir())) == 2


def test_a_file_changed_after_verification_is_reported(root, stamps):
    folder = open_iccv09(root, "own", None, stamps)
    (root / "images/1.jpg").unlink()
    (root / "labels/1.regions.txt").write_text("1 2\n3\n")
    with pytest.raises(BadInput, match=r"images/1\.jpg: No such file or directory\. The file was changed after it"):
        folder.image(0)
    with pytest.raises(BadInput, match=r"1\.regions\.txt: line 2 has 1 value, expected 2"):
        folder.label(0, "regions")


def test_hidden_files_of_file_managers_are_no_problem(root, stamps):
    (root / "images/.DS_Store").write_bytes(b"\0")
    (root / "labels/._1.regions.txt").write_bytes(b"\0")
    assert open_iccv09(root, "own", None, stamps).names == ("1", "2")


# --- the digest differs ----------------------------------------------------------------------------------------------


def test_another_digest_is_reported_with_both_digests_and_the_fix(root, stamps):
    actual = open_iccv09(root, "own", None, stamps).digest
    message = refusal(root, stamps, STANFORD_DIGEST)
    assert f"expected content digest {STANFORD_DIGEST}" in message
    assert f"actual content digest   {actual}" in message
    assert "Delete the folder to fetch the data set again" in message
    assert "data.digest=null" in message


def test_for_a_damaged_data_set_of_known_digest_the_fix_is_to_fetch_it_again(root, stamps):
    (root / "labels/1.layers.txt").unlink()
    message = refusal(root, stamps, STANFORD_DIGEST)
    assert "labels/1.layers.txt: missing, but its image exists" in message
    assert f"Delete {root} to fetch the data set again. If it is your own data set: fix or remove these" in message


# --- problems --------------------------------------------------------------------------------------------------------


def test_a_missing_folder_and_an_empty_one_have_different_messages(tmp_path, stamps):
    assert "There is no data set in" in refusal(tmp_path / "absent", stamps)
    (tmp_path / "file").write_text("")
    assert "There is no data set in" in refusal(tmp_path / "file", stamps)
    (tmp_path / "empty/images").mkdir(parents=True)
    assert "no images: expected images/NAME.jpg with labels/NAME.regions.txt" in refusal(tmp_path / "empty", stamps)


def rewrite(path: str, content: bytes):
    def damage(root: Path) -> None:
        (root / path).write_bytes(content)

    return damage


def bad_id(label_type: str, value: int, times: int = 1):
    def damage(root: Path) -> None:
        path = root / f"labels/2.{label_type}.txt"
        lines = path.read_text().splitlines()
        tokens = lines[4].split()
        lines[4] = " ".join([str(value)] * times + tokens[times:])
        path.write_text("\n".join(lines) + "\n")

    return damage


def rows(height: int, width: int) -> bytes:
    return (" ".join(["1"] * width) + "\n").encode() * height


PROBLEMS = {
    "a label file without an image": (
        lambda root: (root / "images/2.jpg").unlink(),
        "images/2.jpg: missing, but it has labels",
    ),
    "an image without any label": (
        lambda root: [(root / f"labels/2.{label_type}.txt").unlink() for label_type in LABEL_TYPES],
        "labels/2.regions.txt: missing, but its image exists",
    ),
    "one of three label types missing": (
        lambda root: (root / "labels/2.surfaces.txt").unlink(),
        "labels/2.surfaces.txt: missing, but its image exists",
    ),
    "ragged rows": (
        rewrite("labels/2.layers.txt", b"1 2\n3\n"),
        "labels/2.layers.txt: line 2 has 1 value, expected 2 as in line 1",
    ),
    "letters": (rewrite("labels/2.layers.txt", b"1 b\n"), "labels/2.layers.txt: line 1: 'b' is not an integer"),
    "an empty label": (rewrite("labels/2.layers.txt", b""), "labels/2.layers.txt: empty: expected"),
    "a label of another size": (
        rewrite("labels/2.layers.txt", rows(16, 12)),
        "labels/2.layers.txt: 12×16 (width × height): expected 16×12, the size of its image",
    ),
    "a label with a missing row": (
        rewrite("labels/2.regions.txt", rows(11, 16)),
        "labels/2.regions.txt: 16×11 (width × height): expected 16×12, the size of its image",
    ),
    "a region too large": (bad_id("regions", 8), "labels/2.regions.txt: id 8 in line 5: expected -1 to 7"),
    "surfaces too large": (
        bad_id("surfaces", 3, times=2),
        "labels/2.surfaces.txt: id 3 in line 5 (2 pixels): expected -1 to 2",
    ),
    "an id too small": (bad_id("layers", -2), "labels/2.layers.txt: id -2 in line 5: expected -1 to 32767"),
    "an empty image file": (rewrite("images/2.jpg", b""), "images/2.jpg: empty file"),
    "an HTML page": (rewrite("images/2.jpg", b"<html>"), "images/2.jpg: not a JPEG file, or its header is damaged"),
    "a truncated image": (rewrite("images/2.jpg", NOISE[:-20]), "images/2.jpg: truncated: the end marker is missing"),
    "an image that ends in its header": (
        rewrite("images/2.jpg", NOISE[:40]),
        "images/2.jpg: cannot be decoded: Truncated File Read",
    ),
    "an image without pixels": (
        rewrite("images/2.jpg", resized_header(NOISE, 0, 16)),
        "images/2.jpg: not a JPEG file, or its header is damaged",
    ),
    "an image with nothing after its header": (
        rewrite("images/2.jpg", NOISE[: NOISE.index(b"\xff\xda")] + b"\xff\xd9"),
        "images/2.jpg: truncated: the end marker is missing",
    ),
    "an image of too many pixels": (
        rewrite("images/2.jpg", resized_header(NOISE, 8001, 8000)),
        "images/2.jpg: 8000×8001 pixels: expected at most 64,000,000",
    ),
    "a decompression bomb": (
        rewrite("images/2.jpg", resized_header(NOISE, 65535, 65535)),
        "images/2.jpg: more than 64,000,000 pixels",
    ),
    "names that differ only in case": (
        lambda root: [
            shutil.copy(path, path.with_name(path.name.replace("2.", name)))
            for path in [*root.rglob("2.*")]
            for name in ("a.", "A.")
        ],
        "images/A.jpg, images/a.jpg: names that differ only in case",
    ),
    "a file of another format": (
        rewrite("images/2.png", b""),
        "images/2.png: unexpected file: only images/NAME.jpg may be here",
    ),
    "a label of an unknown type": (
        rewrite("labels/2.depth.txt", b""),
        "labels/2.depth.txt: unexpected file: only labels/NAME.regions.txt, labels/NAME.surfaces.txt or labels/",
    ),
    "a folder in the folder": (
        lambda root: shutil.copytree(root / "images", root / "images/more"),
        "images/more/1.jpg: unexpected file: only images/NAME.jpg may be here",
    ),
    "a link out of the folder": (
        lambda root: (root / "images/3.jpg").symlink_to("/etc/passwd"),
        "images/3.jpg: a link or device: expected a regular file",
    ),
    "a linked folder": (
        lambda root: (root / "more").symlink_to("/etc"),
        "more: a link or device: expected a regular file",
    ),
    "a pipe, which would block forever": (
        lambda root: os.mkfifo(root / "images/3.jpg"),
        "images/3.jpg: a link or device: expected a regular file",
    ),
    "a line break in a name": (
        rewrite("images/2\n.jpg", b""),
        "images/2\\n.jpg: unprintable characters in its name",
    ),
    "a name that is not valid UTF-8": (
        lambda root: open(os.fsencode(root / "images/2") + b"\xff.jpg", "wb").close(),
        "images/2\\udcff.jpg: unprintable characters in its name",
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_verification_reports_the_problem(case, root, stamps):
    damage, problem = PROBLEMS[case]
    damage(root)
    message = refusal(root, stamps)
    assert f"  {problem}" in message
    assert message.splitlines()[0].startswith(f"The data set in {root} cannot be used")
    assert message.endswith(f"Fix or remove these files in {root}.")
    assert not stamps.exists()
    message.encode()  # valid UTF-8, whatever bytes a name has


def test_all_problems_are_listed_and_equal_ones_of_many_files_are_summed_up(tmp_path, stamps, write_iccv09):
    root = write_iccv09(tmp_path / "own", names=tuple(f"{index:02}" for index in range(30)))
    for name in ("03", "05"):
        (root / f"images/{name}.jpg").write_bytes(b"")
    (root / "labels/04.layers.txt").unlink()
    (root / "labels/06.layers.txt").write_text("1 x\n")
    (root / "link").symlink_to("README")
    message = refusal(root, stamps)
    assert "(5 found)" in message
    assert all(f"{name}." in message for name in ("images/03", "images/05", "labels/04", "labels/06"))
    shutil.rmtree(root / "labels")
    message = refusal(root, stamps)
    assert "(4 found)" in message
    assert "90 files (labels/00.regions.txt, labels/00.surfaces.txt, labels/00.layers.txt, …): missing, but" in message


def test_unreadable_files_and_folders_are_listed(root, stamps, monkeypatch):
    # Permissions do not stop root, so the errors are simulated.
    (root / "README").write_text("x")
    real_open, real_scandir = open, os.scandir

    def refuse(path, *arguments):
        if str(path).endswith(("README", "1.layers.txt")):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *arguments)

    def refuse_folder(path):
        if str(path).rstrip("/").endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real_scandir(path)

    (root / "closed").mkdir()
    monkeypatch.setattr("builtins.open", refuse)
    monkeypatch.setattr(os, "scandir", refuse_folder)
    message = refusal(root, stamps)
    assert "(3 found)" in message
    for path in ("README", "labels/1.layers.txt", "closed/"):
        assert f"  {path}: Permission denied" in message


def test_a_file_above_the_size_limit_is_not_read_completely(root, stamps, monkeypatch):
    monkeypatch.setattr(verification, "MAX_BYTES", 2**20)
    with open(root / "labels/1.layers.txt", "ab") as label:
        label.truncate(2**20 + 1)
    assert "labels/1.layers.txt: larger than 1 MiB" in refusal(root, stamps)


# --- the real data set -----------------------------------------------------------------------------------------------


def test_the_stanford_set_opens_by_its_digest_and_the_second_time_at_once(stanford_root, stamps):
    folder = open_iccv09(stanford_root, "stanford_background", STANFORD_DIGEST, stamps)
    assert folder.digest == STANFORD_DIGEST
    assert len(folder.names) == 715
    assert (folder.names[0], folder.names[-1]) == ("0000047", "9005294")
    start = time.perf_counter()
    assert open_iccv09(stanford_root, "stanford_background", STANFORD_DIGEST, stamps) == folder
    assert time.perf_counter() - start < 0.5  # about 0.02 s on an idle machine
    index = folder.names.index("2000033")
    assert folder.image(index).shape[:2] == folder.label(index, "regions").shape
    assert (folder.label(index, "regions") < 0).mean() == pytest.approx(0.656, abs=0.0005)


def test_the_stanford_set_passes_the_full_verification(stanford_root, stamps):
    assert open_iccv09(stanford_root, "own", None, stamps).digest == STANFORD_DIGEST
