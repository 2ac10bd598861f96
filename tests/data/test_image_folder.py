"""Pictures and label images in two folders: what is read, what is refused, and that it is read once."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from activation_study.data.image_folder import PictureFolder, open_folder
from activation_study.data.label_types import LabelType
from activation_study.data.verification import FileTree
from activation_study.errors import BadInput

OWN = LabelType("own", ("a", "b", "c"), ids=((0,), (7, 300), (2,)), unknown=(255,))
IDS = np.array([0, 2, 7, 255, 300])


def picture(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def label(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).choice(IDS, size).astype(np.uint16)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three pictures of different sizes and formats."""
    for part in ("images/sub", "labels/sub"):
        (tmp_path / part).mkdir(parents=True)
    for number, name in enumerate(("1.jpg", "2 two.png", "sub/1.v2.TIFF")):
        size = (8 + number, 12)
        stem = name.rpartition(".")[0]
        cv2.imwrite(str(tmp_path / "images" / name), picture(size, number))
        Image.fromarray(label(size, number)).save(tmp_path / "labels" / f"{stem}.png")
    return tmp_path


def opened(root: Path, label_type: LabelType = OWN) -> PictureFolder:
    return open_folder("own", root / "images", root / "labels", label_type, root / "stamps")


def refusal(root: Path, label_type: LabelType = OWN) -> str:
    with pytest.raises(BadInput) as error:
        opened(root, label_type)
    return str(error.value)


def test_names_pictures_and_labels(root: Path) -> None:
    folder = opened(root)
    assert folder.names == ("1", "2 two", "sub/1.v2")
    np.testing.assert_array_equal(folder.image(1), picture((9, 12), 1))
    for index in range(3):
        raw = folder.label(index, "own")
        np.testing.assert_array_equal(raw, label((8 + index, 12), index))
        expected = np.select([raw == 0, (raw == 7) | (raw == 300), raw == 2], [0, 1, 2], -1)
        target = OWN.target(raw)
        assert target.dtype == np.int16
        np.testing.assert_array_equal(target, expected)


def test_the_digest_is_that_of_the_content_wherever_it_is(root: Path) -> None:
    before = opened(root).digest
    (root / "images").rename(root / "photographs")
    moved = open_folder("other", root / "photographs", root / "labels", OWN, root / "stamps")
    assert moved.digest == before
    Image.fromarray(label((8, 12), 9)).save(root / "labels" / "1.png")
    assert open_folder("other", root / "photographs", root / "labels", OWN, root / "stamps").digest != before


