"""The iccv09 folder layout: content digest, stamps, and every fault that verification names."""

import hashlib
import io
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
from activation_study.data.jpeg import read_jpeg
from activation_study.data.label_text import raw_range
from activation_study.data.label_types import LABEL_TYPES
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
def no_reading(monkeypatch: pytest.MonkeyPatch):
    """From the call on, reading a file of the data set fails the test."""

    def start() -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("a file was read")

        monkeypatch.setattr(FileTree, "_digest", refuse)
        monkeypatch.setattr(FileTree, "content", refuse)

    return start


def refusal(root: Path, stamps: Path, digest: str | None = None) -> str:
    with pytest.raises(BadInput) as error:
        open_iccv09(root, "own", digest, stamps)
    return str(error.value)


def jpeg(height: int, width: int, *flags: int) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8), list(flags))[1].tobytes()


# --- opening ---------------------------------------------------------------------------------------------------------


def test_names_are_sorted_and_pictures_fit_their_labels(tmp_path, stamps, write_iccv09):
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
    (root / "README").write_text("beside the two folders everything is allowed")
    command = "find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum"
    output = subprocess.run(command, shell=True, cwd=root, capture_output=True, text=True, check=True).stdout
    assert open_iccv09(root, "own", None, stamps).digest == output.split()[0]


def test_a_known_digest_opens_the_folder_without_parsing_it(root, stamps, tmp_path, no_reading, monkeypatch):
    digest = open_iccv09(root, "own", None, stamps).digest
    monkeypatch.setattr(iccv09, "_content_faults", lambda *_: pytest.fail("it was parsed"))
    open_iccv09(root, "own", digest, tmp_path / "other stamps")


def test_an_unchanged_folder_is_opened_again_without_reading_a_file(root, stamps, no_reading):
    first = open_iccv09(root, "own", None, stamps)
    no_reading()
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


def test_a_folder_accepted_by_its_digest_is_still_parsed_when_the_digest_is_taken_away(root, stamps, tmp_path):
    (root / "labels/1.regions.txt").write_text("x\n")
    digest = hashlib.sha256(
        b"".join(
            hashlib.sha256((root / path).read_bytes()).hexdigest().encode() + f"  ./{path}\n".encode()
            for path in sorted(str(path.relative_to(root)) for path in root.rglob("*.*"))
        )
    ).hexdigest()
    open_iccv09(root, "own", digest, stamps)
    assert "labels/1.regions.txt: line 1: 'x' is no integer" in refusal(root, stamps)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": 1}', b'{"version": 0}'])
def test_a_damaged_stamp_only_means_verifying_again(root, stamps, damage):
    first = open_iccv09(root, "own", None, stamps)
    (stamp,) = stamps.iterdir()
    whole = stamp.read_bytes()
    stamp.write_bytes(damage)
    assert open_iccv09(root, "own", None, stamps) == first
    assert stamp.read_bytes() == whole
    assert json.loads(whole)["digest"] == first.digest


def test_stamps_that_cannot_be_written_do_not_matter(root, tmp_path):
    (tmp_path / "stamps").write_text("a file where the folder should be")
    assert open_iccv09(root, "own", None, tmp_path / "stamps").names == ("1", "2")


def test_two_folders_have_two_stamps(tmp_path, root, stamps):
    shutil.copytree(root, tmp_path / "copy")
    assert open_iccv09(root, "own", None, stamps).digest == open_iccv09(tmp_path / "copy", "own", None, stamps).digest
    assert len(list(stamps.iterdir())) == 2


def test_a_file_removed_after_opening_gives_one_clear_message(root, stamps):
    folder = open_iccv09(root, "own", None, stamps)
    (root / "images/1.jpg").unlink()
    (root / "labels/1.regions.txt").write_text("1 2\n3\n")
    with pytest.raises(BadInput, match=r"images/1\.jpg: No such file or directory\. Start again"):
        folder.image(0)
    with pytest.raises(BadInput, match=r"1\.regions\.txt: line 2 has 1 values, expected 2"):
        folder.label(0, "regions")


def test_hidden_files_of_file_managers_are_no_problem(root, stamps):
    (root / "images/.DS_Store").write_bytes(b"\0")
    (root / "labels/._1.regions.txt").write_bytes(b"\0")
    assert open_iccv09(root, "own", None, stamps).names == ("1", "2")


# --- the digest differs ----------------------------------------------------------------------------------------------


def test_another_digest_says_expected_found_and_the_mend(root, stamps):
    found = open_iccv09(root, "own", None, stamps).digest
    message = refusal(root, stamps, STANFORD_DIGEST)
    assert f"expected content digest {STANFORD_DIGEST}" in message
    assert f"found                   {found}" in message
    assert "Delete the folder and it is fetched again" in message
    assert "data.digest=null" in message


