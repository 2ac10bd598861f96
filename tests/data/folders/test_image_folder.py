"""Images and label images in two folders: what is read, what is refused, and that files are read once."""

import hashlib
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from activation_study.data.folders.image_folder import ImageFolder, open_folder, turned_images
from activation_study.data.folders.pairing import ANY_NAMES, Naming
from activation_study.data.images.image_reader import ImageReader
from activation_study.data.labels.label_types import LabelType
from activation_study.data.preprocessing import preprocess
from activation_study.data.verification import FileTree
from activation_study.errors import BadInput

OWN = LabelType("own", ("a", "b", "c"), ids=((0,), (7, 300), (2,)), unknown=(255,))
IDS = np.array([0, 2, 7, 255, 300])


def noise(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def label(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(IDS, size).astype(np.uint16)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images of different sizes and formats."""
    for part in ("images/sub", "labels/sub"):
        (tmp_path / part).mkdir(parents=True)
    for number, name in enumerate(("1.jpg", "2 two.png", "sub/1.v2.TIFF")):
        size = (8 + number, 12)
        stem = name.rpartition(".")[0]
        cv2.imwrite(str(tmp_path / "images" / name), noise(size, number))
        Image.fromarray(label(size, number)).save(tmp_path / "labels" / f"{stem}.png")
    return tmp_path


def open_own(root: Path, label_type: LabelType = OWN) -> ImageFolder:
    return open_folder("own", root / "images", root / "labels", label_type, root / "stamps")


def refusal(root: Path, label_type: LabelType = OWN) -> str:
    with pytest.raises(BadInput) as error:
        open_own(root, label_type)
    return str(error.value)


def test_names_images_and_labels(root: Path) -> None:
    folder = open_own(root)
    assert folder.names == ("1", "2 two", "sub/1.v2")
    np.testing.assert_array_equal(folder.image(1), noise((9, 12), 1))
    for index in range(3):
        raw = folder.label(index, "own")
        np.testing.assert_array_equal(raw, label((8 + index, 12), index))
        expected = np.select([raw == 0, (raw == 7) | (raw == 300), raw == 2], [0, 1, 2], -1)
        target = OWN.target(raw)
        assert target.dtype == np.int16
        np.testing.assert_array_equal(target, expected)


def test_the_digest_depends_on_the_content_only(root: Path) -> None:
    before = open_own(root).digest
    (root / "images").rename(root / "moved")
    moved = open_folder("other", root / "moved", root / "labels", OWN, root / "stamps")
    assert moved.digest == before
    Image.fromarray(label((8, 12), 9)).save(root / "labels" / "1.png")
    assert open_folder("other", root / "moved", root / "labels", OWN, root / "stamps").digest != before


def test_files_are_read_once_and_again_for_other_ids(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_own(root)

    def refuse(*_: object) -> None:
        raise AssertionError("a file was read")

    with monkeypatch.context() as patch:
        patch.setattr(FileTree, "read_bytes", refuse)
        patch.setattr(FileTree, "_digest", refuse)
        again = open_own(root)
    assert (again.names, again.digest) == (first.names, first.digest)
    fewer = LabelType("own", ("a", "b"), ids=((0,), (7,)), unknown=(255,))
    assert "undeclared ids, neither of a class nor unknown, " in refusal(root, fewer)
    assert open_own(root, LabelType("own", ("a", "b"), ids=((0,), (7,)), unknown=None)).names == first.names


def test_the_same_files_are_in_the_same_order_whatever_is_a_suffix(tmp_path: Path) -> None:
    """Otherwise images prepared without a suffix would be paired with labels prepared with one."""
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
        for number, name in enumerate(("a_x", "a-b_x")):  # "-" is before "_", and "a" before "a-b"
            Image.fromarray(np.full((4, 4), number, np.uint8)).save(tmp_path / part / f"{name}.png")
    label_type = LabelType("own", ("a", "b"), ids=((0,), (1,)))
    for naming, names in ((ANY_NAMES, ("a-b_x", "a_x")), (Naming("_x", "_x"), ("a-b", "a"))):
        folders = tmp_path / "images", tmp_path / "labels"
        source = open_folder("own", *folders, label_type, tmp_path / "stamps", naming=naming)
        assert source.names == names
        prepared = preprocess(source, label_type, (32, 32), "rgb", "nearest", tmp_path / "cache")
        assert prepared.images[:, 0, 0, 0].tolist() == prepared.labels[:, 0, 0].tolist() == [1, 0]
        assert [source.label(index, "own")[0, 0] for index in range(2)] == [1, 0]


def test_files_of_file_managers_are_ignored(root: Path) -> None:
    for name in ("images/.DS_Store", "labels/sub/Thumbs.db", "images/desktop.ini"):
        (root / name).write_bytes(b"x")
    assert len(open_own(root).names) == 3


def test_hidden_files_and_folders_are_no_part_of_the_data(root: Path) -> None:
    digest = open_own(root).digest
    for name in ("images/.ipynb_checkpoints/1-checkpoint.jpg", "labels/.git/HEAD", "images/__MACOSX/1.jpg"):
        (root / name).parent.mkdir()
        (root / name).write_bytes(b"x")
    assert (open_own(root).names, open_own(root).digest) == (("1", "2 two", "sub/1.v2"), digest)


def test_the_digest_is_that_of_the_files_in_both_folders(root: Path) -> None:
    paths = sorted(path for part in ("images", "labels") for path in (root / part).rglob("*") if path.is_file())
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(root)}\n" for path in paths)
    assert open_own(root).digest == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_files_that_are_no_images_are_passed_over(root: Path) -> None:
    digest = open_own(root).digest
    (root / "images/notes.txt").write_text("x")
    (root / "labels/annotations.json").write_text("{}")
    assert open_own(root).digest == digest


def test_links_to_files_and_folders_are_followed_and_seen_when_they_change(root: Path) -> None:
    digest = open_own(root).digest
    (root / "images/sub").rename(root / "elsewhere")
    (root / "images/sub").symlink_to(root / "elsewhere")
    (root / "labels/1.png").rename(root / "one.png")
    (root / "labels/1.png").symlink_to(root / "one.png")
    assert open_own(root).digest == digest
    Image.fromarray(label((8, 12), 5)).save(root / "two.png")
    for path in (root / "one.png", root / "two.png"):
        os.truncate(path, 1000)  # both files decode, and have the same size and time
        os.utime(path, (1, 1))
    first = open_own(root).digest
    (root / "labels/1.png").unlink()
    (root / "labels/1.png").symlink_to(root / "two.png")
    assert open_own(root).digest != first


def test_names_are_equal_in_all_unicode_forms(root: Path) -> None:
    cv2.imwrite(str(root / "images" / f"{unicodedata.normalize('NFD', 'é')}.png"), noise((8, 12)))
    Image.fromarray(label((8, 12))).save(root / "labels" / f"{unicodedata.normalize('NFC', 'é')}.png")
    assert unicodedata.normalize("NFC", "é") in open_own(root).names


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def test_a_label_has_the_size_of_the_rotated_image(root: Path) -> None:
    Image.fromarray(noise((12, 8))).save(root / "images/1.jpg", exif=exif_of(6))  # 12 rows of 8; rotated 8 rows of 12
    assert open_own(root).image(0).shape == (8, 12, 3)
    Image.fromarray(label((12, 8))).save(root / "labels" / "1.png")
    problem = (
        "labels/1.png: 8×12 (width × height): expected 12×8, the size of its image rotated by its EXIF orientation: "
        "turn the label too, or remove the orientation from the image"
    )
    assert problem in refusal(root)
    assert turned_images(open_own_after(root)) == {0: "turned by 90° to the right"}


def open_own_after(root: Path) -> ImageFolder:
    Image.fromarray(label((8, 12))).save(root / "labels" / "1.png")
    return open_own(root)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_a_label_with_its_sides_exchanged_is_not_blamed_on_exif(orientation: int, root: Path) -> None:
    Image.fromarray(noise((8, 12))).save(root / "images/1.jpg", exif=exif_of(orientation))
    Image.fromarray(label((12, 8))).save(root / "labels/1.png")
    message = refusal(root)
    problem = "labels/1.png: 8×12 (width × height): expected 12×8, the size of its image: width and height of the label"
    assert problem in message
    assert "EXIF" not in message
    assert (turned_images(open_own_after(root)) == {}) == (orientation == 1)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


PROBLEMS: list[tuple[Callable[[Path], object], str]] = [
    (lambda root: (root / "labels/1.png").unlink(), "labels/1.png: missing, but images/1.jpg exists"),
    (lambda root: (root / "images/1.jpg").unlink(), "labels/1.png: no image of this name"),
    (lambda root: (root / "images/1.gif").write_text("x"), "images/1.gif: expected a file name that ends in .jpg, "),
    (lambda root: (root / "labels/1.mat").write_text("x"), "labels/1.mat: expected a file name that ends in .png"),
    (lambda root: (root / "labels/1.jpg").write_text("x"), "labels/1.jpg: expected a file name that ends in .png"),
    (lambda root: (root / "labels/1.jpg").write_text("x"), "its compression changes values: export the labels as PNG"),
    (lambda root: cv2.imwrite(str(root / "images/1.png"), noise((8, 12))), "images/1.jpg, images/1.png: names that"),
    (lambda root: (root / "images/a\nb.jpg").write_bytes(b""), "images/a\\nb.jpg: unprintable characters"),
    (lambda root: truncate(root / "images/2 two.png"), "images/2 two.png: cannot be decoded"),
    (lambda root: (root / "images/1.jpg").write_bytes(b""), "images/1.jpg: empty file"),
    (lambda root: (root / "images/1.jpg").write_text("<html>404</html>"), "images/1.jpg: not a JPEG or PNG"),
    (
        lambda root: cv2.imwrite(str(root / "labels/1.png"), noise((8, 12))),
        "1 label with colours, e.g. labels/1.png, but the classes have none",
    ),
    (lambda root: Image.fromarray(label((8, 13))).save(root / "labels/1.png"), "labels/1.png: 13×8 (width × height)"),
    (
        lambda root: Image.fromarray(np.full((8, 12), 9, np.uint8)).save(root / "labels/1.png"),
        "of all pixels, in 1 of 3 labels:\n    9: 96 pixels in 1 label, e.g. labels/1.png\n    declare a class",
    ),
    (lambda root: (root / "images/link.jpg").symlink_to("/none.jpg"), "images/link.jpg: a link to /none.jpg, which is"),
    (lambda root: (root / "images/link.jpg").symlink_to("link.jpg"), "images/link.jpg: a link to link.jpg, which is"),
    (lambda root: (root / "images/loop").symlink_to(root / "images"), "images/loop: a link to a folder that it is in"),
    (lambda root: (root / "images/zero.jpg").symlink_to("/dev/zero"), "images/zero.jpg: a link or device"),
    (lambda root: os.mkfifo(root / "images/pipe.jpg"), "images/pipe.jpg: a link or device: expected a regular file"),
]


@pytest.mark.parametrize(("damage", "problem"), PROBLEMS, ids=[problem for _, problem in PROBLEMS])
def test_a_problem_is_reported_with_its_file(damage: Callable[[Path], object], problem: str, root: Path) -> None:
    damage(root)
    message = refusal(root)
    assert problem in message
    assert f"`images/…` is in {root / 'images'}" in message


def test_all_problems_are_listed(root: Path) -> None:
    truncate(root / "labels/1.png")
    (root / "images/2 two.png").unlink()
    (root / "images/x.gif").write_bytes(b"GIF89a")
    assert "(3 found)" in refusal(root)


def test_missing_equal_and_empty_folders_are_refused(root: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.labels=.*none: no such folder"):
        open_folder("own", root / "images", root / "none", OWN, root / "stamps")
    with pytest.raises(BadInput, match=r"data\.images and data.labels are both"):
        open_folder("own", root / "images", root / "images", OWN, root / "stamps")
    (root / "empty").mkdir()
    with pytest.raises(BadInput, match=r"no images: expected images/NAME\.jpg"):
        open_folder("own", root / "empty", root / "labels", OWN, root / "stamps")


def test_a_file_changed_after_verification_is_reported(root: Path) -> None:
    folder = open_own(root)
    (root / "labels/1.png").write_bytes(b"")
    with pytest.raises(BadInput, match=r"labels/1\.png: empty file\. The file was changed after it was verified"):
        folder.label(0, "own")


def test_images_are_read_by_the_channels_of_the_configuration(root: Path) -> None:
    folder = open_folder("own", root / "images", root / "labels", OWN, root / "stamps", ImageReader(1))
    assert folder.image(1).shape == (9, 12, 1)
    assert folder.facts(1).channels == 3
    with pytest.raises(BadInput, match=r"3 channels, but data.channels=4: set data.channels=3"):
        open_folder("own", root / "images", root / "labels", OWN, root / "stamps", ImageReader(4))
    for index in range(1, 4):  # nearly black, in images of all sizes
        path = next(path for path in (root / "images").rglob("*") if path.is_file() and path.suffix != ".tif")
        size = cv2.imread(str(path)).shape[:2]
        path.unlink()
        cv2.imwrite(str(path.with_suffix(".tif")), np.full(size, 1000 + index, np.uint16))
    assert (
        "and 2 more images: 16 bits, but values from 1001 to 1003 of 0 to 65535, so nearly black: "
        "set data.value_range=[0,1023]"
    ) in refusal(root)
    ranged = ImageReader(1, (0, 1023))
    assert open_folder("own", root / "images", root / "labels", OWN, root / "stamps", ranged).image(0).max() > 248


def test_a_range_that_hardly_fits_is_warned_of_when_files_are_read(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, path in enumerate(sorted(path for path in (root / "images").rglob("*") if path.is_file())):
        path.unlink()
        Image.fromarray(np.full((8 + number, 12), 3000, np.uint16)).save(path.with_suffix(".png"))
    arguments = ("own", root / "images", root / "labels", OWN, root / "stamps", ImageReader(1, (0, 65535)))
    warning = (
        "warning: images/1.png and 2 more images: values from 3000 to 3000 in data.value_range=[0,65535], so nearly "
        "black: unless this is meant, set data.value_range=[0,4095]\n"
    )
    for expected in (1, 0):
        open_folder(*arguments)
        assert capsys.readouterr().err.count(warning) == expected


def test_medical_formats_have_to_be_converted(root: Path) -> None:
    (root / "images" / "head.nii.gz").write_bytes(b"")
    assert "images/head.nii.gz: expected a file name that ends in" in refusal(root)
    assert "; convert NIfTI to TIFF (docs/how-to/own-data-images.md)" in refusal(root)
