"""What the names of images and labels alone tell to be wrong, each with its mend."""

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from activation_study.data.folders.name_hints import (
    deeper_folders,
    folders_of_both,
    matching_suffixes,
    prefix_of_labels,
)
from activation_study.data.folders.pairing import Naming, Pairing, below, name_of
from activation_study.data.folders.unlabeled_test import fix_of_unlabeled_test
from activation_study.data.images.image_io import SUFFIXES, conversion_hint, is_unread_image
from activation_study.data.labels.label_image import LABEL_SUFFIXES, LOSSY_SUFFIXES, WHY_NOT_LOSSY
from activation_study.data.verification import File, is_printable, printable_path
from activation_study.errors import FEW, alternatives, examples

_LOSSY = (*LOSSY_SUFFIXES, ".jfif")


def structure_problems(pairing: Pairing, naming: Naming) -> Iterator[str]:
    """Missing files, files of formats that are not read, and names that differ only in case, suffix or Unicode form."""
    paths = [path for by_name in (pairing.images, pairing.labels) for found in by_name.values() for path in found]
    for path in (*paths, *pairing.others):
        if not is_printable(path):
            yield f"{printable_path(path)}: unprintable characters in its name"
    yield from _format_problems(pairing)
    missing = sorted(set(pairing.images) - set(pairing.labels))
    ending = f"{naming.label_suffix or ''}{LABEL_SUFFIXES[0]}"
    expected = [(f"labels/{printable_path(name)}{ending}", printable_path(pairing.images[name][0])) for name in missing]
    if len(missing) <= FEW:
        yield from (f"{label}: missing, but {image} exists" for label, image in expected)
    else:
        label, image = expected[0]
        others = [image for _, image in expected[1:]]
        yield (
            f"labels/…: {len(missing):,} of {len(pairing.images):,} images have no label, e.g. {image} "
            f"(expected {label}), {examples(others, 2)}"
        )
    unused = sorted(set(pairing.labels) - set(pairing.images))
    label_paths = [printable_path(pairing.labels[name][0]) for name in unused]
    if len(unused) <= FEW:
        yield from (f"{path}: no image of this name" for path in label_paths)
    else:
        yield (
            f"images/…: {len(unused):,} of {len(pairing.labels):,} labels have no image of their name, e.g. "
            f"{examples(label_paths)}"
        )
    for by_name in (pairing.images, pairing.labels):
        colliding: dict[str, list[str]] = defaultdict(list)
        for name, found in sorted(by_name.items()):
            colliding[name.casefold()] += found
        for found in colliding.values():
            if len(found) > 1:
                yield f"{', '.join(map(printable_path, found))}: names that differ only in case, suffix or Unicode form"


def _format_problems(pairing: Pairing) -> Iterator[str]:
    for path in pairing.others:
        suffix = PurePosixPath(path).suffix.lower()
        if path.startswith("labels/") and suffix in _LOSSY:
            expected = alternatives(LABEL_SUFFIXES)
            yield f"{printable_path(path)}: expected a file name that ends in {expected}: {WHY_NOT_LOSSY}"
        elif suffix in SUFFIXES or is_unread_image(path):
            expected = alternatives(SUFFIXES if path.startswith("images/") else LABEL_SUFFIXES)
            yield f"{printable_path(path)}: expected a file name that ends in {expected}{conversion_hint(path)}"