def test_files_are_read_once_and_again_for_other_ids(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(root)

    def refuse(*_: object) -> None:
        raise AssertionError("a file was read")

    with monkeypatch.context() as patch:
        patch.setattr(FileTree, "content", refuse)
        patch.setattr(FileTree, "_digest", refuse)
        again = opened(root)
    assert (again.names, again.digest) == (first.names, first.digest)
    fewer = LabelType("own", ("a", "b"), ids=((0,), (7,)), unknown=(255,))
    assert "labels/1.png: ids that are no class' nor unknown: 2 (" in refusal(root, fewer)
    assert opened(root, LabelType("own", ("a", "b"), ids=((0,), (7,)), unknown=None)).names == first.names


def test_hidden_files_and_those_of_file_managers_are_no_part(root: Path) -> None:
    for name in ("images/.DS_Store", "labels/sub/Thumbs.db", "images/desktop.ini"):
        (root / name).write_bytes(b"x")
    assert len(opened(root).names) == 3


def test_a_name_is_the_same_however_unicode_composes_it(root: Path) -> None:
    cv2.imwrite(str(root / "images" / f"{unicodedata.normalize('NFD', 'é')}.png"), picture((8, 12)))
    Image.fromarray(label((8, 12))).save(root / "labels" / f"{unicodedata.normalize('NFC', 'é')}.png")
    assert unicodedata.normalize("NFC", "é") in opened(root).names


def test_a_label_fits_its_picture_as_viewers_show_it(root: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture((12, 8))).save(
        root / "images" / "1.jpg", exif=exif
    )  # shown as 12 rows of 8, turned: 8 of 12
    assert opened(root).image(0).shape == (8, 12, 3)
    Image.fromarray(label((12, 8))).save(root / "labels" / "1.png")
    assert "labels/1.png: 8×12 (width × height): expected 12×8 as its picture; it is turned by its EXIF" in refusal(
        root
    )


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


PROBLEMS: list[tuple[Callable[[Path], object], str]] = [
    (lambda root: (root / "labels/1.png").unlink(), "labels/1.png: missing, images/1.jpg is there"),
    (lambda root: (root / "images/1.jpg").unlink(), "labels/1.png: there is no picture of that name"),
    (lambda root: (root / "images/notes.txt").write_text("x"), "images/notes.txt: expected files that end in .jpg,"),
    (lambda root: (root / "labels/1.jpg").write_text("x"), "labels/1.jpg: expected files that end in .png"),
    (lambda root: cv2.imwrite(str(root / "images/1.png"), picture((8, 12))), "images/1.jpg, images/1.png: names that"),
    (lambda root: (root / "images/a\nb.jpg").write_bytes(b""), "images/a\\nb.jpg: unprintable characters"),
    (lambda root: truncated(root / "images/2 two.png"), "images/2 two.png: cannot be decoded"),
    (lambda root: (root / "images/1.jpg").write_bytes(b""), "images/1.jpg: empty file"),
    (lambda root: (root / "images/1.jpg").write_text("<html>404</html>"), "images/1.jpg: no JPEG, PNG"),
    (lambda root: cv2.imwrite(str(root / "labels/1.png"), picture((8, 12))), "labels/1.png: colours (RGB): expected"),
    (lambda root: Image.fromarray(label((8, 13))).save(root / "labels/1.png"), "labels/1.png: 13×8 (width × height)"),
    (
        lambda root: Image.fromarray(np.full((8, 12), 9, np.uint8)).save(root / "labels/1.png"),
        "labels/1.png: ids that are no class' nor unknown: 9 (96 pixels)",
    ),
    (lambda root: (root / "images/link.jpg").symlink_to(root / "images/1.jpg"), "images/link.jpg: a link or device"),
]


@pytest.mark.parametrize(("harm", "told"), PROBLEMS, ids=[told for _, told in PROBLEMS])
def test_a_problem_is_named_with_its_file(harm: Callable[[Path], object], told: str, root: Path) -> None:
    harm(root)
    message = refusal(root)
    assert told in message
    assert f"`images/…` is below {root / 'images'}" in message


def test_all_problems_come_at_once(root: Path) -> None:
    truncated(root / "labels/1.png")
    (root / "images/2 two.png").unlink()
    (root / "images/x.gif").write_bytes(b"GIF89a")
    assert "(3 found)" in refusal(root)


def test_folders_that_are_none_are_refused(root: Path) -> None:
    with pytest.raises(BadInput, match=r"data\.labels=.*none: there is no such folder"):
        open_folder("own", root / "images", root / "none", OWN, root / "stamps")
    with pytest.raises(BadInput, match=r"data\.images and data.labels are both"):
        open_folder("own", root / "images", root / "images", OWN, root / "stamps")
    (root / "empty").mkdir()
    with pytest.raises(BadInput, match=r"no pictures: expected images/NAME\.jpg"):
        open_folder("own", root / "empty", root / "labels", OWN, root / "stamps")


def test_a_file_that_is_damaged_later_is_named(root: Path) -> None:
    folder = opened(root)
    (root / "labels/1.png").write_bytes(b"")
    with pytest.raises(BadInput, match=r"labels/1\.png: empty file\. Start again"):
        folder.label(0, "own")
