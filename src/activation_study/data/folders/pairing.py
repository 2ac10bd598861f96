"""Which label belongs to which image, by the names of their files alone.

images/NAME<image_suffix>.jpg    labels/NAME<label_suffix>.png (or NAME<image_suffix>.jpg.png)
"""

import glob
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from activation_study.data.images.image_io import SUFFIXES
from activation_study.data.labels.label_image import LABEL_SUFFIXES
from activation_study.data.verification import File, FileTree

PARTS = {"images": SUFFIXES, "labels": LABEL_SUFFIXES}


@dataclass(frozen=True)
class Naming:
    """How the files of images and labels are named, and which of them count.

    Args:
        image_suffix: what the names of image files end with, before the format's suffix; None: nothing.
        label_suffix: likewise of label files. Where a suffix is given, all other files are left out; where that of
            labels is given and empty, labels without an image are.
        counts: whether the image or label of a name has to have the other; None: all do.
    """

    image_suffix: str | None = None
    label_suffix: str | None = None
    counts: Callable[[str], bool] | None = None

    def suffix(self, part: str) -> str | None:
        """That of `images` or `labels`."""
        return self.image_suffix if part == "images" else self.label_suffix


ANY_NAMES = Naming()


@dataclass(frozen=True)
class Pairing:
    """The files of two folders by name, each path as `images/…` or `labels/…`.

    Args:
        images: the paths of the image files of each name; several if names differ only in the format's suffix.
        labels: likewise of the labels.
        others: all other files that count: with a given suffix, those of other formats that have it and whose
            counterpart lacks them.
        left_out: the names that do not count and lack image or label.
        passed_over: the files that are neither image nor label nor in `others`.
    """

    images: Mapping[str, Sequence[str]]
    labels: Mapping[str, Sequence[str]]
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names that have image and label, in the order of their image files.

        So the same files are in the same order whatever part of their names is a suffix: arrays that were prepared
        under other suffixes may be used.
        """
        both = set(self.images) & set(self.labels)
        return sorted(both, key=lambda name: _composed(_stem(self.images[name][0].partition("/")[2])))


def matching_folders(pattern: Path) -> dict[str, Path]:
    """The folders that a path stands for, each by the beginning of its files' names.

    A folder stands for itself: {"": path}. Where a path has `*`, names begin with what these parts stand for:
    `street/*/images` is {"train/": street/train/images, "valid/": street/valid/images}. Hidden folders are left out.
    """
    if pattern.is_dir() or "*" not in str(pattern):
        return {"": pattern} if pattern.is_dir() else {}
    escaped = "*".join(map(glob.escape, str(pattern).replace("**", "*").split("*")))
    stars = [number for number, part in enumerate(pattern.parts) if "*" in part]
    found = [Path(path) for path in sorted(glob.glob(escaped))]
    return {"".join(f"{path.parts[number]}/" for number in stars): path for path in found if path.is_dir()}


def below(pattern: Path, beginning: str) -> Path:
    """The folders of the files whose names begin so: `street/*/images` and `train` are `street/train/images`.

    Args:
        pattern: as for `matching_folders`.
        beginning: of names: what the pattern's parts with `*` stand for, and folders below.
    """
    values = list(PurePosixPath(beginning).parts)
    stars = "" not in matching_folders(pattern)
    parts = [values.pop(0) if stars and values and "*" in part else part for part in pattern.parts]
    return Path(*parts, *values)


def folder_tree(images: Path, labels: Path) -> FileTree:
    """Both folders as one tree: `images/NAME.jpg`, `labels/NAME.png`."""
    return FileTree(
        {
            f"{part}/{beginning}": folder
            for part, pattern in (("images", images), ("labels", labels))
            for beginning, folder in matching_folders(pattern).items()
        },
        as_found=True,
    )


def pair(files: Sequence[File], tree: FileTree, naming: Naming) -> Pairing:
    """Finds images and labels among the files of a `folder_tree`.

    One folder may be the other, or be in it: a file is then a label if its name ends as those of labels do, or if it
    lies in the inner folder.
    """
    paths = _without_double(files, tree, naming)
    images, image_files = _by_name([path for path in paths if path.startswith("images/")], naming, {})
    labels, label_files = _by_name([path for path in paths if path.startswith("labels/")], naming, images)
    known = {*image_files, *label_files}
    rest = [path for path in paths if path not in known]
    others = [path for path in rest if _counts(path, naming, images, labels)]
    left_out: set[str] = set()
    if naming.label_suffix == "" and set(images) & set(labels):
        left_out = set(labels) - set(images)
    if naming.counts is not None:
        alone = set(images) ^ set(labels)
        left_out |= {name for name in alone if not naming.counts(name)}
        others = [path for path in others if naming.counts(_stem(path.partition("/")[2]))]
    return Pairing(
        {name: paths for name, paths in images.items() if name not in left_out},
        {name: paths for name, paths in labels.items() if name not in left_out},
        tuple(others),
        tuple(sorted(left_out)),
        tuple(path for path in rest if path not in set(others)),
    )


def name_of(path: str, naming: Naming) -> str:
    """The name of a file `images/…` or `labels/…` of any format, in Unicode's composed form."""
    part, _, below = path.partition("/")
    return _composed(_stem(below).removesuffix(naming.suffix(part) or ""))