def fix_of_structure(files: Sequence[File], pairing: Pairing, images: Path, labels: Path, naming: Naming) -> str:
    """The mend that the names suggest, as overrides of the command line where there are some.

    Args:
        files: all files of both folders, as `images/…` and `labels/…`.
        pairing: of these files.
        images: as the configuration names them.
        labels: likewise.
        naming: likewise.
    """
    if images.resolve() == labels.resolve() and (found := folders_of_both(_below(files, "images/"))):
        return f"Give {_places(images / found[0], labels / found[1])}."
    if found_test := fix_of_unlabeled_test(pairing, images, labels):
        return found_test
    alone = set(pairing.images) ^ set(pairing.labels)
    image_names = {name for name in pairing.images if name in alone}
    label_names = {name for name in pairing.labels if name in alone}
    unread = {
        name_of(path, naming): path for path in pairing.others if path.startswith("images/") and is_unread_image(path)
    }
    if label_names and not image_names and label_names <= set(unread):
        paths = [printable_path(unread[name]) for name in sorted(label_names)]
        return f"Convert {examples(paths)} to one of these formats, under the same name{'s' if len(paths) > 1 else ''}."
    if suffixes := _suffixes(image_names, label_names, naming):
        first, *others = suffixes
        more = f" (or {alternatives(others[:3])})" if others else ""
        return f"The names match with {first}{more}: add this to the command."
    if _exchanged(pairing):
        return f"Are the two folders exchanged? Then give {_places(labels, images)}."
    if found := deeper_folders(image_names, label_names):
        return f"The names match with {_places(below(images, found[0]), below(labels, found[1]))}."
    if not pairing.names and (found := prefix_of_labels(image_names, label_names)) and any(found):
        return (
            f"The names differ in their beginnings, {found[0]!r} and {found[1]!r}: rename the files so that they begin "
            "alike."
        )
    if not pairing.labels:
        return _fix_of_formats([path for path in pairing.others if path.startswith("labels/")])
    if label_names and not image_names and pairing.names and not (naming.label_suffix or naming.image_suffix):
        return "Remove the labels, or add data.label_suffix= (empty), which leaves out labels without an image."
    if label_names or not image_names:
        return "Fix or remove these files."
    return (
        "Add the labels, remove the images, or name the images to use: data.split=files data.split_files=FOLDER leaves "
        "out all others."
    )


def _fix_of_formats(others: Sequence[str]) -> str:
    """How to get PNG files from labels of other formats."""
    formats = {PurePosixPath(path).suffix.lower() for path in others}
    if formats & set(_LOSSY):
        return "Export the labels as PNG with the tool that made them; converting these files keeps their wrong values."
    if formats & {".txt", ".json", ".xml"}:
        return "These are not label images; docs/how-to/own-data-labels.md says how to convert them."
    return "Add the labels, as PNG files."


def suffixes_in_one_folder(files: Sequence[File]) -> str | None:
    """The override that tells labels from images in one folder; None if names do not tell."""
    paths = [PurePosixPath(path) for path in _below(files, "images/")]
    names = {str(path.with_suffix("")) for path in paths}
    png = {str(path.with_suffix("")) for path in paths if path.suffix.lower() in LABEL_SUFFIXES}
    votes: dict[str, int] = defaultdict(int)
    for label in png:
        for position in range(len(label) - 1, 0, -1):
            if label[:position] in names:
                votes[label[position:]] += 1
                break
    best = max(votes, key=lambda ending: (votes[ending], ending), default=None)
    if best is None or votes[best] * 3 < len(names):
        return None
    return f"data.label_suffix={shlex.quote(best)}"


def _suffixes(images: set[str], labels: set[str], naming: Naming) -> list[str]:
    """The overrides that make the names match, the likeliest first."""
    found = []
    for image_ending, label_ending in matching_suffixes(images, labels):
        endings = {
            "image": f"{image_ending}{naming.image_suffix or ''}",
            "label": f"{label_ending}{naming.label_suffix or ''}",
        }
        found.append(" ".join(f"data.{key}_suffix={shlex.quote(value)}" for key, value in endings.items() if value))
    return [override for override in found if override]


def _exchanged(pairing: Pairing) -> bool:
    """Whether the labels look like images and the images like labels, judging by their formats."""
    there = (*pairing.others, *pairing.passed_over)
    formats = [PurePosixPath(path).suffix.lower() for path in there if path.startswith("labels/")]
    photographs = sum(suffix in _LOSSY for suffix in formats)
    images = [path for paths in pairing.images.values() for path in paths]
    return photographs > len(pairing.labels) and all(path.lower().endswith(LABEL_SUFFIXES) for path in images)


def _places(images: Path, labels: Path) -> str:
    return f"data.images={shlex.quote(str(images))} data.labels={shlex.quote(str(labels))}"


def _below(files: Sequence[File], beginning: str) -> list[str]:
    return [file.path.removeprefix(beginning) for file in files if file.path.startswith(beginning)]
