"""Bad folders, archives and command lines: one clear message, exit code 2, no changes and no incomplete files.
Unusual but valid input is accepted.
"""

import io
import struct
import subprocess
import tarfile
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from cli_runner import command
from conftest import WriteIccv09

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[1]
NAMES = ("1", "2", "3", "4", "5")
SIZE = (12, 16)
Damage = Callable[[Path], object]


def inspect(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the fastest command that reads a whole data set."""
    return command(folder, "inspect_data.py", "data.image_size=32", "model=unet_small", *arguments)


def contents(folder: Path) -> dict[str, bytes | str]:
    return {
        path.relative_to(folder).as_posix(): "link" if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def assert_refused(result: subprocess.CompletedProcess[str], problem: str, folder: Path) -> None:
    assert result.returncode == 2, result.stdout + result.stderr
    assert problem in result.stderr
    assert result.stderr.count("error: ") == 1
    assert "Traceback" not in result.stderr
    assert not list(folder.rglob(".tmp-*"))
    assert not (folder / "outputs").exists()
    assert not list(folder.rglob("*.npy")), "nothing is preprocessed before everything is checked"


def jpeg(height: int = SIZE[0], width: int = SIZE[1], **options: object) -> bytes:
    file = io.BytesIO()
    array = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    mode = str(options.pop("mode", "RGB"))
    Image.fromarray(array).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def resized_header(content: bytes, height: int, width: int) -> bytes:
    """The JPEG with another size in its header."""
    frame = content.index(b"\xff\xc0")
    return content[: frame + 5] + struct.pack(">HH", height, width) + content[frame + 9 :]


def png(height: int, width: int, data: bytes) -> bytes:
    chunks = b""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    for name, content in ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")):
        chunks += struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return b"\x89PNG\r\n\x1a\n" + chunks


def label(change: Callable[[list[str]], list[str]]) -> Damage:
    """Changes the lines of a label file."""

    def damage(root: Path) -> None:
        path = root / "labels/3.regions.txt"
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")

    return damage


def image(content: bytes) -> Damage:
    return lambda root: (root / "images/3.jpg").write_bytes(content)


def replaced(path: Path, old: bytes, new: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(old, new))


JPEG_FILE = jpeg()
LAYOUT: dict[str, tuple[Damage, str]] = {
    "a truncated image": (image(JPEG_FILE[:-40]), "images/3.jpg: truncated: the end marker is missing"),
    "an empty image": (image(b""), "images/3.jpg: empty file"),
    "an HTML page in place of an image": (image(b"<html>404 Not Found</html>"), "images/3.jpg: not a JPEG file"),
    "a PNG called JPEG": (image(png(*SIZE, bytes(500))), "images/3.jpg: not a JPEG file"),
    "a decompression bomb": (
        image(resized_header(JPEG_FILE, 60000, 60000)),
        "images/3.jpg: more than 64,000,000 pixels",
    ),
    "an image of no height": (image(resized_header(JPEG_FILE, 0, 16)), "images/3.jpg: not a JPEG file"),
    "an image of another size": (
        image(jpeg(13, 16)),
        "labels/3.regions.txt: 16×12 (width × height): expected 16×13",
    ),
    "a label without its last rows": (label(lambda lines: lines[:-2]), "labels/3.regions.txt: 16×10 (width × height)"),
    "a label of another size": (label(lambda lines: [f"{line} 0" for line in lines]), "17×12 (width × height)"),
    "letters in a label": (label(lambda lines: ["sky " + lines[0], *lines[1:]]), "line 1: 'sky' is not an integer"),
    "floats in a label": (label(lambda lines: [lines[0].replace(" ", ".0 "), *lines[1:]]), ".0' is not an integer"),
    "NaN in a label": (label(lambda lines: [*lines[:4], "nan" + lines[4][1:], *lines[5:]]), "line 5: 'nan"),
    "an id too large": (
        label(lambda lines: ["8" + lines[0].lstrip("-")[1:], *lines[1:]]),
        "id 8 in line 1: expected -1 to 7",
    ),
    "an id too small": (
        label(lambda lines: ["-2" + lines[0].lstrip("-")[1:], *lines[1:]]),
        "id -2 in line 1: expected -1 to 7",
    ),
    "an id beyond 16 bits": (
        label(lambda lines: ["99999999999" + lines[0].lstrip("-")[1:], *lines[1:]]),
        "is out of range",
    ),
    "a ragged label": (
        label(lambda lines: [*lines[:5], lines[5] + " 1", *lines[6:]]),
        "line 6 has 17 values, expected 16",
    ),
    "a blank line in a label": (label(lambda lines: [*lines[:5], "", *lines[5:]]), "line 6 is empty"),
    "an empty label": (lambda root: (root / "labels/3.regions.txt").write_bytes(b""), "labels/3.regions.txt: empty"),
    "a label of zero bytes": (
        lambda root: (root / "labels/3.regions.txt").write_bytes(bytes(500)),
        "is not an integer",
    ),
    "lines that end with CR": (
        lambda root: replaced(root / "labels/3.regions.txt", b"\n", b"\r"),
        "labels/3.regions.txt: lines end with CR: expected LF or CRLF",
    ),
    "a missing label": (lambda root: (root / "labels/3.layers.txt").unlink(), "labels/3.layers.txt: missing"),
    "a missing image": (lambda root: (root / "images/3.jpg").unlink(), "images/3.jpg: missing"),
    "names that differ in case": (
        lambda root: (
            [path.rename(path.with_name(path.name.replace("3.", "A."))) for path in root.glob("*/3.*")]
            and [path.rename(path.with_name(path.name.replace("4.", "a."))) for path in root.glob("*/4.*")]
        ),
        "names that differ only in case",
    ),
    "two extensions": (
        lambda root: (root / "images/3.jpg.png").write_bytes(JPEG_FILE),
        "images/3.jpg.png: unexpected file",
    ),
    "an unprintable name": (
        lambda root: (root / "images/\x1b[2J.jpg").write_bytes(JPEG_FILE),
        "unprintable characters",
    ),
    "a link out of the folder": (lambda root: (root / "images/6.jpg").symlink_to("/etc/passwd"), "a link or device"),
    "a folder in place of an image": (
        lambda root: [(root / "images/3.jpg").unlink(), (root / "images/3.jpg").mkdir()],
        "images/3.jpg: missing",
    ),
    "no labels": (
        lambda root: [path.unlink() for path in root.glob("labels/*")],
        "labels/1.layers.txt, …): missing",
    ),
    "no files": (lambda root: [path.unlink() for path in root.glob("*/*")], "no images: expected images/NAME.jpg"),
}


@pytest.mark.parametrize("case", LAYOUT)
def test_a_bad_file_of_a_data_set_is_reported(case: str, tmp_path: Path, write_iccv09: WriteIccv09) -> None:
    root = write_iccv09(tmp_path / "data set", NAMES, SIZE)
    damage, problem = LAYOUT[case]
    damage(root)
    before = contents(root)
    result = inspect(tmp_path, "data=camvid", "data.root=data set", "label_type=regions", "data.cache=cache")
    assert_refused(result, problem, tmp_path)
    assert contents(root) == before


def archive_with(info: tarfile.TarInfo) -> Callable[[Path, Path], None]:
    def write(root: Path, path: Path) -> None:
        with tarfile.open(path, "w:gz") as tar:
            tar.add(root, "iccv09Data")
            tar.addfile(info, io.BytesIO(bytes(info.size)))

    return write


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, 5 if kind == tarfile.REGTYPE else 0
    return info


def truncate(root: Path, path: Path) -> None:
    archive_with(member("iccv09Data/README"))(root, path)
    path.write_bytes(path.read_bytes()[:-50])


ARCHIVES: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "an absolute path": (archive_with(member("/tmp/escaped")), "points outside the folder"),
    "a path upwards": (archive_with(member("iccv09Data/../../escaped")), "points outside the folder"),
    "a symbolic link": (archive_with(member("iccv09Data/x", tarfile.SYMTYPE, "/etc")), "is a link or device"),
    "a hard link": (archive_with(member("iccv09Data/x", tarfile.LNKTYPE, "iccv09Data/images/1.jpg")), "is a link or"),
    "a device": (archive_with(member("iccv09Data/x", tarfile.CHRTYPE)), "is a link or device"),
    "a truncated archive": (truncate, "truncated"),
    "an HTML page": (lambda root, path: path.write_text("<html>"), "not a tar archive"),
    "a folder": (lambda root, path: path.mkdir(), "not a file"),
    "no file": (lambda root, path: None, "no such file"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_a_bad_archive_is_reported(case: str, tmp_path: Path, write_iccv09: WriteIccv09) -> None:
    root = write_iccv09(tmp_path / "source", NAMES, SIZE)
    write, problem = ARCHIVES[case]
    write(root, tmp_path / "packed.tar.gz")
    result = inspect(tmp_path, "data=camvid", "data.root=new", "data.archive=packed.tar.gz", "data.cache=cache")
    assert_refused(result, problem, tmp_path)
    assert not (tmp_path / "new").exists()


CLASSES = "classes: [{name: a, id: 0}, {name: b, id: 7}]\nunknown: [255]\n"


def write_own_data(folder: Path) -> Path:
    """Five images with label images and a list of classes."""
    generator = np.random.default_rng(0)
    for part in ("images", "labels"):
        (folder / part).mkdir()
    for name in NAMES:
        Image.fromarray(generator.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(folder / f"images/{name}.png")
        Image.fromarray(generator.choice(np.array([0, 7, 255], np.uint8), SIZE)).save(folder / f"labels/{name}.png")
    (folder / "classes.yaml").write_text(CLASSES)
    return folder


OWN = (
    "data=folder", "data.images=images", "data.labels=labels", "data.classes=classes.yaml", "data.cache=cache",
)  # fmt: skip
OWN_PROBLEMS: dict[str, tuple[Damage, str]] = {
    "a truncated PNG": (
        lambda root: (root / "images/3.png").write_bytes((root / "images/3.png").read_bytes()[:-80]),
        "images/3.png: cannot be decoded",
    ),
    "a PNG bomb": (
        lambda root: (root / "images/3.png").write_bytes(png(50000, 50000, b"")),
        "more than 64,000,000 pixels",
    ),
    "a GIF": (
        lambda root: (root / "images/3.gif").write_bytes(b"GIF89a"),
        "images/3.gif: expected a file name that ends in",
    ),
    "a colour label image": (
        lambda root: Image.new("RGB", SIZE[::-1], "red").save(root / "labels/3.png"),
        "1 label with colours, e.g. labels/3.png, but the classes have none",
    ),
    "a label image with transparency": (
        lambda root: Image.new("LA", SIZE[::-1]).save(root / "labels/3.png"),
        "labels/3.png: 100.0% of its pixels are transparent",
    ),
    "an undeclared id": (
        lambda root: Image.new("L", SIZE[::-1], 9).save(root / "labels/3.png"),
        "    9: 192 pixels in 1 label, e.g. labels/3.png\n",
    ),
    "a rotated label": (
        lambda root: Image.new("L", SIZE).save(root / "labels/3.png"),
        "12×16 (width × height): expected 16×12",
    ),
    "a missing label": (lambda root: (root / "labels/3.png").unlink(), "labels/3.png: missing"),
    "a missing list of classes": (
        lambda root: (root / "classes.yaml").unlink(),
        "data.classes=classes.yaml: No such file",
    ),
    "a list of classes that runs code": (
        lambda root: (root / "classes.yaml").write_text("!!python/object/apply:os.system ['touch escaped']"),
        "is not a valid YAML file",
    ),
    "a missing folder of labels": (
        lambda root: (root / "labels").rename(root / "other"),
        "data.labels=labels: no such folder",
    ),
}


@pytest.mark.parametrize("case", OWN_PROBLEMS)
def test_a_bad_file_of_own_data_is_reported(case: str, tmp_path: Path) -> None:
    damage, problem = OWN_PROBLEMS[case]
    damage(write_own_data(tmp_path))
    before = contents(tmp_path)
    result = inspect(tmp_path, *OWN)
    assert_refused(result, problem, tmp_path)
    assert {name: content for name, content in contents(tmp_path).items() if not name.startswith("cache/")} == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["data.split=kfold", "data.fold=7"], "data.fold=7: expected a fold below data.folds=5"),
        (["data.split=files"], "expected data.split=files together with data.split_files=FOLDER"),
        (["data.split=files", "data.split_files=none"], "train.txt: no such file"),
        (["data.split=files", "data.split_files=lists"], "names in the split files without an image (1): nowhere"),
        (["data.count=4"], "data.count=4: expected 5 or more"),
        (["label_type=own"], "expected label_type=own with data=folder"),
        (["model.widths=[4]"], "model.widths=[4]: expected two or more levels"),
        (["data.image_size=[32]"], "data.image_size=[32]: expected one number, or [height,width]"),
        (["threads=0"], "threads=0: expected 1 or more"),
        (["study=../outside"], "study=../outside: expected only letters, digits"),
        (["activation.name=../../x"], "activation.name=../../x: expected only letters, digits"),
        (["data.name=.."], "data.name=..: expected only letters, digits"),
    ],
)
def test_an_inconsistent_configuration_is_refused(arguments: list[str], problem: str, tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    for part, name in (("train", "scene0000"), ("validation", "nowhere"), ("test", "scene0001")):
        (tmp_path / f"lists/{part}.txt").write_text(name)
    result = inspect(tmp_path, "data=scenes", "data.count=6", "data.cache=cache", *arguments)
    assert result.returncode == 2, result.stdout + result.stderr
    assert problem in result.stderr
    assert "Traceback" not in result.stderr


def test_unusual_files_are_accepted(tmp_path: Path, write_iccv09: WriteIccv09) -> None:
    names = ("grey", "CMYK", "rotated by EXIF", "CRLF", "tabs and spaces", unicodedata.normalize("NFC", "Übung"))
    root = write_iccv09(tmp_path / "data set", names, SIZE)
    exif = Image.Exif()
    exif[0x0112] = 6
    (root / "images/grey.jpg").write_bytes(jpeg(mode="L"))
    (root / "images/CMYK.jpg").write_bytes(jpeg(mode="CMYK"))
    (root / "images/rotated by EXIF.jpg").write_bytes(jpeg(exif=exif))  # its label has the stored orientation
    replaced(root / "labels/CRLF.regions.txt", b"\n", b"\r\n")
    path = root / "labels/tabs and spaces.regions.txt"
    path.write_bytes(b" " + path.read_bytes().replace(b" ", b"\t ").replace(b"\n", b"  \n") + b"\n\n")
    (root / "horizons.txt").write_text("anything")
    (root / ".DS_Store").write_bytes(bytes(10))
    before = contents(root)
    result = inspect(tmp_path, "data=camvid", "data.root=data set", "label_type=regions", "data.cache=cache")
    assert result.returncode == 0, result.stderr
    assert contents(root) == before


def test_unusual_files_of_own_data_are_accepted(tmp_path: Path) -> None:
    write_own_data(tmp_path)
    image_16_bit = np.random.default_rng(0).integers(0, 65536, SIZE, dtype=np.uint16)
    Image.fromarray(image_16_bit).save(tmp_path / "images/1.png")
    cv2.imwrite(str(tmp_path / "images/2.png"), np.full((*SIZE, 4), 90, np.uint8))  # transparency
    cv2.imwrite(str(tmp_path / "images/3.png"), np.full((*SIZE, 3), 40000, np.uint16))
    (tmp_path / "images/4.png").rename(tmp_path / "images/4.PNG")
    Image.fromarray(np.full(SIZE, 7, np.uint16)).save(tmp_path / "labels/5.png")
    result = inspect(tmp_path, *OWN)
    assert result.returncode == 0, result.stderr
    assert "only b" in (tmp_path / "outputs/inspection/folder-own/index.html").read_text()


@pytest.mark.parametrize("damage", ["truncated", "empty", "another shape", "objects"])
def test_a_damaged_cache_is_computed_again(damage: str, tmp_path: Path) -> None:
    write_own_data(tmp_path)
    assert inspect(tmp_path, *OWN).returncode == 0
    arrays = sorted(tmp_path.glob("cache/*/*.npy"))
    assert len(arrays) == 2
    whole = [path.read_bytes() for path in arrays]
    for path in arrays:
        if damage == "another shape":
            np.save(path, np.zeros((3, 3), np.uint8))
        elif damage == "objects":
            np.save(path, np.array([{"a": 1}], object), allow_pickle=True)
        else:
            path.write_bytes(path.read_bytes()[: -50 if damage == "truncated" else 0])
    result = inspect(tmp_path, *OWN)
    assert result.returncode == 0, result.stderr
    assert [path.read_bytes() for path in arrays] == whole


def test_a_cache_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    write_own_data(tmp_path)
    (tmp_path / "cache").write_text("a file in place of the folder")
    result = inspect(tmp_path, *OWN)
    assert result.returncode == 2
    assert "cannot write the preprocessed arrays" in result.stderr
    assert "Set data.cache=FOLDER" in result.stderr
    assert (tmp_path / "cache").read_text() == "a file in place of the folder"


@pytest.fixture
def small_disk(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A disk of 64 kB."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount_point)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    yield mount_point
    subprocess.run(["umount", str(mount_point)], check=True)


def test_a_full_disk_is_reported_and_no_file_is_left_on_it(small_disk: Path, tmp_path: Path) -> None:
    write_own_data(tmp_path)
    result = inspect(tmp_path, *OWN[:-1], f"data.cache={small_disk}", "data.image_size=256")
    assert result.returncode == 2, result.stdout + result.stderr
    assert "No space left on device. Set data.cache=FOLDER" in result.stderr
    assert "Traceback" not in result.stderr
    assert not [path for path in small_disk.rglob("*") if path.suffix == ".npy"]


def test_a_read_only_disk_is_reported(small_disk: Path, tmp_path: Path) -> None:
    write_own_data(tmp_path)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    result = inspect(tmp_path, *OWN[:-1], f"data.cache={small_disk}")
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Read-only file system" in result.stderr
    assert "Set data.cache=FOLDER" in result.stderr