def test_a_damaged_data_set_of_known_digest_is_to_be_fetched_again(root, stamps):
    (root / "labels/1.layers.txt").unlink()
    message = refusal(root, stamps, STANFORD_DIGEST)
    assert "labels/1.layers.txt: missing, images/1.jpg is there" in message
    assert f"Delete {root} and it is fetched again" in message


# --- faults ----------------------------------------------------------------------------------------------------------


def test_an_absent_folder_and_an_empty_one_are_told_apart(tmp_path, stamps):
    assert "There is no data set in" in refusal(tmp_path / "absent", stamps)
    (tmp_path / "file").write_text("")
    assert "There is no data set in" in refusal(tmp_path / "file", stamps)
    (tmp_path / "empty/images").mkdir(parents=True)
    assert "no pictures: expected images/NAME.jpg with labels/NAME.regions.txt" in refusal(tmp_path / "empty", stamps)


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
    "a label file without a picture": (
        lambda root: (root / "images/2.jpg").unlink(),
        "images/2.jpg: missing, labels are there",
    ),
    "a picture without any label": (
        lambda root: [(root / f"labels/2.{label_type}.txt").unlink() for label_type in LABEL_TYPES],
        "labels/2.regions.txt: missing, images/2.jpg is there",
    ),
    "one of three label types missing": (
        lambda root: (root / "labels/2.surfaces.txt").unlink(),
        "labels/2.surfaces.txt: missing, images/2.jpg is there",
    ),
    "ragged rows": (
        rewrite("labels/2.layers.txt", b"1 2\n3\n"),
        "labels/2.layers.txt: line 2 has 1 values, expected 2 as in line 1",
    ),
    "letters": (rewrite("labels/2.layers.txt", b"1 b\n"), "labels/2.layers.txt: line 1: 'b' is no integer"),
    "an empty label": (rewrite("labels/2.layers.txt", b""), "labels/2.layers.txt: empty: expected"),
    "a label of another size": (
        rewrite("labels/2.layers.txt", rows(16, 12)),
        "labels/2.layers.txt: 12×16 (width × height): expected 16×12 as its picture",
    ),
    "a label with a missing row": (
        rewrite("labels/2.regions.txt", rows(11, 16)),
        "labels/2.regions.txt: 16×11 (width × height): expected 16×12 as its picture",
    ),
    "a region too large": (bad_id("regions", 8), "labels/2.regions.txt: id 8 in line 5: expected -1 to 7"),
    "surfaces too large": (
        bad_id("surfaces", 3, times=2),
        "labels/2.surfaces.txt: id 3 in line 5 (2 pixels): expected -1 to 2",
    ),
    "an id too small": (bad_id("layers", -2), "labels/2.layers.txt: id -2 in line 5: expected -1 to 32767"),
    "an empty picture file": (rewrite("images/2.jpg", b""), "images/2.jpg: empty file"),
    "no picture at all": (rewrite("images/2.jpg", b"<html>"), "images/2.jpg: no JPEG file"),
    "a truncated picture": (
        rewrite("images/2.jpg", jpeg(12, 16)[:-20]),
        "images/2.jpg: truncated: its end is missing",
    ),
    "a picture that ends in its header": (
        rewrite("images/2.jpg", jpeg(12, 16)[:40]),
        "images/2.jpg: cannot be decoded: no picture size in its header",
    ),
    "a picture of no pixels": (
        rewrite("images/2.jpg", b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x00\x00\x10" + b"\0" * 20 + b"\xff\xd9"),
        "images/2.jpg: empty picture",
    ),
    "a picture with nothing behind its header": (
        rewrite("images/2.jpg", b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x0c\x00\x10" + b"\0" * 20 + b"\xff\xd9"),
        "images/2.jpg: cannot be decoded: the file is damaged",
    ),
    "a bomb": (
        rewrite("images/2.jpg", b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff" + b"\0" * 20 + b"\xff\xd9"),
        "images/2.jpg: 65535×65535 pixels: expected at most 64,000,000",
    ),
    "names that differ only in case": (
        lambda root: [
            shutil.copy(path, path.with_name(path.name.replace("2.", name)))
            for path in [*root.rglob("2.*")]
            for name in ("a.", "A.")
        ],
        "images/A.jpg, images/a.jpg: names that differ only in case",
    ),
    "a file of another kind": (
        rewrite("images/2.png", b""),
        "images/2.png: expected nothing but images/NAME.jpg",
    ),
    "a label of an unknown type": (
        rewrite("labels/2.depth.txt", b""),
        "labels/2.depth.txt: expected nothing but labels/NAME.regions.txt, labels/NAME.surfaces.txt, labels/",
    ),
    "a folder in the folder": (
        lambda root: shutil.copytree(root / "images", root / "images/more"),
        "images/more/1.jpg: expected nothing but images/NAME.jpg",
    ),
    "a link out of the folder": (
        lambda root: (root / "images/3.jpg").symlink_to("/etc/passwd"),
        "images/3.jpg: a link or device: expected a regular file",
    ),
    "a linked folder": (
        lambda root: (root / "more").symlink_to("/etc"),
        "more: a link or device: expected a regular file",
    ),
    "a pipe, which would block for ever": (
        lambda root: os.mkfifo(root / "images/3.jpg"),
        "images/3.jpg: a link or device: expected a regular file",
    ),
    "a line break in a name": (
        rewrite("images/2\n.jpg", b""),
        "images/2\\n.jpg: unprintable characters in its name",
    ),
    "bytes in a name that are no UTF-8": (
        lambda root: open(os.fsencode(root / "images/2") + b"\xff.jpg", "wb").close(),
        "images/2\\udcff.jpg: unprintable characters in its name",
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_verification_names_the_problem(case, root, stamps):
    damage, problem = PROBLEMS[case]
    damage(root)
    message = refusal(root, stamps)
    assert f"  {problem}" in message
    assert message.splitlines()[0].startswith(f"The data set in {root} cannot be used (")
    assert message.endswith(f"Mend or remove these below {root}.")
    assert not stamps.exists()
    message.encode()  # can be printed anywhere, whatever bytes a name has


def test_all_problems_come_at_once_and_beyond_twenty_their_count(tmp_path, stamps, write_iccv09):
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
    assert "(93 found)" in message  # 90 labels, 2 pictures, 1 link
    assert "… and 73 more" in message


def test_unreadable_files_and_folders_are_listed(root, stamps, monkeypatch):
    # Permissions do not stop root, so the refusal is made by hand.
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


def test_a_file_too_large_to_be_a_label_is_not_read_as_a_whole(root, stamps, monkeypatch):
    monkeypatch.setattr(verification, "MAX_BYTES", 2**20)
    with open(root / "labels/1.layers.txt", "ab") as label:
        label.truncate(2**20 + 1)
    assert "labels/1.layers.txt: larger than 1 MiB" in refusal(root, stamps)


# --- pictures --------------------------------------------------------------------------------------------------------


def test_an_exif_orientation_does_not_turn_the_picture_off_its_label():
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # orientation 6: turned by 90°
    plain = jpeg(12, 16)
    turned = plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif + plain[2:]
    assert cv2.imdecode(np.frombuffer(turned, np.uint8), cv2.IMREAD_COLOR).shape == (16, 12, 3)  # so it is in force
    np.testing.assert_array_equal(read_jpeg(turned), read_jpeg(plain))


def test_grey_and_progressive_pictures_are_read_as_three_channels():
    grey = cv2.imencode(".jpg", np.full((12, 16), 90, np.uint8))[1].tobytes()
    assert read_jpeg(grey).shape == (12, 16, 3)
    assert read_jpeg(jpeg(12, 16, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)).shape == (12, 16, 3)


def test_cmyk_pictures_are_converted():
    image = pytest.importorskip("PIL.Image", reason="Pillow, which writes the CMYK picture, is not installed")
    content = io.BytesIO()
    image.new("CMYK", (16, 12), (255, 0, 0, 0)).save(content, "JPEG")
    blue, green, red = read_jpeg(content.getvalue()).mean((0, 1))
    assert red < 60 < 100 < min(green, blue)


def test_pictures_are_bgr():
    blue = np.zeros((16, 16, 3), np.uint8)
    blue[..., 0] = 250
    assert read_jpeg(cv2.imencode(".jpg", blue)[1].tobytes()).mean((0, 1)).argmax() == 0


def test_every_cut_of_a_picture_is_refused_by_a_value_error():
    whole = jpeg(12, 16)
    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"empty|JPEG|decoded|truncated"):
            read_jpeg(whole[:end])


# --- the real data set -----------------------------------------------------------------------------------------------


def test_the_stanford_set_opens_by_its_digest_and_again_in_a_moment(stanford_root, stamps):
    folder = open_iccv09(stanford_root, "stanford_background", STANFORD_DIGEST, stamps)
    assert folder.digest == STANFORD_DIGEST
    assert len(folder.names) == 715
    assert (folder.names[0], folder.names[-1]) == ("0000047", "9005294")
    start = time.perf_counter()
    assert open_iccv09(stanford_root, "stanford_background", STANFORD_DIGEST, stamps) == folder
    assert time.perf_counter() - start < 0.5  # about 0.02 s on a quiet machine
    index = folder.names.index("2000033")
    assert folder.image(index).shape[:2] == folder.label(index, "regions").shape
    assert (folder.label(index, "regions") < 0).mean() == pytest.approx(0.656, abs=0.0005)


def test_the_stanford_set_passes_the_full_verification(stanford_root, stamps):
    assert open_iccv09(stanford_root, "own", None, stamps).digest == STANFORD_DIGEST
