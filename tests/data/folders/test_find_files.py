"""Images and labels found by names alone: what is paired, what is left out, and the fix that a refusal proposes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from activation_study.data.folders.find_files import FoundFiles, find_files
from activation_study.data.folders.pairing import ANY_NAMES, Naming
from activation_study.data.splitting.folder_splits import in_part_folder
from activation_study.data.splitting.split_files import read_split_files
from activation_study.data.splitting.splits import split_by_names
from activation_study.errors import BadInput

NAMES = ("1", "2", "3", "4", "10")


def write(root: Path, *patterns: str) -> None:
    """Empty files, one of each pattern and name."""
    for pattern in patterns:
        for name in NAMES:
            path = root / pattern.format(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")


def find(root: Path, images: str = "images", labels: str = "labels", naming: Naming = ANY_NAMES) -> FoundFiles:
    found = find_files(root / images, root / labels, naming)
    found.reject(found.problems)
    return found


def refusal(root: Path, images: str = "images", labels: str = "labels", naming: Naming = ANY_NAMES) -> str:
    with pytest.raises(BadInput) as error:
        find(root, images, labels, naming)
    return str(error.value).replace(f"{root}/", "")


@pytest.mark.parametrize(
    ("patterns", "folders", "naming", "first", "names"),
    [
        (("images/{}.JPG", "labels/{}.PNG"), ("images", "labels"), ANY_NAMES, ("1.JPG", "1.PNG"), NAMES),
        (("images/{}.png", "labels/{}.tif"), ("images", "labels"), ANY_NAMES, ("1.png", "1.tif"), NAMES),
        (("images/{}.jpg", "labels/{}.jpg.png"), ("images", "labels"), ANY_NAMES, ("1.jpg", "1.jpg.png"), NAMES),
        (("all/{}.jpg", "all/{}_mask.png"), ("all", "all"), Naming(None, "_mask"), ("1.jpg", "1_mask.png"), NAMES),
        (("all/{}.png", "all/{}_mask.png"), ("all", "all"), Naming(None, "_mask"), ("1.png", "1_mask.png"), NAMES),
        (("all/{}_im.png", "all/{}.png"), ("all", "all"), Naming("_im", None), ("1_im.png", "1.png"), NAMES),
        (("all/{}.jpg", "all/masks/{}.png"), ("all", "all/masks"), ANY_NAMES, ("1.jpg", "1.png"), NAMES),
        (
            ("all/train/images/{}.jpg", "all/train/masks/{}.png", "all/test/images/{}.jpg", "all/test/masks/{}.png"),
            ("all/*/images", "all/*/masks"),
            ANY_NAMES,
            ("test/1.jpg", "test/1.png"),
            [f"{part}/{name}" for part in ("test", "train") for name in NAMES],
        ),
        (
            ("i/a/{}_leftImg8bit.png", "l/a/{}_gtFine_labelIds.png", "l/a/{}_gtFine_color.png", "l/a/{}_gtFine.json"),
            ("i", "l"),
            Naming("_leftImg8bit", "_gtFine_labelIds"),
            ("a/1_leftImg8bit.png", "a/1_gtFine_labelIds.png"),
            [f"a/{name}" for name in NAMES],
        ),
    ],
)
def test_images_and_labels_are_paired(
    patterns: tuple[str, ...],
    folders: tuple[str, str],
    naming: Naming,
    first: tuple[str, str],
    names: tuple[str, ...],
    tmp_path: Path,
) -> None:
    write(tmp_path, *patterns)
    pairing = find(tmp_path, *folders, naming).pairing
    assert sorted(pairing.names) == sorted(names)
    image, label = first
    name = min(pairing.names)
    assert (pairing.images[name], pairing.labels[name]) == ([f"images/{image}"], [f"labels/{label}"])


def test_a_folder_that_is_there_twice_by_a_link_counts_once(tmp_path: Path) -> None:
    write(tmp_path, "all/train/{}.jpg", "all/train/{}_L.png")
    (tmp_path / "all/training").symlink_to("train")
    pairing = find(tmp_path, "all/*", "all/*", Naming(None, "_L")).pairing
    assert sorted(pairing.names) == sorted(f"train/{name}" for name in NAMES)
    assert pairing.labels["train/1"] == ["labels/train/1_L.png"]


FIXES: dict[str, tuple[tuple[str, ...], tuple[str, str], str]] = {
    "a suffix": (("images/{}.jpg", "labels/{}_L.png"), ("images", "labels"), "match with data.label_suffix=_L:"),
    "of several files, the one with ids": (
        ("i/a/{}_leftImg8bit.png", "l/a/{}_gtFine_labelIds.png", "l/a/{}_gtFine_color.png"),
        ("i", "l"),
        "match with data.image_suffix=_leftImg8bit data.label_suffix=_gtFine_labelIds (or data.image_suffix=_left",
    ),
    "one folder": (("all/{}.jpg", "all/{}_mask.png"), ("all", "all"), "data.label_suffix=_mask tells labels from"),
    "the folder above": (
        ("all/images/{}.jpg", "all/labels/{}.png"),
        ("all", "all"),
        "Give data.images=all/images data.labels=all/labels.",
    ),
    "the folder above the images": (
        ("all/images/{}.jpg", "all/labels/{}.png"),
        ("all", "all/labels"),
        "The names match with data.images=all/images data.labels=all/labels.",
    ),
    "the parts of the split on top": (
        ("all/train/images/{}.jpg", "all/train/masks/{}.png", "all/test/images/{}.jpg", "all/test/masks/{}.png"),
        ("all", "all"),
        "Give data.images='all/*/images' data.labels='all/*/masks'.",
    ),
    "exchanged folders": (
        ("images/{}.jpg", "labels/{}.png"),
        ("labels", "images"),
        "Are the two folders exchanged? Then give data.images=images data.labels=labels.",
    ),
    "the folder above, by a pattern": (
        ("b/photos/{}.jpg", "b/masks/{}.png"),
        ("b/phot*s", "b/masks"),
        "The names match with data.images=b/photos data.labels=b/masks.",
    ),
    "folders below those of a pattern": (
        ("b/train/images/{}.jpg", "b/masks/{}.png"),
        ("b/tra*", "b/masks"),
        "The names match with data.images=b/train/images data.labels=b/masks.",
    ),
    "a beginning": (("images/img_{}.jpg", "labels/mask_{}.png"), ("images", "labels"), "'img_' and 'mask_': rename"),
    "JPEG labels": (("images/{}.jpg", "labels/{}.jpg"), ("images", "labels"), "Export the labels as PNG"),
    "polygons": (("images/{}.jpg", "labels/{}.txt"), ("images", "labels"), "These are not label images"),
}


@pytest.mark.parametrize("case", FIXES)
def test_a_refusal_proposes_what_makes_the_names_match(case: str, tmp_path: Path) -> None:
    patterns, folders, fix = FIXES[case]
    write(tmp_path, *patterns)
    assert fix in refusal(tmp_path, *folders)


@pytest.mark.parametrize("star", [False, True])
def test_unlabeled_test_images_are_told_with_commands_that_split_the_others(
    star: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images, labels = ("my set/*/images", "my set/*/labels") if star else ("my set/images", "my set/labels")
    for part in ("Train", "val", "test"):
        folder = images.replace("*", part) if star else f"{images}/{part}"
        write(tmp_path, f"{folder}/{{}}.jpg", f"{folder}/.{{}}.jpg")
        if part != "test":
            write(tmp_path, f"{labels.replace('*', part) if star else f'{labels}/{part}'}/{{}}.png")
    with pytest.raises(BadInput) as error:
        find(Path(), images, labels, Naming(counts=in_part_folder))
    message = str(error.value)
    assert "All images without a label are those of test/. Test on the images of val/" in message
    commands = "\n".join(line[2:] for line in message.splitlines() if line.startswith(("  (", "  mk", "  he", "  ta")))
    subprocess.run(["bash", "-ec", commands], check=True)
    lists = read_split_files(Path("split"))
    naming = Naming(counts={name.rpartition(".")[0] for names in lists.values() for name in names}.__contains__)
    names = find(Path(), images, labels, naming).pairing.names
    parts = split_by_names(names, lists)
    assert [len(indices) for indices in vars(parts).values()] == [4, 1, 5]
    assert {names[index].partition("/")[0] for index in parts.test} == {"val"}


def test_unlabeled_test_images_beside_training_images_alone_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "images/train/{}.jpg", "labels/train/{}.png", "images/test/{}.jpg")
    message = refusal(tmp_path)
    assert "those of test/. data.images=images/train data.labels=labels/train leaves them out" in message
    write(tmp_path, "images/other/{}.jpg")
    assert "those of test/" not in refusal(tmp_path)


MASKS = Naming(None, "_mask")


def test_jpeg_labels_with_a_given_suffix_are_named_as_such(tmp_path: Path) -> None:
    write(tmp_path, "images/{}.jpg", "labels/{}_mask.jpg", "labels/{}_mask.txt")
    message = refusal(tmp_path, naming=MASKS)
    assert "  5 files (labels/10_mask.jpg, labels/1_mask.jpg, labels" in message
    assert "expected labels/NAME_mask.png for each image; the folder has labels/10_mask.jpg" in message
    assert "Export the labels as PNG" in message
    write(tmp_path, "labels/{}_mask.png")
    assert len(find(tmp_path, naming=MASKS).pairing.names) == len(NAMES)
    (tmp_path / "labels/1_mask.png").unlink()
    message = refusal(tmp_path, naming=MASKS)
    assert "labels/1_mask.jpg: expected a file name that ends in .png" in message
    assert "labels/2_mask.jpg" not in message


def test_exchanged_folders_are_seen_with_a_given_suffix(tmp_path: Path) -> None:
    write(tmp_path, "images/{}.jpg", "labels/{}_mask.png")
    message = refusal(tmp_path, "labels", "images", MASKS)
    assert "Are the two folders exchanged? Then give data.images=images data.labels=labels." in message
    assert "the folder has labels/1.jpg" in message


def test_an_empty_suffix_leaves_out_labels_without_an_image(tmp_path: Path) -> None:
    write(tmp_path, "images/{}.jpg", "labels/{}.png", "labels/more/{}.png", "labels/more/{}.jpg")
    pairing = find(tmp_path, naming=Naming(label_suffix="")).pairing
    assert (len(pairing.names), len(pairing.left_out)) == (len(NAMES), len(NAMES))
    for name in NAMES:
        (tmp_path / f"labels/more/{name}.jpg").unlink()
    assert "data.label_suffix= (empty), which leaves out labels without an image" in refusal(tmp_path)
    (tmp_path / "labels/1.png").rename(tmp_path / "labels/0.png")
    assert "labels/1.png: missing" in refusal(tmp_path, naming=Naming(label_suffix=""))


@pytest.mark.parametrize("naming", [ANY_NAMES, Naming("_i", None)])
def test_images_of_formats_that_are_not_read_have_to_be_converted(naming: Naming, tmp_path: Path) -> None:
    ending = naming.image_suffix or ""
    write(tmp_path, f"images/{{}}{ending}.jpg", "labels/{}.png")
    (tmp_path / f"images/2{ending}.jpg").rename(tmp_path / f"images/2{ending}.heic")
    message = refusal(tmp_path, naming=naming)
    assert f"images/2{ending}.heic: expected a file name that ends in .jpg, " in message
    assert message.endswith(f" Convert images/2{ending}.heic to one of these formats, under the same name.")
    (tmp_path / "labels/5.png").write_bytes(b"")
    assert "Convert" not in refusal(tmp_path, naming=naming)


def test_names_with_any_space_of_unicode_are_taken(tmp_path: Path) -> None:
    write(tmp_path, "images/at\u202f{}\u3000pm.jpg", "labels/at\u202f{}\u3000pm.png")
    assert len(find(tmp_path).pairing.names) == len(NAMES)
    for letter in ("\u200b", "\u2028", "\x85", "\U000e0001"):
        path = tmp_path / f"images/{letter}.jpg"
        path.write_bytes(b"")
        assert "unprintable characters in its name" in refusal(tmp_path)
        path.unlink()


def test_many_missing_labels_are_one_line_with_their_number(tmp_path: Path) -> None:
    write(tmp_path, "images/{}.jpg", "images/more/{}.jpg", "labels/{}.png")
    message = refusal(tmp_path)
    problem = (
        "  labels/…: 5 of 10 images have no label, e.g. images/more/1.jpg (expected labels/more/1.png), "
        "images/more/10.jpg, images/more/2.jpg, …\n"
    )
    assert problem in message
    assert "data.split=files data.split_files=FOLDER leaves out all others" in message
    write(tmp_path, "labels/more/{}.png", "labels/none/{}.png")
    assert "  images/…: 5 of 15 labels have no image of their name, e.g. labels/none/1.png, " in refusal(tmp_path)


def test_names_that_do_not_count_need_no_label_and_no_image(tmp_path: Path) -> None:
    write(tmp_path, "images/{}.jpg")
    write(tmp_path, "labels/x{}.png")
    for name in ("1", "2"):
        (tmp_path / f"labels/{name}.png").write_bytes(b"")
    pairing = find(tmp_path, naming=Naming(counts={"1"}.__contains__)).pairing
    assert pairing.names == ["1", "2"]
    assert pairing.left_out == ("10", "3", "4", "x1", "x10", "x2", "x3", "x4")
    message = refusal(tmp_path, naming=Naming(counts={"1", "3"}.__contains__))
    assert "  labels/3.png: missing, but images/3.jpg exists\n" in message


def empty(root: Path) -> None:
    (root / "images").mkdir()


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (empty, "no images: expected images/NAME.jpg (.jpeg, "),
        (empty, "); it is empty"),
        (lambda root: write(root, "images/{}.mat"), "it has 5 other files, e.g. images/1.mat, images/10.mat, images/2"),
        (lambda root: write(root, "images/{}.png"), "no labels: expected labels/NAME.png for each image"),
        (lambda root: (root / "images").write_text("x"), "data.images=images: this is a file; expected a folder"),
        (lambda root: None, "data.images=images: no such folder"),
    ],
)
def test_a_folder_without_what_it_should_have_is_refused(
    prepare: Callable[[Path], None], problem: str, tmp_path: Path
) -> None:
    (tmp_path / "labels").mkdir()
    prepare(tmp_path)
    assert problem in refusal(tmp_path)


def test_a_tree_of_links_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activation_study.data.verification.MAX_ENTRIES", 1000)
    write(tmp_path, "labels/{}.png", "images/00/{}.jpg")
    for depth in range(12):  # 4,096 ways to the last folder
        for name in "ab":
            folder = tmp_path / f"images/{depth + 1:02}"
            folder.mkdir(exist_ok=True)
            (folder / name).symlink_to(tmp_path / f"images/{depth:02}")
    assert "more than 1,000 files and folders" in refusal(tmp_path)