def _counts(
    path: str, naming: Naming, images: Mapping[str, Sequence[str]], labels: Mapping[str, Sequence[str]]
) -> bool:
    """Whether a file that is neither image nor label, because of its format or its suffix, is to be looked at."""
    part, _, below = path.partition("/")
    ending = naming.suffix(part)
    if ending is None:
        return True
    stem, name = _stem(below), name_of(path, naming)
    here, there = (images, labels) if part == "images" else (labels, images)
    return stem.endswith(ending) and name not in here and name in there


def _by_name(
    paths: Sequence[str], naming: Naming, images: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], list[str]]:
    """The paths of images, or of labels, for each name in Unicode's composed form; and all of these paths.

    Some tools name a label after the image's file: 1.jpg.png. It gets the name of that image.
    """
    name_of_file = {_composed(path.partition("/")[2]): name for name, files in images.items() for path in files}
    by_name, found = defaultdict(list), []
    for path in paths:
        part, _, below = path.partition("/")
        stem, format_suffix = _stem(below), PurePosixPath(below).suffix
        ending = naming.suffix(part) or ""
        name = _composed(stem.removesuffix(ending))
        if format_suffix.lower() not in PARTS[part] or not stem.endswith(ending) or name[-1:] in ("", "/"):
            continue
        by_name[name if name in images else name_of_file.get(name, name)].append(path)
        found.append(path)
    return dict(by_name), found


def _without_double(files: Sequence[File], tree: FileTree, naming: Naming) -> list[str]:
    """The paths, each file as an image or as a label and not as both."""
    if not tree.overlaps():
        return [file.path for file in files]
    by_place: dict[Path, list[str]] = defaultdict(list)
    for file in files:
        by_place[tree.absolute(file.path)].append(file.path)
    chosen = []
    for paths in by_place.values():
        # Two folders that a pattern stands for may be one, by a link: the first of them counts.
        first = {path.partition("/")[0]: path for path in sorted(paths, reverse=True)}
        image, label = (first.get(part, "") for part in PARTS)
        depth = label.count("/") - image.count("/")
        is_label = not image or (label and (depth < 0 or (depth == 0 and _is_label(label, naming))))
        chosen.append(label if is_label else image)
    return sorted(chosen)


def _is_label(path: str, naming: Naming) -> bool:
    """Whether a file of a folder that holds images and labels is a label."""
    stem = _stem(path)
    if naming.label_suffix:
        return stem.endswith(naming.label_suffix)
    return bool(naming.image_suffix) and not stem.endswith(str(naming.image_suffix))


def _stem(path: str) -> str:
    """A path without the format's suffix."""
    return str(PurePosixPath(path).with_suffix(""))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
